"""Means and comparisons of complete days, against the raw events and a walked calendar."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ids import encode_global_id
from gateway.money import parse_nanos
from gateway.store import Database, Snapshot
from gateway.store.first_facts import first_facts
from gateway.windows import Window
from loaders.batch import bind
from tests.support.books import ACTOR
from tests.support.calendars import DAY
from tests.support.graph import ADA, BOB, PLATFORM, Reply, ask
from tests.support.usage_cases import cases, instants_near
from tests.support.usage_rows import Event, Facts, insert_facts, shown_day

DELAY = timedelta(hours=1)
LATER = datetime(2102, 1, 1, tzinfo=UTC)
UNIT = 10**9
COMPARED = """query ($id: ID!, $from: Date!, $to: Date!, $zone: TimeZone) { account(id: $id) {
    firstDay
    usage(interval: YEAR, from: $from, to: $to, timeZone: $zone) {
        summary { averageDailySpend { amount } averageDailyDeployments }
        previous { averageDailySpend { amount } averageDailyDeployments }
        comparison {
            from to current { amount } previousFrom previousTo previous { amount currency }
        }
    }
} }"""


@st.composite
def moments(draw: st.DrawFn) -> tuple[Window, Facts, datetime]:
    """A case, and an instant to look at it: around its window, or long after it."""
    window, facts = draw(cases())
    return window, facts, draw(st.just(LATER) | instants_near(window)) + DELAY


def exists(day: date, zone: str) -> bool:
    """Whether the clocks of a zone have shown a date: one of 23 hours holds one of these hours."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return any(shown_day(noon + n * DAY / 2, zone) == day for n in (0, -1, 1, -2))


def days_of(window: Window) -> list[date]:
    every = ((window.from_ + n * DAY) for n in range((window.to - window.from_).days + 1))
    return [day for day in every if exists(day, window.time_zone)]


def backward(day: date, zone: str) -> Iterator[date]:
    while True:
        day -= DAY
        if exists(day, zone):
            yield day


def days_before(days: Sequence[date], zone: str) -> list[date]:
    walk = backward(days[0], zone)
    return [next(walk) for _ in days][::-1]


class Walk:
    """An account's raw events by the days that a zone's clocks showed."""

    def __init__(self, window: Window, facts: Facts, complete_until: datetime) -> None:
        zone = window.time_zone
        first = min([facts.created_at, *(e.at for e in facts.events), *(f[0] for f in facts.flows)])
        self.first_day, self.open_day = shown_day(first, zone), shown_day(complete_until, zone)
        self._events: dict[date, list[Event]] = {}
        for event in facts.events:
            self._events.setdefault(shown_day(event.at, zone), []).append(event)

    def complete(self, days: Sequence[date]) -> list[date]:
        return [day for day in days if self.first_day <= day < self.open_day]

    def spent(self, days: Sequence[date]) -> int:
        return sum(event.nanos for day in days for event in self._events.get(day, ()))

    def deployments(self, day: date) -> int:
        events = self._events.get(day, ())
        return len({event.deployment for event in events if not event.correction} - {None})

    def means(self, days: Sequence[date]) -> tuple[int | None, Fraction | None]:
        if not (days := self.complete(days)):
            return None, None
        counts = sum(map(self.deployments, days))
        spend = round(Fraction(self.spent(days), len(days)))
        return spend, Fraction(round(Fraction(100 * counts, len(days))), 100)


def means_of(summary: Any) -> tuple[int | None, Fraction | None]:
    spend, deployments = summary["averageDailySpend"], summary["averageDailyDeployments"]
    assert deployments is None or len(deployments.partition(".")[2]) == 2
    return spend and parse_nanos(spend["amount"]), deployments and Fraction(deployments)


@given(case=moments())
async def test_means_and_comparisons_are_those_of_the_raw_events(
    database: Database, case: tuple[Window, Facts, datetime]
) -> None:
    window, facts, now = case
    await insert_facts(database, facts)
    reply = await ask(
        database,
        PLATFORM,
        COMPARED,
        {
            "id": encode_global_id("Account", facts.account_id),
            "from": str(window.from_),
            "to": str(window.to),
            "zone": window.time_zone,
        },
        now=now,
    )
    assert reply.errors == []
    account = reply.data["account"]
    usage = account["usage"]

    walk, days = Walk(window, facts, now - DELAY), days_of(window)
    first = min([facts.created_at, *(e.at for e in facts.events), *(f[0] for f in facts.flows)])
    assert account["firstDay"] == str(shown_day(first, facts.time_zone))
    assert means_of(usage["summary"]) == walk.means(days)

    elapsed = [day for day in days if day <= shown_day(now, window.time_zone)]
    if elapsed:
        before = days_before(elapsed, window.time_zone)
        assert means_of(usage["previous"]) == walk.means(before)
    else:
        assert usage["previous"] is None

    current = walk.complete(days)
    before = days_before(current, window.time_zone) if current else []
    if not current or walk.first_day > before[0]:
        assert usage["comparison"] is None
        return
    found = usage["comparison"]
    assert (found["from"], found["to"]) == (str(current[0]), str(current[-1]))
    assert (found["previousFrom"], found["previousTo"]) == (str(before[0]), str(before[-1]))
    assert parse_nanos(found["current"]["amount"]) == walk.spent(current)
    assert parse_nanos(found["previous"]["amount"]) == walk.spent(before)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}:00Z")


async def compared(
    database: Database, facts: Facts, from_: str, to: str, now: str, zone: str | None = None
) -> Reply:
    await insert_facts(database, facts)
    variables = {"id": encode_global_id("Account", facts.account_id), "zone": zone}
    variables |= {"from": f"2026-{from_}", "to": f"2026-{to}"}
    return await ask(database, PLATFORM, COMPARED, variables, now=at(now))


def figures(reply: Reply) -> tuple[Any, ...]:
    usage = reply.data["account"]["usage"]
    spend, deployments = usage["summary"].values()
    found = usage["comparison"]
    return (
        spend and spend["amount"],
        deployments,
        found
        and (
            *(found["from"], found["to"], found["current"]["amount"]),
            *(found["previousFrom"], found["previousTo"], found["previous"]["amount"]),
        ),
    )


BERLIN = Facts(
    account_id=1,
    time_zone="Europe/Berlin",
    created_at=at("10-20T12:00"),
    events=[
        Event(at=at("10-21T10:00"), nanos=4 * UNIT, deployment=0),
        Event(at=at("10-24T22:30"), nanos=10 * UNIT, deployment=0),
        Event(at=at("10-25T22:30"), nanos=20 * UNIT, deployment=1),
        Event(at=at("10-26T10:00"), nanos=99 * UNIT, deployment=1),
    ],
)


def days(from_: str, to: str, spend: str, *before: str) -> tuple[str, ...]:
    return (f"2026-{from_}", f"2026-{to}", spend, f"2026-{before[0]}", f"2026-{before[1]}", "0.00")


@pytest.mark.parametrize(
    ("window", "now", "expected"),
    [
        # The 25th has 25 hours. Today's part of a day is in no figure.
        (
            ("10-24", "10-30"),
            "10-26T12:00",
            ("15.00", "1.00", days("10-24", "10-25", "30.00", "10-22", "10-23")),
        ),
        # An hour after its end the 25th is complete, and no minute earlier.
        (("10-25", "10-26"), "10-25T23:59", (None, None, None)),
        (
            ("10-25", "10-26"),
            "10-26T00:00",
            ("30.00", "2.00", days("10-25", "10-25", "30.00", "10-24", "10-24")),
        ),
        # Days before the account's first are in no figure.
        (("10-01", "10-25"), "10-26T12:00", ("5.666666667", "0.50", None)),
        (
            ("10-21", "10-21"),
            "10-26T12:00",
            ("4.00", "1.00", days("10-21", "10-21", "4.00", "10-20", "10-20")),
        ),
        (("10-20", "10-20"), "10-26T12:00", ("0.00", "0.00", None)),
        (("10-01", "10-19"), "10-26T12:00", (None, None, None)),
        (("10-27", "10-30"), "10-26T12:00", (None, None, None)),
        (("10-19", "10-20"), "10-20T12:01", (None, None, None)),
    ],
)
async def test_complete_days_since_the_first_are_compared(
    database: Database, window: tuple[str, str], now: str, expected: tuple[Any, ...]
) -> None:
    reply = await compared(database, BERLIN, *window, now)
    assert figures(reply) == expected


async def test_a_skipped_date_is_no_day(database: Database) -> None:
    facts = Facts(
        account_id=1,
        time_zone="Pacific/Apia",
        events=[
            Event(at=datetime(2011, 12, 29, 12, tzinfo=UTC), nanos=2 * UNIT, deployment=0),
            Event(at=datetime(2011, 12, 30, 12, tzinfo=UTC), nanos=9 * UNIT, deployment=0),
        ],
    )
    await insert_facts(database, facts)
    variables = {"id": encode_global_id("Account", 1), "from": "2011-12-30", "to": "2012-01-01"}
    reply = await ask(database, PLATFORM, COMPARED, variables)
    # The 31st, which began where the 29th had ended, and the 1st.
    assert figures(reply) == (
        "4.50",
        "0.50",
        ("2011-12-31", "2012-01-01", "9.00", "2011-12-28", "2011-12-29", "2.00"),
    )


FIRST_DAY = "query ($id: ID!) { account(id: $id) { firstDay } }"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(account_id=1, created_at=at("10-20T23:30")), "2026-10-20"),
        (Facts(account_id=1, created_at=at("10-20T23:30"), time_zone="Asia/Tokyo"), "2026-10-21"),
        (
            Facts(
                account_id=1,
                created_at=at("10-20T12:00"),
                time_zone="Asia/Kathmandu",
                flows=[(at("10-18T18:14"), "purchased_nanos", UNIT)],
                events=[Event(at=at("10-18T18:15"), nanos=0)],
            ),
            "2026-10-18",
        ),
        (
            Facts(
                account_id=1,
                created_at=at("10-20T12:00"),
                time_zone="Asia/Kathmandu",
                events=[Event(at=at("10-18T18:15"), nanos=0)],
            ),
            "2026-10-19",
        ),
    ],
)
async def test_the_first_day_is_that_of_creation_or_of_an_earlier_fact(
    database: Database, facts: Facts, expected: str
) -> None:
    await insert_facts(database, facts, Facts(account_id=2, events=[Event(at=LATER, nanos=1)]))
    reply = await ask(database, PLATFORM, FIRST_DAY, {"id": encode_global_id("Account", 1)})
    assert (reply.data, reply.statements) == ({"account": {"firstDay": expected}}, 2)


async def test_a_window_of_another_zone_has_the_first_day_of_that_zone(
    database: Database,
) -> None:
    """At half past eleven in the evening of UTC it is the next day in Tokyo."""
    facts = Facts(account_id=1, created_at=at("10-20T23:30"))
    reply = await compared(database, facts, "10-20", "10-21", "11-01T00:00", "Asia/Tokyo")
    assert reply.data["account"]["firstDay"] == "2026-10-20"
    assert figures(reply) == ("0.00", "0.00", None)
    variables = {"from": "2026-10-20", "to": "2026-10-20", "zone": "Asia/Tokyo"}
    variables["id"] = encode_global_id("Account", 1)
    assert figures(await ask(database, PLATFORM, COMPARED, variables)) == (None, None, None)


async def test_a_viewer_sees_their_own_accounts_first_day_alone(database: Database) -> None:
    mine = Facts(account_id=1, created_at=at("10-20T12:00"), members={"bob": "VIEWER"})
    theirs = Facts(account_id=2, events=[Event(at=at("01-01T00:00"), nanos=1)])
    await insert_facts(database, mine, theirs)
    ids = [encode_global_id("Account", each) for each in (1, 2)]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Account { firstDay } } }"
    reply = await ask(database, BOB, query, {"ids": ids})
    assert reply.data == {"nodes": [{"firstDay": "2026-10-20"}, None]}
    hidden = await ask(database, ADA, query, {"ids": ids})
    assert hidden.data == {"nodes": [None, None]}
    async with Snapshot(database, ACTOR) as snapshot:
        loader = bind(first_facts, snapshot, BOB)
        assert await asyncio.gather(*map(loader.load, [1, 2])) == [None, None]
        assert await bind(first_facts, snapshot, PLATFORM).load(2) == at("01-01T00:00")
