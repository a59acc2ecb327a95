"""Forecasts: what a window will have cost when it ends. Pure, and without a model to train.

The cost is the booked usage. A day that is not complete counts with the greater of its booked usage
and the median of the same weekday over the last four weeks (28 complete days). Where the account
has fewer than two weeks, it is the median of its last 7 complete days. The range adds up the 10 %
and the 90 % quantiles of the same days, each likewise at least the day's booked usage.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

from gateway.billing.usage.expected_days import (
    DAY,
    MEDIAN,
    Days,
    between,
    quantile,
    rounded,
)

HISTORY_DAYS: Final = 28
LEAST_DAYS: Final = 3
"""Fewer complete days forecast nothing."""
YOUNG_DAYS: Final = 14
"""An account with fewer days has weekdays that were seen once, or never."""
RECENT_DAYS: Final = 7
LOW, HIGH = Fraction(1, 10), Fraction(9, 10)


class ForecastStatus(StrEnum):
    """Whether the cost of a window can be estimated."""

    ESTIMATED = "ESTIMATED"
    INSUFFICIENT_HISTORY = "INSUFFICIENT_HISTORY"
    COMPLETE = "COMPLETE"


class Forecast(NamedTuple):
    """The nanos that a window will have cost at the end of the day `through`, and a range around
    them; all but the status are None without an estimate.
    """

    status: ForecastStatus
    currency: str
    through: date | None = None
    expected_nanos: int | None = None
    low_nanos: int | None = None
    high_nanos: int | None = None


def forecast(
    booked_nanos: int,
    open_days: Sequence[date],
    booked: Mapping[date, int],
    history: Days,
    currency: str,
) -> Forecast:
    """Return the forecast of a window that has `booked_nanos` booked on its complete days.

    `open_days` are its other days, in order, and `booked` is what is booked already on some of
    them; `history` are the account's complete days, at least the last HISTORY_DAYS of them.
    """
    if not open_days:
        return Forecast(ForecastStatus.COMPLETE, currency)
    if len(history) < LEAST_DAYS:
        return Forecast(ForecastStatus.INSUFFICIENT_HISTORY, currency)
    likely = {weekday: [*_likely(history, weekday)] for weekday in range(7)}
    sums = [Fraction(booked_nanos)] * 3
    empty = Counter(day.weekday() for day in open_days if day not in booked)
    for weekday, number in empty.items():
        for place, value in enumerate(likely[weekday]):
            sums[place] += number * max(Fraction(0), value)
    for day, nanos in booked.items():
        for place, value in enumerate(likely[day.weekday()]):
            sums[place] += max(Fraction(nanos), value)
    expected, low, high = map(rounded, sums)
    return Forecast(ForecastStatus.ESTIMATED, currency, open_days[-1], expected, low, high)


def _likely(history: Days, weekday: int) -> Iterator[Fraction]:
    """Yield the expected cost of a weekday, and its range."""
    end = max(history) + DAY
    if len(history) < YOUNG_DAYS:
        values = between(history, end - RECENT_DAYS * DAY, end)
    else:
        first = end - HISTORY_DAYS * DAY
        values = [
            nanos for day, nanos in history.items() if day >= first and day.weekday() == weekday
        ]
    for share in (MEDIAN, LOW, HIGH):
        yield quantile(values, share)
