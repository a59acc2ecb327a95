"""Burn and runway by worked examples; `NOW` is 11:30 on Wednesday 2026-11-25 in Berlin."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.billing.balance.runway import (
    HORIZON,
    Burn,
    Runway,
    RunwayStatus,
    burn,
    burn_key,
    runway,
)
from gateway.store.burn import BurnFacts, BurnKey
from gateway.windows import zone

NOW = datetime(2026, 11, 25, 10, 30, tzinfo=UTC)
BERLIN = zone("Europe/Berlin")
KEY = burn_key(7, NOW, 3600, BERLIN)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


SEVEN_DAYS = {date(2026, 11, 18 + n): n + 1 for n in range(7)}


def facts(
    spent_by_day: Mapping[date, int] = SEVEN_DAYS,
    recorded_from: date | None = date(2026, 11, 18),
) -> BurnFacts:
    return BurnFacts(spent_by_day=spent_by_day, hours_nanos=12, recorded_from=recorded_from)


def test_burn_is_read_from_complete_days_and_whole_quarter_hours() -> None:
    assert (
        BurnKey(
            account_id=7,
            first_day=date(2026, 11, 18),
            end_day=date(2026, 11, 25),
            hours_start=datetime(2026, 11, 24, 9, 30, tzinfo=UTC),
            hours_end=datetime(2026, 11, 25, 9, 30, tzinfo=UTC),
        )
        == KEY
    )


def test_a_day_is_complete_only_when_its_usage_has_arrived() -> None:
    midnight = datetime(2026, 11, 24, 23, tzinfo=UTC)
    assert burn_key(7, midnight + timedelta(minutes=59), 3600, BERLIN).end_day == date(2026, 11, 24)
    assert burn_key(7, midnight + timedelta(minutes=60), 3600, BERLIN).end_day == date(2026, 11, 25)


def test_burn_is_the_mean_of_seven_days() -> None:
    assert burn(KEY, facts(), LONG_AGO, BERLIN) == Burn(mean_nanos=4, hours_nanos=12)


def test_a_day_without_usage_counts() -> None:
    spent = {date(2026, 11, 20): 25}
    # 25 ÷ 7 = 3.57
    assert burn(KEY, facts(spent_by_day=spent), LONG_AGO, BERLIN) == Burn(4, 12)


@pytest.mark.parametrize(("spent", "mean"), [(5, 2), (7, 4), (-5, -2), (-7, -4)])
def test_a_tie_goes_to_the_even_nano(spent: int, mean: int) -> None:
    created_at = datetime(2026, 11, 22, 23, tzinfo=UTC)
    found = facts(spent_by_day={date(2026, 11, 24): spent}, recorded_from=None)
    assert burn(KEY, found, created_at, BERLIN) == Burn(mean, 12)


def test_the_mean_is_over_the_days_that_the_account_has_existed() -> None:
    # Created at 18:00 on Friday 20: that day is not whole, the next four are: 4 + 5 + 6 + 7.
    created_at = datetime(2026, 11, 20, 17, tzinfo=UTC)
    found = facts(recorded_from=date(2026, 11, 20))
    assert burn(KEY, found, created_at, BERLIN) == Burn(mean_nanos=6, hours_nanos=12)


def test_what_was_imported_for_earlier_days_is_history_too() -> None:
    found = facts(recorded_from=date(2026, 11, 23))
    assert burn(KEY, found, NOW, BERLIN) == Burn(mean_nanos=6, hours_nanos=12)


@pytest.mark.parametrize("recorded_from", [None, date(2026, 11, 24), date(2026, 11, 25)])
def test_less_than_one_complete_day_is_no_history(recorded_from: date | None) -> None:
    created_at = datetime(2026, 11, 24, 0, tzinfo=UTC)
    found = facts(recorded_from=recorded_from)
    assert burn(KEY, found, created_at, BERLIN) is None
    assert runway(5, None, NOW, BERLIN) == Runway(RunwayStatus.INSUFFICIENT_HISTORY)


def test_the_dates_are_those_of_the_higher_and_the_lower_burn() -> None:
    expected = Runway(RunwayStatus.ESTIMATED, date(2026, 11, 30), date(2026, 12, 5))
    assert runway(1_000, Burn(200, 100), NOW, BERLIN) == expected
    assert runway(1_000, Burn(100, 200), NOW, BERLIN) == expected


def test_a_date_is_the_accounts_own() -> None:
    # Half a day from 10:30 UTC is 22:30: the same day in Berlin, the next one in Kathmandu.
    halves = Burn(2, 2)
    assert runway(1, halves, NOW, BERLIN).earliest == date(2026, 11, 25)
    assert runway(1, halves, NOW, zone("Asia/Kathmandu")).earliest == date(2026, 11, 26)


@pytest.mark.parametrize("balance", [0, -1])
def test_without_a_balance_it_is_depleted(balance: int) -> None:
    for found in (None, Burn(0, 0), Burn(5, 5)):
        assert runway(balance, found, NOW, BERLIN) == Runway(RunwayStatus.DEPLETED)


@pytest.mark.parametrize("found", [Burn(0, 0), Burn(-3, 0), Burn(-3, -3)])
def test_without_burn_it_is_idle(found: Burn) -> None:
    assert runway(5, found, NOW, BERLIN) == Runway(RunwayStatus.IDLE)


def test_more_than_ten_years_is_beyond_the_horizon() -> None:
    half_days = HORIZON // timedelta(hours=12)
    last = (NOW + HORIZON).astimezone(BERLIN).date()
    assert runway(half_days, Burn(2, 2), NOW, BERLIN) == Runway(RunwayStatus.ESTIMATED, last, last)
    further = runway(half_days + 1, Burn(2, 2), NOW, BERLIN)
    assert further == Runway(RunwayStatus.BEYOND_HORIZON)


@pytest.mark.parametrize("slower", [0, -1, 1])
def test_a_lower_burn_that_does_not_end_within_the_horizon_has_no_date(slower: int) -> None:
    found = runway(10_000, Burn(10_000, slower), NOW, BERLIN)
    assert found == Runway(RunwayStatus.ESTIMATED, date(2026, 11, 26), None)
