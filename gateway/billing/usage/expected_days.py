"""Expected spend of a day, from the days before it: quantiles and ranges. Pure.

Everything is exact: fractions, rounded half-even to the nano once, at the end.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from gateway.money import divide_half_even

DAY: Final = timedelta(days=1)
MEDIAN: Final = Fraction(1, 2)

Days = Mapping[date, int]
"""Nanos spent on each of an account's complete days; days that a zone skipped are missing."""


def quantile(values: Sequence[int] | Sequence[Fraction], share: Fraction) -> Fraction:
    """Return a quantile of one or more values, linear between two of them."""
    ordered = sorted(map(Fraction, values))
    place = (len(ordered) - 1) * share
    low = int(place)
    if place == low:
        return ordered[low]
    return ordered[low] + (ordered[low + 1] - ordered[low]) * (place - low)


def rounded(nanos: Fraction) -> int:
    """Return nanos, half-even."""
    return divide_half_even(nanos.numerator, nanos.denominator)


def between(days: Days, first: date, end: date) -> list[int]:
    """Return the spend of the days from `first` to before `end`."""
    dates = (first + count * DAY for count in range((end - first).days))
    return [days[day] for day in dates if day in days]


def same_weekday(days: Days, day: date, weeks: int) -> list[int]:
    """Return the spend of the same weekday in each of the weeks before a day."""
    dates = (day - 7 * count * DAY for count in range(1, weeks + 1))
    return [days[each] for each in dates if each in days]
