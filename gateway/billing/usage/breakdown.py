"""What usage went to: a window's spend by one dimension. Pure.

Activity is kept by days of the account's own zone. Another zone's window begins and ends within
such days: those two edges are added up from the raw events.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple, TypedDict
from zoneinfo import ZoneInfo

from gateway.errors import BadUserInput
from gateway.ids import encode_global_id
from gateway.models import Resource
from gateway.money import ratio
from gateway.store import Row
from gateway.windows import Window, day_start, local_day

DEFAULT_ROWS: Final = 10
MAX_ROWS: Final = 100
SHARE_PLACES: Final = 6

_DAY: Final = timedelta(days=1)


class UsageDimension(StrEnum):
    """What usage can be broken down by."""

    DEPLOYMENT = "DEPLOYMENT"
    PROVIDER = "PROVIDER"
    GPU_MODEL = "GPU_MODEL"
    RESOURCE = "RESOURCE"


class UsageGroup(StrEnum):
    """What a row of grouped usage stands for."""

    VALUE = "VALUE"
    NONE = "NONE"
    OTHER = "OTHER"


class ActivitySpan(NamedTuple):
    """What a window is made of: an account's whole days from `first_day` to before `end_day`, and
    the events that start in `[head_start, head_end)` or in `[tail_start, tail_end)`.
    """

    account_id: int
    first_day: date
    end_day: date
    head_start: datetime
    head_end: datetime
    tail_start: datetime
    tail_end: datetime

    @property
    def is_cut(self) -> bool:
        """Whether events have to be read."""
        return self.head_start < self.head_end or self.tail_start < self.tail_end


class BreakdownKey(NamedTuple):
    """Requests the first `size` rows of a span by a dimension, with the rest as one row."""

    dimension: UsageDimension
    size: int
    span: ActivitySpan


class BreakdownRow(TypedDict):
    """Nanos spent on one value of a dimension, and how many distinct deployments took part.

    `deployment` is the (account, deployment) key of a row that stands for one.
    """

    group: UsageGroup
    deployment: tuple[int, int] | None
    key: str | None
    label: str
    spent_nanos: int
    currency: str
    share: str | None
    deployments: int


OTHER: Final = "Other"
_UNNAMED: Final = {
    UsageDimension.DEPLOYMENT: "No deployment",
    UsageDimension.PROVIDER: "Unknown provider",
    UsageDimension.GPU_MODEL: "No GPU model",
}
_RESOURCES: Final = {
    Resource.CPU: "CPU",
    Resource.MEMORY: "Memory",
    Resource.STORAGE: "Storage",
    Resource.GPU: "GPU",
    Resource.NETWORK: "Network",
    Resource.IP: "IP addresses",
    Resource.OTHER: "Other resources",
}


def checked_size(first: int | None) -> int:
    """Return the requested number of rows; raises BadUserInput outside 1 to MAX_ROWS."""
    size = DEFAULT_ROWS if first is None else first
    if 1 <= size <= MAX_ROWS:
        return size
    raise BadUserInput(f"`first` must be from 1 to {MAX_ROWS}.", argument="first")


def activity_span(account_id: int, account_zone: ZoneInfo, window: Window) -> ActivitySpan:
    """Return what an account's window is made of."""
    start, end = window.start, window.end
    first_day, end_day = local_day(start, account_zone), local_day(end, account_zone)
    if day_start(first_day, account_zone) < start:
        first_day += _DAY
    days_start, days_end = day_start(first_day, account_zone), day_start(end_day, account_zone)
    if days_start >= days_end:
        return ActivitySpan(account_id, first_day, first_day, start, end, end, end)
    return ActivitySpan(account_id, first_day, end_day, start, days_start, days_end, end)


def breakdown_rows(rows: Iterable[Row], key: BreakdownKey, currency: str) -> list[BreakdownRow]:
    """Return a loaded breakdown as a client reads it."""
    found = list(rows)
    total = sum(row["spent_nanos"] for row in found)
    return [_row(row, key, total, currency) for row in found]


def _row(row: Row, key: BreakdownKey, total_nanos: int, currency: str) -> BreakdownRow:
    value, label = _key_and_label(row, key)
    group = _group(row, key)
    is_deployment = key.dimension is UsageDimension.DEPLOYMENT and group is UsageGroup.VALUE
    return {
        "group": group,
        "deployment": (key.span.account_id, row["key"]) if is_deployment else None,
        "key": value,
        "label": label,
        "spent_nanos": row["spent_nanos"],
        "currency": currency,
        "share": ratio(row["spent_nanos"], total_nanos, SHARE_PLACES),
        "deployments": row["deployments"],
    }


def _group(row: Row, key: BreakdownKey) -> UsageGroup:
    if row["position"] > key.size:
        return UsageGroup.OTHER
    return UsageGroup.VALUE if row["key"] else UsageGroup.NONE


def _key_and_label(row: Row, key: BreakdownKey) -> tuple[str | None, str]:
    if row["position"] > key.size:
        return None, OTHER
    value = row["key"]
    if not value:
        return None, _UNNAMED[key.dimension]
    match key.dimension:
        case UsageDimension.DEPLOYMENT:
            return encode_global_id("Deployment", key.span.account_id, value), row["label"]
        case UsageDimension.RESOURCE:
            return value, _RESOURCES[Resource(value)]
    return value, value
