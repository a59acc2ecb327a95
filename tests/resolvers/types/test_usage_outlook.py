"""Forecasts and unusual days as clients ask for them. It is noon UTC on 2026-11-20."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from gateway.billing.usage.forecast import forecast
from gateway.ids import encode_global_id
from gateway.store import Database
from gateway.windows import Interval
from tests.support.graph import ADA, NOW, ask
from tests.support.usage_rows import Event, Facts, insert_facts, shown_day

UNIT = 10**9
TODAY = NOW.date()
DAY = timedelta(days=1)
FIRST = datetime(2026, 9, 1, 22, tzinfo=UTC)
QUERY = """
query ($id: ID!, $from: Date!, $to: Date!, $zone: TimeZone, $interval: UsageInterval,
       $filter: UsageFilter) {
  account(id: $id) { usage(
    from: $from, to: $to, timeZone: $zone, interval: $interval, filter: $filter
  ) {
    forecast { status through expected { amount } low { amount } high { amount } }
    buckets {
      start partial unusual { expected { amount currency } low { amount } high { amount } }
    }
  } }
}
"""
FILTER = {"providers": ["akash"]}


def facts() -> Facts:
    """Usage of every four hours since the first of September; on 2026-11-17 much more of it."""
    events = []
    at = FIRST
    while at < NOW - timedelta(hours=1):
        dear = 5 if at.date() == date(2026, 11, 17) and 4 < at.hour < 16 else 1
        cost = dear * (UNIT + at.weekday() * 1_000 + at.hour)
        events.append(Event(at=at, nanos=cost, deployment=1, provider="akash"))
        events.append(Event(at=at, nanos=UNIT // 2, resource="CPU", provider=None))
        at += timedelta(hours=4)
    return Facts(
        account_id=1,
        time_zone="Europe/Berlin",
        created_at=FIRST,
        members={"ada": "OWNER"},
        events=events,
    )


def nanos(money: Any) -> int:
    return int(Fraction(money["amount"]) * UNIT)


async def usage_of(database: Database, **variables: Any) -> Any:
    given = {"id": encode_global_id("Account", 1), "from": "2026-11-01", "to": "2026-11-30"}
    reply = await ask(database, ADA, QUERY, given | variables)
    assert reply.errors == []
    return reply.data["account"]["usage"]


@pytest.mark.parametrize("time_zone", ["Europe/Berlin", "Asia/Kathmandu"])
@pytest.mark.parametrize("selected", [None, FILTER], ids=["all", "filtered"])
async def test_the_rest_of_a_month_is_forecast(
    database: Database, time_zone: str, selected: Any
) -> None:
    await insert_facts(database, facts())
    usage = await usage_of(database, zone=time_zone, filter=selected)
    days: dict[date, int] = {}
    for event in facts().events:
        if selected is None or event.provider == "akash":
            day = shown_day(event.at, time_zone)
            days[day] = days.get(day, 0) + event.nanos
    booked = sum(each for day, each in days.items() if date(2026, 11, 1) <= day < TODAY)
    history = {day: each for day, each in days.items() if TODAY - 28 * DAY <= day < TODAY}
    open_days = [TODAY + number * DAY for number in range(11)]
    expected = forecast(booked, open_days, {TODAY: days[TODAY]}, history, "USD")
    found = usage["forecast"]
    assert (found["status"], found["through"]) == ("ESTIMATED", "2026-11-30")
    assert [nanos(found[name]) for name in ("expected", "low", "high")] == [*expected[3:]]


async def test_a_past_range_and_a_new_account_have_no_forecast(database: Database) -> None:
    await insert_facts(database, facts())
    nothing = {"through": None, "expected": None, "low": None, "high": None}
    past = await usage_of(database, to="2026-11-19")
    assert past["forecast"] == {"status": "COMPLETE"} | nothing
    new = Facts(account_id=2, created_at=NOW - 2 * DAY, members={"ada": "OWNER"})
    await insert_facts(database, new)
    young = await usage_of(database, id=encode_global_id("Account", 2))
    assert young["forecast"] == {"status": "INSUFFICIENT_HISTORY"} | nothing


async def test_a_forecast_of_a_lifetime_is_quick(database: Database) -> None:
    await insert_facts(database, facts())
    usage = await usage_of(database, to="2100-12-31", interval=Interval.YEAR.value)
    assert usage["forecast"]["through"] == "2100-12-31"
    assert nanos(usage["forecast"]["expected"]) > 27_000 * 6 * UNIT


@pytest.mark.parametrize("time_zone", ["Europe/Berlin", "Asia/Kathmandu"])
@pytest.mark.parametrize("selected", [None, FILTER], ids=["all", "filtered"])
async def test_only_the_day_that_differs_is_unusual(
    database: Database, time_zone: str, selected: Any
) -> None:
    await insert_facts(database, facts())
    usage = await usage_of(database, zone=time_zone, interval="DAY", filter=selected)
    local = [datetime.fromisoformat(each["start"]) for each in usage["buckets"]]
    flagged = {
        shown_day(start, time_zone): bucket["unusual"]
        for start, bucket in zip(local, usage["buckets"], strict=True)
        if bucket["unusual"] is not None
    }
    assert [*flagged] == [date(2026, 11, 17)]
    usual = flagged[date(2026, 11, 17)]
    assert usual["expected"]["currency"] == "USD"
    low, expected, high = (nanos(usual[name]) for name in ("low", "expected", "high"))
    whole = 6 * UNIT if selected else 9 * UNIT
    assert abs(expected - whole) < UNIT // 100
    assert low < expected < high < 2 * whole


async def test_weeks_and_first_days_are_never_unusual(database: Database) -> None:
    await insert_facts(database, facts())
    weeks = await usage_of(database, interval="WEEK")
    assert all(bucket["unusual"] is None for bucket in weeks["buckets"])
    first = await usage_of(database, **{"from": "2026-09-01", "to": "2026-09-20"}, interval="DAY")
    assert all(bucket["unusual"] is None for bucket in first["buckets"])
