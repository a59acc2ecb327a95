"""Resolves the date arguments of a field to a calendar window."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Final, TypeAlias
from zoneinfo import ZoneInfo

import strawberry

from gateway.billing.ledger.first_day import first_day
from gateway.billing.usage.series import Period, period_of
from gateway.execution.fields import Cost, FromArguments
from gateway.store.rows import VisibleAccount
from gateway.store.usage_filter import EVERYTHING, UsageFilter
from gateway.windows import (
    DEFAULT_BUCKETS,
    MAX_BUCKETS,
    Interval,
    Window,
    complete_until,
    count_buckets,
    finest_interval,
    local_day,
    resolve_window,
    zone,
)
from resolvers.context import Info
from resolvers.costs import EVENTS_A_DAY, KINDS
from resolvers.scalars import TimeZone

IntervalArgument: TypeAlias = Annotated[
    Interval | None,
    strawberry.argument(
        description="The length of a bucket. Default: the finest of DAY, WEEK, MONTH and YEAR "
        "with at most 1,100 buckets from `from` to `to`; DAY if either date is "
        "omitted."
    ),
]
From: TypeAlias = Annotated[
    date | None,
    strawberry.argument(
        name="from",
        description="First day (inclusive). Default: the start of the default span (30 days, 12 "
        "weeks, 12 months, 5 years) that ends with `to`.",
    ),
]
To: TypeAlias = Annotated[
    date | None,
    strawberry.argument(
        description="Last day (inclusive). Default: today; if only `from` is given, the end of "
        "the default span (30 days, 12 weeks, 12 months, 5 years), never after "
        "today."
    ),
]
Zone: TypeAlias = Annotated[
    TimeZone | None,
    strawberry.argument(description="Time zone of all dates. Default: the account's."),
]


_MOST_DAYS: Final = {Interval.DAY: 1, Interval.WEEK: 7, Interval.MONTH: 31, Interval.YEAR: 366}


def most_buckets(arguments: Mapping[str, Any]) -> int:
    """Return the greatest number of buckets of a window; a window that is refused counts as
    allowed.
    """
    from_, to = arguments.get("from"), arguments.get("to")
    interval = arguments.get("interval") or finest_interval(from_, to)
    if from_ is None or to is None:
        return DEFAULT_BUCKETS[interval]
    return min(max(count_buckets(from_, to, interval), 0), MAX_BUCKETS)


def most_days(arguments: Mapping[str, Any]) -> int:
    """Return the greatest number of days of a window."""
    from_, to = arguments.get("from"), arguments.get("to")
    if from_ is None or to is None:
        interval = arguments.get("interval") or Interval.DAY
        return DEFAULT_BUCKETS[interval] * _MOST_DAYS[interval]
    days: int = (to - from_).days + 1
    return max(days, 0)


def most_readings(arguments: Mapping[str, Any]) -> int:
    """Return how many rows hold the quantities of a bucket: one of each kind, or with a filter the
    usage events themselves, because no roll-up has quantities by what a filter names.
    """
    selected = arguments.get("filter") or {}
    if all(values is None for values in selected.values()):
        return KINDS
    from_, to = arguments.get("from"), arguments.get("to")
    interval = arguments.get("interval") or finest_interval(from_, to)
    return EVENTS_A_DAY * min(_MOST_DAYS[interval], most_days(arguments))


BUCKETS: Final = FromArguments(names=("interval", "from", "to"), count=most_buckets)
DAYS: Final = FromArguments(names=("interval", "from", "to"), count=most_days)
READINGS: Final = FromArguments(names=("interval", "from", "to", "filter"), count=most_readings)
WINDOW: Final = Cost(gives={"buckets": BUCKETS, "days": DAYS, "readings": READINGS})
"""The cost of an object that has the values of a window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedWindow:
    """An account's window with its buckets' interval, as of now."""

    account: VisibleAccount
    period: Period
    interval: Interval
    today: date
    complete_until: datetime

    @property
    def window(self) -> Window:
        return self.period.window

    @property
    def zone(self) -> ZoneInfo:
        """The account's own zone, whichever the window's is."""
        return zone(self.account["time_zone"])

    async def first_day(self, info: Info) -> date:
        """Return the account's first day in the window's zone."""
        return await load_first_day(self.account, info, self.window.zone)


async def load_first_day(account: VisibleAccount, info: Info, zone: ZoneInfo) -> date:
    """Return an account's first day in a zone."""
    first_fact_at = await info.context.loaders.first_fact_by_account.load(account["account_id"])
    return first_day(account["created_at"], first_fact_at, zone)


def requested_window(
    account: VisibleAccount,
    info: Info,
    interval: Interval | None,
    from_: date | None,
    to: date | None,
    time_zone: str | None,
    selected: UsageFilter = EVERYTHING,
) -> RequestedWindow:
    """Return the requested window; raises BadUserInput, naming the argument and the limit."""
    now = info.context.now
    local = zone(time_zone or account["time_zone"])
    today = local_day(now, local)
    interval = interval or finest_interval(from_, to)
    window = resolve_window(interval, from_, to, local, today)
    return RequestedWindow(
        account=account,
        period=period_of(account, window, selected),
        interval=interval,
        today=today,
        complete_until=complete_until(window, now, info.context.usage_delay_seconds),
    )
