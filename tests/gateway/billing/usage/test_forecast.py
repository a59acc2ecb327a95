"""Forecasts by hand, and their back-test beside the naive forecast: burn rate times days."""

from datetime import date, timedelta
from fractions import Fraction

import pytest

from gateway.billing.usage.expected_days import quantile
from gateway.billing.usage.forecast import Forecast, ForecastStatus, forecast
from tests.bench.forecasts import Cost, alarms, back_test, generated, steady, weekly

MONDAY = date(2026, 11, 2)
UNIT = 10**9


def days_from(first: date, nanos: list[int]) -> dict[date, int]:
    return {first + timedelta(days=number): each for number, each in enumerate(nanos)}


def test_quantiles_are_linear_between_two_values() -> None:
    assert quantile([7], Fraction(1, 10)) == 7
    assert quantile([10, 0], Fraction(1, 10)) == 1
    assert quantile([4, 1, 3, 2], Fraction(1, 2)) == Fraction(5, 2)
    assert quantile([0, 10, 20, 30], Fraction(9, 10)) == 27


def test_a_weekday_is_forecast_from_its_last_four_weeks() -> None:
    # Mondays cost 10, 20, 30 and 40, other days 7; a Monday before the four weeks counts no more.
    weeks = [cost for monday in (1_000, 10, 20, 30, 40) for cost in (monday, *6 * [7])]
    first = MONDAY - timedelta(days=35)
    found = forecast(100, [MONDAY, MONDAY + timedelta(days=1)], {}, days_from(first, weeks), "USD")
    assert found == Forecast(
        ForecastStatus.ESTIMATED, "USD", MONDAY + timedelta(days=1), 100 + 25 + 7, 120, 144
    )


def test_what_is_booked_counts_where_it_is_more() -> None:
    history = days_from(MONDAY - timedelta(days=28), [10] * 28)
    open_days = [MONDAY + timedelta(days=number) for number in range(3)]
    booked = {MONDAY: 25, MONDAY + timedelta(days=1): 3}
    found = forecast(0, open_days, booked, history, "USD")
    assert (found.expected_nanos, found.low_nanos, found.high_nanos) == (45, 45, 45)


def test_a_young_account_is_forecast_from_seven_days() -> None:
    history = days_from(MONDAY - timedelta(days=13), [1_000] * 6 + [1, 2, 3, 4, 5, 6, 70])
    assert forecast(0, [MONDAY], {}, history, "USD").expected_nanos == 4
    three = days_from(MONDAY - timedelta(days=3), [1, 2, 9])
    assert forecast(0, [MONDAY], {}, three, "USD").expected_nanos == 2


def test_without_an_estimate_all_else_is_null() -> None:
    two = days_from(MONDAY - timedelta(days=2), [1, 2])
    assert forecast(5, [MONDAY], {}, two, "USD") == Forecast(
        ForecastStatus.INSUFFICIENT_HISTORY, "USD"
    )
    assert forecast(5, [], {}, two, "USD") == Forecast(ForecastStatus.COMPLETE, "USD")


def test_halves_of_a_nano_are_rounded_once() -> None:
    history = days_from(MONDAY - timedelta(days=14), [1] * 7 + [2] * 7)
    week = [MONDAY + timedelta(days=number) for number in range(7)]
    # Seven medians of 1.5 are 10.5, which is 10; rounded each, they would be 14.
    assert forecast(0, week, {}, history, "USD").expected_nanos == 10


@pytest.mark.parametrize("cost", [steady, weekly])
def test_forecasts_beat_the_naive_one_where_they_can(cost: Cost) -> None:
    found = back_test(generated(cost))
    assert found.held >= 0.8
    assert found.error < found.naive_error * (1 if cost is weekly else 1.1)


def test_stable_accounts_have_hardly_an_unusual_day() -> None:
    assert [alarms(generated(cost)) < 1 for cost in (steady, weekly)] == [True, True]
