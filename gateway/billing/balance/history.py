"""A balance over time, by each fact's own date. Pure.

Added up from the same roll-up rows as usage, so that `spent` is the usage spend of the same bucket.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict
from zoneinfo import ZoneInfo

from gateway.billing.usage.series import Period
from gateway.store.balance_openings import OpeningKey
from gateway.store.rollup_spans import FlowsRow
from gateway.windows import Interval, day_start, is_partial, local_day


class BalanceBucket(TypedDict):
    """One bucket of a balance, in nanos.

    opening + purchased + bonus − refunded − spent + adjusted = closing, the next one's opening.
    """

    start: datetime
    end: datetime
    partial: bool
    opening_nanos: int
    purchased_nanos: int
    bonus_nanos: int
    refunded_nanos: int
    spent_nanos: int
    adjusted_nanos: int
    closing_nanos: int
    currency: str


def opening_key(period: Period, account_zone: ZoneInfo) -> OpeningKey:
    """Return the key of the balance at which a period opens."""
    instant = period.window.start
    day = local_day(instant, account_zone)
    return OpeningKey(period.account_id, day, day_start(day, account_zone), instant)


def balance_buckets(
    opening_nanos: int,
    rows: Iterable[FlowsRow],
    period: Period,
    interval: Interval,
    complete_until: datetime,
) -> list[BalanceBucket]:
    """Return every bucket of the window in order; `opening_nanos` is the balance at its start."""
    bounds = period.bounds(interval)
    flows = [[0] * 5 for _ in bounds]
    for row in rows:
        sums = flows[bisect_right(bounds, row["at"]) - 1]
        sums[0] += row["purchased_nanos"]
        sums[1] += row["bonus_nanos"]
        sums[2] += row["refunded_nanos"]
        sums[3] += row["spent_nanos"]
        sums[4] += row["adjusted_nanos"]
    found: list[BalanceBucket] = []
    opening = opening_nanos
    for bucket, sums in zip(period.window.buckets(interval), flows, strict=True):
        purchased, bonus, refunded, spent, adjusted = sums
        closing = opening + purchased + bonus - refunded - spent + adjusted
        found.append(
            {
                "start": bucket.start,
                "end": bucket.end,
                "partial": is_partial(bucket, complete_until),
                "opening_nanos": opening,
                "purchased_nanos": purchased,
                "bonus_nanos": bonus,
                "refunded_nanos": refunded,
                "spent_nanos": spent,
                "adjusted_nanos": adjusted,
                "closing_nanos": closing,
                "currency": period.currency,
            }
        )
        opening = closing
    return found
