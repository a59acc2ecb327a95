"""Spans of an account's time in whole days of its zone and parts of days beside them. Pure."""

from datetime import date, datetime
from functools import lru_cache
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from gateway.billing.usage.series import Period
from gateway.store.usage_plan import UsageSpan
from gateway.windows import Interval, Window, day_start, whole_days

_KEPT: Final = 128
"""Windows with the edges of their buckets in memory."""

_Edges: TypeAlias = tuple[date, date, datetime, datetime, datetime, datetime]
"""The cells of a `UsageSpan` between its account and its zone."""


def usage_span(
    account_id: int, account_zone: ZoneInfo, start: datetime, end: datetime
) -> UsageSpan:
    """Return the whole and partial days of a span of an account's time."""
    return UsageSpan(account_id, *_edges(start, end, account_zone), account_zone)


def window_span(period: Period, account_zone: ZoneInfo) -> UsageSpan:
    """Return a whole period as one span."""
    return usage_span(period.account_id, account_zone, period.window.start, period.window.end)


def bucket_spans(
    period: Period, interval: Interval, account_zone: ZoneInfo
) -> tuple[UsageSpan, ...]:
    """Return a span for each of a period's buckets."""
    window = period.window
    edges = _bucket_edges(window.from_, window.to, window.zone, interval, account_zone)
    return tuple(UsageSpan(period.account_id, *each, account_zone) for each in edges)


@lru_cache(maxsize=_KEPT)
def _bucket_edges(
    from_: date, to: date, zone: ZoneInfo, interval: Interval, account_zone: ZoneInfo
) -> list[_Edges]:
    buckets = Window(from_=from_, to=to, zone=zone).buckets(interval)
    return [_edges(bucket.start, bucket.end, account_zone) for bucket in buckets]


def _edges(start: datetime, end: datetime, account_zone: ZoneInfo) -> _Edges:
    first_day, end_day = whole_days(start, end, account_zone)
    if first_day == end_day:
        return first_day, first_day, start, end, end, end
    days_start, days_end = day_start(first_day, account_zone), day_start(end_day, account_zone)
    return first_day, end_day, start, days_start, days_end, end
