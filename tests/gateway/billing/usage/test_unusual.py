"""Unusual days by hand, and how often a stable account has one."""

from datetime import date, timedelta
from random import Random

from gateway.billing.usage.unusual import Before, Unusual, unusual

DAY = timedelta(days=1)
MONDAY = date(2026, 11, 2)


def before(nanos: list[int]) -> tuple[dict[date, int], Before]:
    """Return days that end just before MONDAY, and their sum."""
    first = MONDAY - len(nanos) * DAY
    days = {first + number * DAY: each for number, each in enumerate(nanos)}
    return days, Before(sum(nanos), len(nanos))


def found(nanos: int, earlier: list[int]) -> Unusual | None:
    return unusual(MONDAY, nanos, *before(earlier), "USD")


def test_a_quarter_of_the_median_is_usual() -> None:
    assert found(125, [100] * 56) is None
    assert found(126, [100] * 56) == Unusual(100, 75, 125, "USD")
    assert found(74, [100] * 56) == Unusual(100, 75, 125, "USD")


def test_days_that_differ_widen_the_range() -> None:
    mondays = [100, 140, 60, 100, 140, 60, 100, 100]
    weeks = [cost for monday in mondays for cost in (monday, *6 * [100])]
    # Deviations of 0, 0, 0, 0, 40 …: their median is 20 between 0 and 40.
    assert found(248, weeks) is None
    assert found(249, weeks) == Unusual(100, 0, 248, "USD")


def test_a_small_weekday_is_measured_by_the_mean() -> None:
    weeks = [cost for _ in range(8) for cost in (0, *6 * [700])]
    assert found(60, weeks) is None
    assert found(61, weeks) == Unusual(0, 0, 60, "USD")


def test_with_few_weekdays_all_days_of_four_weeks_count() -> None:
    weeks = [cost for _ in range(4) for cost in (10, *6 * [100])]
    assert found(10, weeks) == Unusual(100, 75, 125, "USD")


def test_a_young_account_has_no_usual_days() -> None:
    assert found(10**12, [100] * 20) is None
    assert found(10**12, [100] * 21) is not None


def test_a_stable_account_is_hardly_ever_flagged() -> None:
    random, first = Random(7), date(2020, 1, 1)
    costs = [int(10**9 * random.uniform(90, 110)) for _ in range(2_000)]
    days = {first + number * DAY: each for number, each in enumerate(costs)}
    flagged = [
        number
        for number in range(56, len(costs))
        if unusual(
            first + number * DAY, costs[number], days, Before(sum(costs[:number]), number), "USD"
        )
    ]
    assert len(flagged) < (len(costs) - 56) / 92  # once in three months
