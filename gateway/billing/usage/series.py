"""Usage over time: a window's buckets and totals, added up from its roll-up rows. Pure."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import reduce
from itertools import accumulate, groupby, pairwise, repeat
from operator import itemgetter, or_
from typing import Final, NamedTuple

from gateway.column_rows import ColumnRows, column, converted_column
from gateway.money import divide_half_even, ratio
from gateway.store.engine import bitset
from gateway.store.engine.stored_json import loads
from gateway.store.rollup_spans import Grain, P, ResourcesRow, RollupSpan, UsageRow
from gateway.store.rows import AccountRow
from gateway.store.usage_filter import EVERYTHING, UsageFilter
from gateway.store.usage_quantities import EqualQuantities
from gateway.store.usage_sums import UsageSum
from gateway.store.usage_units import RESOURCE_SEPARATOR
from gateway.windows import (
    Bucket,
    Interval,
    Window,
    complete_days,
    day_start,
    days_before,
    is_partial,
    local_day,
)

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A window of an account, the grain of the rows that it is added up from, and the usage that
    counts in it.
    """

    account_id: int
    currency: str
    window: Window
    grain: Grain
    filter: UsageFilter = EVERYTHING

    @property
    def span(self) -> RollupSpan:
        """The rows that the window is made of."""
        window = self.window
        if self.grain is Grain.DAY:
            return RollupSpan(self.account_id, self.grain, window.from_, window.to + _DAY)
        return RollupSpan(self.account_id, self.grain, window.start, window.end)

    def span_of(self, bucket: Bucket) -> RollupSpan:
        """Return the part of the rows that one bucket is made of."""
        if self.grain is Grain.DAY:
            return RollupSpan(self.account_id, self.grain, bucket.first_day, bucket.last_day + _DAY)
        return RollupSpan(self.account_id, self.grain, bucket.start, bucket.end)

    def bounds(self, interval: Interval) -> tuple[date, ...]:
        """Return the first `at` of each bucket."""
        series = self.window.series(interval)
        return series.first_days if self.grain is Grain.DAY else series.starts


class UsageBucket(NamedTuple):
    """The usage of one bucket of a period: nanos, and how many distinct deployments were active.
    Usage that starts before `complete_until` has arrived. `start`, `end` and `currency` are those
    of the bucket and the period.
    """

    bucket: Bucket
    start: datetime
    end: datetime
    period: Period
    complete_until: datetime
    spent_nanos: int
    cumulative_nanos: int
    currency: str
    deployments: int
    interval: Interval

    @property
    def partial(self) -> bool:
        """Whether the bucket is a part of its calendar interval, or some usage may yet come."""
        return is_partial(self.bucket, self.complete_until)


class ResourceQuantity(NamedTuple):
    """The leased quantity of a resource, in nanos of its unit."""

    resource: str
    unit: str
    quantity_nanos: int


def period_of(account: AccountRow, window: Window, selected: UsageFilter = EVERYTHING) -> Period:
    """Return the period of an account's window: by days where it is in the account's own zone."""
    grain = Grain.DAY if window.time_zone == account["time_zone"] else Grain.SLOT
    return Period(
        account_id=account["account_id"],
        currency=account["currency"],
        window=window,
        grain=grain,
        filter=selected,
    )


def usage_buckets(
    rows: Sequence[UsageRow], period: Period, interval: Interval, complete_until: datetime
) -> Sequence[UsageBucket]:
    """Return every bucket of the window in order, those without usage too."""
    at = column(rows, "at")
    spent = column(rows, "spent_nanos")
    active = _active(rows)
    starts = map(bisect_left, repeat(at), period.bounds(interval))
    edges = list(pairwise((*starts, len(at))))
    nanos = [sum(spent[low:high]) for low, high in edges]
    counts = [reduce(or_, active[low:high], 0).bit_count() for low, high in edges]
    return filled_buckets(nanos, counts, period, interval, complete_until)


def filled_buckets(
    nanos: Sequence[int],
    deployments: Sequence[int],
    period: Period,
    interval: Interval,
    complete_until: datetime,
) -> ColumnRows[UsageBucket]:
    """Return the window's buckets with the spend and the number of deployments of each."""
    of_window = period.window.series(interval)
    number = len(of_window.buckets)
    columns: Mapping[str, Sequence[object]] = {
        "bucket": of_window.buckets,
        "start": of_window.starts,
        "end": of_window.ends,
        "period": [period] * number,
        "complete_until": [complete_until] * number,
        "spent_nanos": nanos,
        "cumulative_nanos": [*accumulate(nanos)],
        "currency": [period.currency] * number,
        "deployments": deployments,
        "interval": [interval] * number,
    }
    return ColumnRows(columns, UsageBucket)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSummary:
    """A window's totals, and means over its complete days: those that had ended by
    `complete_until`. `first_day` is the account's, in the window's zone; a mean of no day is None.

    `usage` is the window's rows, or sums of them; the means need the rows.
    """

    usage: Sequence[UsageRow] | Sequence[UsageSum]
    period: Period
    complete_until: datetime

    @property
    def total_nanos(self) -> int:
        return _spent(self.usage)

    @property
    def total_deployments(self) -> int:
        """Distinct deployments, counted once over the window."""
        return reduce(or_, _active(self.usage), 0).bit_count()

    def average_daily_nanos(self, first_day: date, rows: Sequence[UsageRow]) -> int | None:
        """Return the complete days' mean spend, half-even to the nano."""
        days = self._complete_days(first_day)
        if days is None:
            return None
        return divide_half_even(_spent(rows_in(rows, days.span)), days.window.days)

    def average_daily_deployments(self, first_day: date, rows: Sequence[UsageRow]) -> str | None:
        """Return the mean of the complete days' distinct counts, a decimal of two places."""
        days = self._complete_days(first_day)
        if days is None:
            return None
        inside = rows_in(rows, days.span)
        active = _active(inside)
        edges = _day_edges(column(inside, "at"), days)
        counts = (reduce(or_, active[low:high], 0).bit_count() for low, high in edges)
        return ratio(sum(counts), days.window.days, 2)

    def _complete_days(self, first_day: date) -> Period | None:
        return complete_part(self.period, first_day, self.complete_until)


def complete_part(period: Period, first_day: date, complete_until: datetime) -> Period | None:
    """Return a period's complete days from `first_day` on, or None where it has none."""
    days = complete_days(period.window, first_day, complete_until)
    return replace(period, window=days) if days else None


class FilteredSummary(NamedTuple):
    """The totals of a window's filtered usage, as `UsageSummary` has those of all usage."""

    total_nanos: int
    total_deployments: int
    period: Period
    complete_until: datetime


class UsageComparison(NamedTuple):
    """The spend of a window's complete days, and of as many days just before them, in nanos."""

    first: date
    last: date
    current_nanos: int
    previous_first: date
    previous_last: date
    previous_nanos: int
    currency: str


def part_before(part: Period) -> Period:
    """Return the period of as many days just before a part that has some."""
    return replace(part, window=days_before(part.window))


def compare(
    part: Period, rows: Sequence[UsageRow], before: Period, rows_before: Sequence[UsageRow]
) -> UsageComparison:
    """Return the comparison of two periods; the rows may be those of longer ones."""
    current, previous = rows_in(rows, part.span), rows_in(rows_before, before.span)
    return compare_sums(part, _spent(current), before, _spent(previous))


def compare_sums(
    part: Period, current_nanos: int, before: Period, previous_nanos: int
) -> UsageComparison:
    """Return the comparison of two periods with these sums."""
    return UsageComparison(
        first=part.window.from_,
        last=part.window.to,
        current_nanos=current_nanos,
        previous_first=before.window.from_,
        previous_last=before.window.to,
        previous_nanos=previous_nanos,
        currency=part.currency,
    )


def _active(rows: Sequence[UsageRow | UsageSum]) -> Sequence[int]:
    """Return the sets of active deployments, to count: see `bitset.raised`."""
    return converted_column(rows, "deployments", bitset.raised)


def _spent(rows: Sequence[UsageRow | UsageSum]) -> int:
    return sum(column(rows, "spent_nanos"))


def _day_edges(moments: Sequence[date], period: Period) -> Iterator[tuple[int, int]]:
    """Yield the first place of each local day that has any rows, and the place after its last."""
    if period.grain is Grain.DAY:
        yield from ((place, place + 1) for place in range(len(moments)))
        return
    zone, low = period.window.zone, 0
    while low < len(moments):
        at = moments[low]
        assert isinstance(at, datetime)  # noqa: S101  # narrows: a slot's, not a day's
        end = day_start(local_day(at, zone) + _DAY, zone)
        high = bisect_left(moments, end, lo=low)
        yield low, high
        low = high


def rows_in(rows: Sequence[P], span: RollupSpan) -> Sequence[P]:
    """Return the rows, which are in order, that lie in a span."""
    moments = column(rows, "at")
    low = bisect_left(moments, span.lower)
    return rows[low : bisect_left(moments, span.upper, lo=low)]


def resources_in(rows: Sequence[ResourcesRow], span: RollupSpan) -> list[ResourceQuantity]:
    """Return the leased quantities in a span of the rows, by resource and then unit."""
    total: dict[str, int] = defaultdict(int)
    for stored, same in groupby(rows_in(rows, span), key=itemgetter("resources")):
        quantities, times = loads(stored), sum(1 for _ in same)
        for name, nanos in quantities.items():
            total[name] += nanos * times
    return _by_resource(total)


def resources_of(rows: Sequence[EqualQuantities]) -> list[ResourceQuantity]:
    """Return the leased quantities of filtered usage, by resource and then unit."""
    total: dict[str, int] = defaultdict(int)
    for row in rows:
        measure = row["resource"] + RESOURCE_SEPARATOR + row["unit"]
        total[measure] += row["quantity_nanos"] * row["number"]
    return _by_resource(total)


def _by_resource(total: Mapping[str, int]) -> list[ResourceQuantity]:
    found: list[ResourceQuantity] = []
    for name, nanos in sorted(total.items()):
        resource, _, unit = name.partition(RESOURCE_SEPARATOR)
        found.append(ResourceQuantity(resource, unit, nanos))
    return found
