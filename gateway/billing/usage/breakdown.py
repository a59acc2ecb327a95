"""Breakdowns: a window's spend by one dimension, from the rows of `store.breakdowns`. Pure."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, TypedDict
from zoneinfo import ZoneInfo

from gateway.errors import BadUserInput
from gateway.ids import encode_global_id
from gateway.models import Resource
from gateway.money import ratio
from gateway.store.breakdowns import BreakdownKey, BreakdownSpan, RankedUsage, UsageDimension
from gateway.windows import Window, day_start, whole_days

DEFAULT_ROWS: Final = 10
MAX_ROWS: Final = 100
SHARE_PLACES: Final = 6


class UsageGroup(StrEnum):
    """The kind of a breakdown's row: one value, no value, or all values beyond the limit."""

    VALUE = "VALUE"
    NONE = "NONE"
    OTHER = "OTHER"


class BreakdownRow(TypedDict):
    """Nanos spent on one value of a dimension, and the number of distinct deployments with usage.

    `deployment` is the row's (account, deployment) key, if it is a deployment's row.
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


def breakdown_span(account_id: int, account_zone: ZoneInfo, window: Window) -> BreakdownSpan:
    """Return the whole and partial days of an account's window."""
    start, end = window.start, window.end
    first_day, end_day = whole_days(start, end, account_zone)
    if first_day == end_day:
        return BreakdownSpan(account_id, first_day, first_day, start, end, end, end)
    days_start, days_end = day_start(first_day, account_zone), day_start(end_day, account_zone)
    return BreakdownSpan(account_id, first_day, end_day, start, days_start, days_end, end)


def breakdown_rows(
    rows: Sequence[RankedUsage], key: BreakdownKey, currency: str
) -> list[BreakdownRow]:
    """Return the rows of a loaded breakdown with labels and shares."""
    total = sum(row["spent_nanos"] for row in rows)
    return [_row(row, key, total, currency) for row in rows]


def _row(row: RankedUsage, key: BreakdownKey, total_nanos: int, currency: str) -> BreakdownRow:
    value, spent_nanos = row["key"], row["spent_nanos"]
    is_rest = row["rank"] > key.size
    group, deployment = UsageGroup.VALUE, None
    text: str | None = None
    if is_rest:
        group, label = UsageGroup.OTHER, OTHER
    elif not value:
        group, label = UsageGroup.NONE, _UNNAMED[key.dimension]
    elif isinstance(value, int):
        deployment = (key.span.account_id, value)
        text, label = encode_global_id("Deployment", *deployment), row["label"]
    else:
        text, label = value, _label(value, key.dimension)
    return BreakdownRow(
        group=group,
        deployment=deployment,
        key=text,
        label=label,
        spent_nanos=spent_nanos,
        currency=currency,
        share=ratio(spent_nanos, total_nanos, SHARE_PLACES),
        deployments=row["deployments"],
    )


def _label(value: str, dimension: UsageDimension) -> str:
    return _RESOURCES[Resource(value)] if dimension is UsageDimension.RESOURCE else value
