"""Usage over time: a window's buckets and totals, added up from roll-up rows. Pure.

The rows are those of the window, in order: `at` (a day in the account's own zone, or a UTC quarter
hour where another zone was asked for), `spent_nanos`, `deployments` and, apart, `resources`.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import Enum, auto
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple, TypedDict

from gateway import bitset
from gateway.money import divide_half_even, ratio
from gateway.store import Row
from gateway.store.rollups import RESOURCE_SEPARATOR
from gateway.store.stored_json import loads
from gateway.windows import Bucket, Interval, Window, day_start, is_partial, local_day

_DAY: Final = timedelta(days=1)
_at: Final = itemgetter("at")


class Grain(Enum):
    """Which roll-up a window is added up from."""

    DAY = auto()
    SLOT = auto()


class Span(NamedTuple):
    """An account's roll-up rows from `lower` up to, and without, `upper`: dates or instants."""

    account_id: int
    grain: Grain
    lower: date
    upper: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A window of an account, and the grain of the rows that it is added up from."""

    account_id: int
    currency: str
    window: Window
    grain: Grain

    @property
    def span(self) -> Span:
        """The rows that the window is made of."""
        window = self.window
        if self.grain is Grain.DAY:
            return Span(self.account_id, self.grain, window.from_, window.to + _DAY)
        return Span(self.account_id, self.grain, window.start, window.end)

    def span_of(self, bucket: Bucket) -> Span:
        """Return the part of the rows that one bucket is made of."""
        if self.grain is Grain.DAY:
            return Span(self.account_id, self.grain, bucket.first_day, bucket.last_day + _DAY)
        return Span(self.account_id, self.grain, bucket.start, bucket.end)

    def bounds(self, interval: Interval) -> tuple[date, ...]:
        """Return the first `at` of each bucket."""
        series = self.window.series(interval)
        return series.first_days if self.grain is Grain.DAY else series.starts


class UsageBucket(TypedDict):
    """One bucket's usage: nanos, and how many distinct deployments were active. `bucket` of
    `period` is what it was made for.
    """

    start: datetime
    end: datetime
    partial: bool
    spent_nanos: int
    cumulative_nanos: int
    currency: str
    deployments: int
    bucket: Bucket
    period: Period


class ResourceQuantity(TypedDict):
    """How much of a resource was leased, in nanos of its unit."""

    resource: str
    unit: str
    quantity_nanos: int


def period_of(account: Row, window: Window) -> Period:
    """Return the period of an account's window: by days where it is in the account's own zone."""
    grain = Grain.DAY if window.time_zone == account["time_zone"] else Grain.SLOT
    return Period(
        account_id=account["account_id"],
        currency=account["currency"],
        window=window,
        grain=grain,
    )


def usage_buckets(
    rows: Iterable[Row], period: Period, interval: Interval, complete_until: datetime
) -> list[UsageBucket]:
    """Return every bucket of the window in order, those without usage too."""
    bounds = period.bounds(interval)
    spent = [0] * len(bounds)
    active: list[set[bytes]] = [set() for _ in bounds]
    for row in rows:
        index = bisect_right(bounds, row["at"]) - 1
        spent[index] += row["spent_nanos"]
        active[index].add(row["deployments"])
    found: list[UsageBucket] = []
    cumulative = 0
    for bucket, nanos, sets in zip(period.window.buckets(interval), spent, active, strict=True):
        cumulative += nanos
        found.append(
            {
                "start": bucket.start,
                "end": bucket.end,
                "partial": is_partial(bucket, complete_until),
                "spent_nanos": nanos,
                "cumulative_nanos": cumulative,
                "currency": period.currency,
                "deployments": union(sets).bit_count(),
                "bucket": bucket,
                "period": period,
            }
        )
    return found


def union(sets: Iterable[bytes]) -> int:
    """Return the union of stored sets. A set that repeats, as an hour's does, is decoded once."""
    bits = 0
    for data in set(sets):
        bits |= bitset.decode(data)
    return bits


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSummary:
    """A window's totals; `today` is the present local day in the window's zone.

    A mean is over the window's days up to today, and None where it has none yet.
    """

    rows: Sequence[Row]
    period: Period
    today: date

    @property
    def total_nanos(self) -> int:
        return sum(row["spent_nanos"] for row in self.rows)

    @property
    def total_deployments(self) -> int:
        """Distinct deployments, counted once over the window."""
        return union(row["deployments"] for row in self.rows).bit_count()

    @property
    def average_daily_nanos(self) -> int | None:
        """The mean daily spend, half-even to the nano."""
        elapsed = self._elapsed
        return divide_half_even(self.total_nanos, elapsed.days) if elapsed else None

    @property
    def average_daily_deployments(self) -> str | None:
        """The mean of the days' distinct counts, a decimal of two places."""
        if (elapsed := self._elapsed) is None:
            return None
        upper = replace(self.period, window=elapsed).span.upper
        rows = self.rows[: bisect_left(self.rows, upper, key=_at)]
        counts = (
            union(row["deployments"] for row in day).bit_count()
            for day in _by_day(rows, self.period)
        )
        return ratio(sum(counts), elapsed.days, 2)

    @property
    def _elapsed(self) -> Window | None:
        window = self.period.window
        to = min(window.to, self.today)
        if to < window.from_:
            return None
        elapsed = Window(from_=window.from_, to=to, zone=window.zone)
        return elapsed if elapsed.days else None


def _by_day(rows: Sequence[Row], period: Period) -> Iterator[Iterable[Row]]:
    """Yield the rows of each local day that has any."""
    if period.grain is Grain.DAY:
        yield from ([row] for row in rows)
        return
    zone, low = period.window.zone, 0
    while low < len(rows):
        end = day_start(local_day(rows[low]["at"], zone) + _DAY, zone)
        high = bisect_left(rows, end, lo=low, key=_at)
        yield rows[low:high]
        low = high


def resources_in(rows: Sequence[Row], span: Span) -> list[ResourceQuantity]:
    """Return what was leased in a span of the rows, by resource and then unit."""
    low = bisect_left(rows, span.lower, key=_at)
    high = bisect_left(rows, span.upper, lo=low, key=_at)
    total: dict[str, int] = defaultdict(int)
    for stored, same in groupby(rows[low:high], key=itemgetter("resources")):
        quantities, times = loads(stored), sum(1 for _ in same)
        for name, nanos in quantities.items():
            total[name] += nanos * times
    found: list[ResourceQuantity] = []
    for name, nanos in sorted(total.items()):
        resource, _, unit = name.partition(RESOURCE_SEPARATOR)
        found.append({"resource": resource, "unit": unit, "quantity_nanos": nanos})
    return found
