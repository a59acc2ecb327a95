"""Usage over time from sums that the database makes: exact in every zone, whatever the number of
rows. Pure.

In the account's own zone, a bucket is some days. In another zone it is the account's whole days
that lie in it, and the quarter hours beside them.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from gateway.billing.usage.series import Period, UsageBucket, filled_buckets
from gateway.store.engine import bitset
from gateway.store.rollup_spans import Grain, RollupSpan
from gateway.store.usage_sums import Spans, UsageSum
from gateway.windows import Interval, Window, day_start, whole_days

_DAY: Final = timedelta(days=1)


class BucketSpans(NamedTuple):
    """The spans of a period's buckets, and the index of the bucket of each span."""

    buckets: tuple[int, ...]
    spans: Spans


def summed_buckets(
    sums: Sequence[Sequence[UsageSum]],
    of: BucketSpans,
    period: Period,
    interval: Interval,
    complete_until: datetime,
) -> Sequence[UsageBucket]:
    """Return every bucket of the window in order, from the sums of its spans."""
    count = len(period.window.buckets(interval))
    spent = [0] * count
    active: list[set[bytes]] = [set() for _ in range(count)]
    for index, found in zip(of.buckets, sums, strict=True):
        for each in found:
            spent[index] += each["spent_nanos"]
            active[index].add(each["deployments"])
    counts = [bitset.union(sets).bit_count() for sets in active]
    return filled_buckets(spent, counts, period, interval, complete_until)


def bucket_spans(period: Period, interval: Interval, account_zone: ZoneInfo) -> BucketSpans:
    """Return the spans of a period's buckets."""
    window = period.window
    parts = _series_parts(window.from_, window.to, window.zone, interval, account_zone)
    return BucketSpans(
        tuple(index for index, *_ in parts),
        tuple(
            RollupSpan(period.account_id, grain, lower, upper) for _, grain, lower, upper in parts
        ),
    )


@lru_cache(maxsize=128)
def _series_parts(
    from_: date, to: date, zone: ZoneInfo, interval: Interval, account_zone: ZoneInfo
) -> list[tuple[int, Grain, date, date]]:
    buckets = Window(from_=from_, to=to, zone=zone).buckets(interval)
    return [
        (index, *part)
        for index, bucket in enumerate(buckets)
        for part in (
            [(Grain.DAY, bucket.first_day, bucket.last_day + _DAY)]
            if zone == account_zone
            else _parts(bucket.start, bucket.end, account_zone)
        )
    ]


def period_spans(period: Period, account_zone: ZoneInfo) -> Spans:
    """Return the spans of a whole period; in parts as those of a bucket."""
    if period.grain is Grain.DAY:
        return (period.span,)
    window = period.window
    parts = _parts(window.start, window.end, account_zone)
    return tuple(RollupSpan(period.account_id, *part) for part in parts)


def _parts(
    start: datetime, end: datetime, account_zone: ZoneInfo
) -> Iterator[tuple[Grain, date, date]]:
    first, last = whole_days(start, end, account_zone)
    if first == last:
        yield Grain.SLOT, start, end
        return
    head, tail = day_start(first, account_zone), day_start(last, account_zone)
    if start < head:
        yield Grain.SLOT, start, head
    yield Grain.DAY, first, last
    if tail < end:
        yield Grain.SLOT, tail, end
