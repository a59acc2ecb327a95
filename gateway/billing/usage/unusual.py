"""Unusual days: complete days that cost more or less than days like them. Pure.

Days like a day are the same weekday of the last eight weeks, at least five of them, or else all
days of the last four weeks. A day's range is their median, and around it the greatest of five
deviations (1.4826 × the median absolute deviation), a quarter of the median, and a tenth of the
mean of all days before; it does not begin below 0.
"""

from datetime import date
from fractions import Fraction
from typing import Final, NamedTuple

from gateway.billing.usage.expected_days import (
    DAY,
    MEDIAN,
    Days,
    between,
    quantile,
    rounded,
    same_weekday,
)

WEEKS: Final = 8
LEAST_WEEKDAYS: Final = 5
OTHER_DAYS: Final = 28
LEAST_DAYS: Final = 21
"""An account with fewer days before has no usual ones."""
_DEVIATIONS: Final = 5 * Fraction(14_826, 10_000)
_OF_MEDIAN: Final = Fraction(1, 4)
_OF_MEAN: Final = Fraction(1, 10)


class Unusual(NamedTuple):
    """The usual spend of a day that lies outside its range, in nanos."""

    expected_nanos: int
    low_nanos: int
    high_nanos: int
    currency: str


class Before(NamedTuple):
    """The spend of all complete days of the account before a day, in nanos, and their number."""

    nanos: int
    days: int


def unusual(day: date, nanos: int, days: Days, before: Before, currency: str) -> Unusual | None:
    """Return the range of a complete day that lies outside it; None for a usual day, and where the
    account is too young to tell. `days` has at least the WEEKS before, back to the first day.
    """
    if before.days < LEAST_DAYS:
        return None
    values = same_weekday(days, day, WEEKS)
    if len(values) < LEAST_WEEKDAYS:
        values = between(days, day - OTHER_DAYS * DAY, day)
    median = quantile(values, MEDIAN)
    deviation = quantile([abs(value - median) for value in values], MEDIAN)
    width = max(
        _DEVIATIONS * deviation, _OF_MEDIAN * median, _OF_MEAN * Fraction(before.nanos, before.days)
    )
    low, high = max(median - width, Fraction(0)), median + width
    if low <= nanos <= high:
        return None
    return Unusual(rounded(median), rounded(low), rounded(high), currency)
