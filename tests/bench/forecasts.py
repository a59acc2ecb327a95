"""The back-test of forecasts beside the naive one, and the alarms of unusual days.

    python -m tests.bench.forecasts [--days 400]

Forecasts the rest of two hundred windows of 10 to 30 days of each account, from a day in their
middle. The naive forecast is the burn rate of the last week times the days. Three accounts are
generated (steady, weekly, growing), the others are those of the demo with usage on most of the
days. `held` is the share of windows with the true cost in the range; `alarms` are the unusual days
in three months.
"""

import argparse
import asyncio
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from pydantic import SecretStr

from gateway.billing.usage.forecast import forecast
from gateway.billing.usage.unusual import Before, unusual
from gateway.clock import FixedClock
from gateway.dev.demo.fill import fill
from gateway.migrations import migrate
from gateway.settings import load_settings
from gateway.store import connect
from tests.bench import figures
from tests.support.tables import table_rows

UNIT: Final = 10**9
FIRST: Final = date(2025, 1, 1)
LAST: Final = datetime(2026, 11, 20, tzinfo=UTC)
GENERATED: Final = 330
"""Days of a generated account."""
HISTORY: Final = 60
"""Days before the first window, and before the first day that may be unusual."""
LONGEST: Final = 30
"""Days of a window."""
TRIALS: Final = 200
QUARTER: Final = 92

Cost = Callable[[Random, date, int], int]
"""Returns the nanos of a day, which has a number from 0."""


class Trial(NamedTuple):
    """Errors as shares of the true cost, and whether the range held it."""

    error: float
    naive_error: float
    held: bool


class BackTest(NamedTuple):
    """Means of an account's trials."""

    error: float
    naive_error: float
    held: float


def steady(random: Random, _day: date, _number: int) -> int:
    return int(UNIT * random.uniform(90, 110))


def weekly(random: Random, day: date, _number: int) -> int:
    return int(UNIT * random.uniform(90, 110) * (0.2 if day.weekday() > 4 else 1))


def growing(random: Random, _day: date, number: int) -> int:
    return int(UNIT * random.uniform(90, 110) * 1.01**number)


def generated(cost: Cost) -> Mapping[date, int]:
    """Return the days of a generated account."""
    random = Random(1)
    dates = [FIRST + timedelta(days=number) for number in range(GENERATED)]
    return {day: cost(random, day, number) for number, day in enumerate(dates)}


def back_test(days: Mapping[date, int]) -> BackTest:
    """Forecast windows of an account with these days."""
    random, dates = Random(1), sorted(days)
    found = [trial for _ in range(TRIALS) if (trial := _trial(random, days, dates)) is not None]
    error, naive, held = (sum(each) / len(found) for each in zip(*found, strict=True))
    return BackTest(error, naive, held)


def _trial(random: Random, days: Mapping[date, int], dates: list[date]) -> Trial | None:
    length = random.randint(10, LONGEST)
    start = random.randrange(HISTORY, len(dates) - length)
    now = start + random.randrange(length)
    true = sum(days[day] for day in dates[start : start + length])
    booked = sum(days[day] for day in dates[start:now])
    history = {day: days[day] for day in dates[:now]}
    guess = forecast(booked, dates[now : start + length], {}, history, "USD")
    burn = sum(days[day] for day in dates[now - 7 : now]) / 7
    expected, low, high = guess.expected_nanos, guess.low_nanos, guess.high_nanos
    if expected is None or low is None or high is None or not true:
        return None
    naive = booked + burn * (start + length - now)
    return Trial(abs(expected - true) / true, abs(naive - true) / true, low <= true <= high)


def alarms(days: Mapping[date, int]) -> float:
    """Return how many of an account's days are unusual, in three months."""
    dates = sorted(days)
    found, before = 0, sum(days[day] for day in dates[:HISTORY])
    for number in range(HISTORY, len(dates)):
        day = dates[number]
        found += unusual(day, days[day], days, Before(before, number), "USD") is not None
        before += days[day]
    return found * QUARTER / (len(dates) - HISTORY)


async def demo_accounts(days: int) -> Mapping[str, Mapping[date, int]]:
    """Return the days of the demo's accounts with usage on most of them, by name."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'demo.sqlite3'}"
        await migrate(url)
        database = await connect(load_settings(database_url=SecretStr(url)))
        try:
            await fill(database, clock=FixedClock(LAST), end=LAST, days=days)
            names = {
                row["account_id"]: row["name"] for row in await table_rows(database, "account")
            }
            found: defaultdict[str, dict[date, int]] = defaultdict(dict)
            for row in await table_rows(database, "rollup_day"):
                found[names[row["account_id"]]][row["day"]] = row["spent_nanos"]
        finally:
            await database.close()
    filled = {name: _filled(each) for name, each in found.items() if len(each) > days // 2}
    return {name: each for name, each in filled.items() if len(each) > HISTORY + LONGEST}


def _filled(days: Mapping[date, int]) -> Mapping[date, int]:
    """Return the complete days from the first to the last, those without usage too."""
    first, last = min(days), LAST.date() - timedelta(days=1)
    dates = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return {day: days.get(day, 0) for day in dates}


def show(name: str, days: Mapping[date, int]) -> figures.Figures:
    """Print an account's line."""
    found, unusual_days = back_test(days), alarms(days)
    print(
        f"{name:<28}{found.error:>9.2%}{found.naive_error:>9.2%}{found.held:>7.0%}"
        f"{unusual_days:>8.1f}",
        flush=True,
    )
    return {f"forecasts/{name}/{what}": value for what, value in found._asdict().items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.forecasts", description=__doc__)
    parser.add_argument("--days", type=int, default=400, help="of the demo")
    figures.add_option(parser)
    options = parser.parse_args()
    print(f"{'account':<28}{'error':>9}{'naive':>9}{'held':>7}{'alarms':>8}")
    for cost in (steady, weekly, growing):
        figures.write(options.figures, show(cost.__name__, generated(cost)))
    for name, days in asyncio.run(demo_accounts(options.days)).items():
        figures.write(options.figures, show(f"demo: {name}", days))


if __name__ == "__main__":
    main()
