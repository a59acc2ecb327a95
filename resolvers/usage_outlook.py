"""Loads forecasts and unusual days: both compare a window with the days before it."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import strawberry

from gateway.billing.usage import series, spans
from gateway.billing.usage.expected_days import DAY
from gateway.billing.usage.forecast import HISTORY_DAYS, Forecast, ForecastStatus, forecast
from gateway.billing.usage.series import Period
from gateway.billing.usage.summed_series import period_spans
from gateway.billing.usage.unusual import WEEKS, Before, Unusual, unusual
from gateway.store.usage_filter import EVERYTHING
from gateway.store.usage_spends import SpendsKey
from gateway.windows import Interval, Window, local_day, zone
from resolvers.context import Info
from resolvers.windows import RequestedWindow, load_first_day

_KEPT: Final = 64


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Days:
    """The key of the spend of days, and after them of the time from the first day to them."""

    key: SpendsKey
    dates: tuple[date, ...]


def _pieces(period: Period, windows: Sequence[Window], account_zone: ZoneInfo) -> SpendsKey:
    """Return the key of the spend of some windows of a period's account and filter."""
    periods = [replace(period, window=window) for window in windows]
    if period.filter == EVERYTHING:
        return SpendsKey(pieces=[period_spans(each, account_zone) for each in periods])
    selected = [spans.window_span(each, account_zone) for each in periods]
    return SpendsKey(selected=selected, filter=period.filter)


def _dates(from_: date, to: date, local: ZoneInfo) -> tuple[date, ...]:
    """Return the dates that a zone has, from one to another."""
    if from_ > to:
        return ()
    window, count = Window(from_=from_, to=to, zone=local), (to - from_).days + 1
    if window.days == count:
        return tuple(from_ + number * DAY for number in range(count))
    return tuple(bucket.first_day for bucket in window.buckets(Interval.DAY))


def _one_day(day: date, local: ZoneInfo) -> Window:
    return Window(from_=day, to=day, zone=local)


def _arrived_until(info: Info) -> datetime:
    """Return the instant up to which usage has normally arrived."""
    return info.context.now - timedelta(seconds=info.context.usage_delay_seconds)


async def load_forecast(root: strawberry.Parent[RequestedWindow], info: Info) -> Forecast:
    window, local = root.window, root.window.zone
    first_open = local_day(_arrived_until(info), local)
    if window.to < first_open:
        return Forecast(ForecastStatus.COMPLETE, root.period.currency)
    first_day = await root.first_day(info)
    known = _dates(max(first_day, first_open - HISTORY_DAYS * DAY), first_open - DAY, local)
    started = _dates(max(window.from_, first_open), min(window.to, root.today + DAY), local)
    windows = [_one_day(day, local) for day in (*known, *started)]
    if window.from_ < first_open:
        windows.append(Window(from_=window.from_, to=first_open - DAY, zone=local))
    key = _pieces(root.period, windows, root.zone)
    nanos = await info.context.loaders.forecast_spends_by_pieces.load(key)
    history = dict(zip(known, nanos, strict=False))
    booked = dict(zip(started, nanos[len(known) :], strict=False))
    complete_nanos = sum(nanos[len(known) + len(started) :])
    open_days = _dates(max(window.from_, first_open), window.to, local)
    return forecast(complete_nanos, open_days, booked, history, root.period.currency)


@lru_cache(maxsize=_KEPT)
def _days_of(period: Period, first_day: date, account_zone: ZoneInfo) -> _Days | None:
    """Return the days that tell which of a window's days are unusual; None where there are none."""
    window = period.window
    start = max(first_day, window.from_ - 7 * WEEKS * DAY)
    dates = _dates(start, window.to, window.zone)
    if not dates:
        return None
    windows = [_one_day(day, window.zone) for day in dates]
    if first_day < start:
        windows.append(Window(from_=first_day, to=start - DAY, zone=window.zone))
    key = _pieces(period, windows, account_zone)
    return _Days(key=key, dates=dates)


async def load_unusual(root: strawberry.Parent[series.UsageBucket], info: Info) -> Unusual | None:
    if root.interval is not Interval.DAY or root.partial:
        return None
    period, day = root.period, root.bucket.first_day
    account = await info.context.loaders.account_by_id.load((period.account_id,))
    if account is None:
        return None
    first_day = await load_first_day(account, info, period.window.zone)
    before = _days_of(period, first_day, zone(account["time_zone"]))
    if before is None or day <= first_day:
        return None
    nanos = await info.context.loaders.earlier_spends_by_pieces.load(before.key)
    earlier = bisect_left(before.dates, day)
    recent = slice(max(0, earlier - 7 * WEEKS), earlier)
    days = dict(zip(before.dates[recent], nanos[recent], strict=True))
    number = Window(from_=first_day, to=day - DAY, zone=period.window.zone).days
    total = Before(sum(nanos[:earlier]) + sum(nanos[len(before.dates) :]), number)
    return unusual(day, root.spent_nanos, days, total, period.currency)
