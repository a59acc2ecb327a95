"""Blocks of usage: what they have is what the roll-ups and the events have, at any moment."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import inf
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.billing import zone_changes
from gateway.billing.reconciliation.blocks import block_differences
from gateway.billing.usage import packing
from gateway.billing.usage.packing import pack
from gateway.billing.usage.recording import record_usage
from gateway.billing.usage.spans import usage_span
from gateway.billing.zone_changes import ZoneChanges
from gateway.clock import FixedClock
from gateway.money import MAX_NANOS
from gateway.principal import Permission, Principal
from gateway.store import Database, Snapshot, block_writes
from gateway.store.selected_usage import together
from gateway.store.usage_blocks import selected_usage
from gateway.store.usage_filter import EVERYTHING, UsageDimension
from gateway.windows import day_start, zone
from tests.gateway.billing.usage.test_recording import event
from tests.support.books import ACTOR, NOW, Books
from tests.support.jobs import OUTBOX
from tests.support.patience import PATIENCE_SECONDS
from tests.support.tables import table_rows

PLATFORM = Principal(
    subject="platform", key_id="platform", scopes=frozenset({Permission.BILLING_READ})
)
FIRST, LAST = date(2026, 10, 23), date(2026, 11, 23)
AT = datetime(2026, 11, 3, 22, 30, tzinfo=UTC)


class Account:
    """An account in Berlin with usage on some days, and what it spent by bucket of New York."""

    def __init__(self, books: Books, key: int) -> None:
        self.books = books
        self.key = key
        self.sent = 0
        self.zone = "Europe/Berlin"

    async def record(self, *instants: datetime, **facts: Any) -> None:
        events = [
            event(self.key, str(self.sent + n), started_at=each, **facts)
            for n, each in enumerate(instants)
        ]
        self.sent += len(events)
        async with self.books.open([self.key]) as book:
            await record_usage(book, events)

    async def figures(self, zone_name: str) -> list[tuple[int, bool]]:
        """Return each day's nanos, and whether anything was active, by days of a zone."""
        own, other = zone(self.zone), zone(zone_name)
        days = [FIRST + n * timedelta(days=1) for n in range((LAST - FIRST).days)]
        edges = [day_start(day, other) for day in [*days, LAST]]
        spans = tuple(usage_span(self.key, own, *each) for each in pairwise(edges))
        async with Snapshot(self.books.database, PLATFORM) as snapshot:
            (usage,) = await selected_usage(
                snapshot, PLATFORM, (UsageDimension.PROJECT,), EVERYTHING, [spans]
            )
        group = together(usage.groups.values())
        assert usage.total(group) == sum(usage.spends(group))
        return [*zip(usage.spends(group), usage.active(group), strict=True)]

    async def every(self) -> list[list[tuple[int, bool]]]:
        zones = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu")
        return [await self.figures(each) for each in zones]


async def unpacked(database: Database) -> list[date]:
    return sorted(row["day"] for row in await table_rows(database, "unpacked_day"))


async def quartered(database: Database) -> list[date]:
    return sorted(row["day"] for row in await table_rows(database, "quartered_day"))


async def make_account(books: Books, name: str = "acme") -> Account:
    return Account(books, await books.account(name, time_zone="Europe/Berlin"))


def hours(start: datetime, count: int) -> Iterable[datetime]:
    return (start + n * timedelta(hours=7, minutes=20) for n in range(count))


async def test_packing_changes_no_figure(database: Database) -> None:
    books = Books(database)
    account = await make_account(books)
    await account.record(*hours(datetime(2026, 10, 28, tzinfo=UTC), 60), project="search")
    await account.record(*hours(datetime(2026, 10, 29, tzinfo=UTC), 40), resource="CPU")
    before = await account.every()
    days = await unpacked(database)
    assert len(days) > 15
    assert await pack(database, FixedClock(NOW), quartered_from=inf) == len(days)
    assert await unpacked(database) == []
    assert len({row["part"] for row in await table_rows(database, "rollup_block")}) == 8
    assert await account.every() == before
    assert await pack(database, FixedClock(NOW)) == 0


async def test_quarter_hours_change_no_figure(database: Database) -> None:
    books = Books(database)
    account = await make_account(books)
    # The quarter hours around the days of Kolkata and Kathmandu, also where Berlin's clock changes.
    for day, hour in ((24, 17), (31, 18)):
        first = datetime(2026, 10, day, hour, 55, tzinfo=UTC)
        instants = [first + n * timedelta(minutes=33) for n in range(70)]
        await account.record(*instants, amount=7)
        await account.record(*instants[::9], amount=-3, correction=True)
    before = await account.every()
    days = await unpacked(database)
    assert await pack(database, FixedClock(NOW), quartered_from=0) == len(days)
    assert await quartered(database) == days
    assert len({row["part"] for row in await table_rows(database, "rollup_block")}) == 13
    assert await account.every() == before
    # Late usage makes some of these days ones that are not quartered, whoever packs them.
    await account.record(*(AT - timedelta(days=n) + timedelta(minutes=50) for n in (2, 3)))
    late = await account.every()
    assert await pack(database, FixedClock(NOW), quartered_from=inf) == 2
    assert len(await quartered(database)) == len(days) - 2
    assert await account.every() == late != before


async def test_late_usage_and_corrections_count_at_once(database: Database) -> None:
    books = Books(database)
    account, other = await make_account(books), await make_account(books)
    for each in (account, other):
        await each.record(*hours(datetime(2026, 10, 28, tzinfo=UTC), 40))
    await pack(database, FixedClock(NOW))
    packed = await account.every()
    await account.record(AT, amount=5)
    await account.record(AT + timedelta(hours=3), amount=-7, correction=True)
    assert await unpacked(database) == [date(2026, 11, 3), date(2026, 11, 4)]
    late = await account.every()
    assert [sum(nanos for nanos, _ in each) for each in late] == [
        sum(nanos for nanos, _ in each) - 2 for each in packed
    ]
    assert await pack(database, FixedClock(NOW)) == 2
    assert await account.every() == late


async def test_a_day_that_changes_while_it_is_packed_stays_unpacked(
    database: Database, monkeypatch: Any
) -> None:
    if database.dialect == "sqlite":
        pytest.skip("nobody else writes while a transaction does")
    books = Books(database)
    account = await make_account(books)
    await account.record(AT - timedelta(days=2), AT)
    found, save = None, block_writes.save

    async def late(*arguments: Any) -> list[date]:
        # Recording waits for nobody: the packing ends only after it.
        async with asyncio.timeout(PATIENCE_SECONDS):
            await account.record(AT + timedelta(minutes=1))
        nonlocal found
        found = await account.every()
        return await save(*arguments)

    monkeypatch.setattr(block_writes, "save", late)
    assert await pack(database, FixedClock(NOW)) == 1
    assert await unpacked(database) == [AT.date()]
    assert await account.every() == found
    monkeypatch.setattr(block_writes, "save", save)
    assert await pack(database, FixedClock(NOW)) == 1
    assert await account.every() == found


async def test_an_account_that_fails_keeps_no_other_from_being_packed(
    database: Database, monkeypatch: Any
) -> None:
    books = Books(database)
    failing, other = await make_account(books), await make_account(books, "other")
    await failing.record(AT)
    await other.record(AT - timedelta(days=1))
    save = block_writes.save

    async def fail(transaction: Any, account_id: int, *rest: Any) -> list[date]:
        if account_id == failing.key:
            raise TimeoutError
        return await save(transaction, account_id, *rest)

    monkeypatch.setattr(block_writes, "save", fail)
    with capture_logs() as lines:
        assert await pack(database, FixedClock(NOW)) == 1
    assert [(line["event"], line["account_id"]) for line in lines] == [
        ("usage.pack_failed", failing.key)
    ]
    assert await unpacked(database) == [AT.date()]


async def test_only_days_that_ended_are_packed(database: Database) -> None:
    books = Books(database)
    account = await make_account(books)
    await account.record(AT - timedelta(days=1), AT, AT + timedelta(hours=1))
    # It is the 4th in Berlin.
    assert await pack(database, FixedClock(AT + timedelta(minutes=45))) == 2
    assert await unpacked(database) == [date(2026, 11, 4)]


async def test_days_are_packed_in_pieces(database: Database, monkeypatch: Any) -> None:
    most = dict.fromkeys(packing.MOST, packing.Most(rows=2, events=100))
    monkeypatch.setattr(packing, "MOST", most)
    monkeypatch.setattr(packing, "TOGETHER", 1)
    books = Books(database)
    accounts = [await make_account(books, name) for name in ("acme", "zeta")]
    for account in accounts:
        # Two blocks: the second one begins on 2 November.
        await account.record(*(AT + n * timedelta(days=3) for n in range(-2, 5)))
    before = [await account.every() for account in accounts]
    assert await pack(database, FixedClock(NOW + timedelta(days=2))) == 14
    assert [await account.every() for account in accounts] == before


async def test_a_day_that_no_block_can_hold_stays_exact(database: Database) -> None:
    books = Books(database)
    account = await make_account(books)
    morning = datetime(2026, 11, 5, 6, tzinfo=UTC)
    await account.record(morning, amount=MAX_NANOS)
    await account.record(morning + timedelta(hours=9), amount=-MAX_NANOS, correction=True)
    # The first hours of the day now come to more than 64 bits hold, though no total does.
    await account.record(morning + timedelta(hours=1), amount=MAX_NANOS)
    before = await account.every()
    assert await pack(database, FixedClock(NOW)) == 0
    assert await unpacked(database) == [date(2026, 11, 5)]
    assert await account.every() == before
    assert sum(nanos for nanos, _ in before[1]) == MAX_NANOS


async def test_blocks_of_the_old_time_zone_change_no_figure(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = Books(database)
    account = await make_account(books)
    await account.record(*hours(datetime(2026, 10, 28, tzinfo=UTC), 30))
    await account.record(datetime(2026, 11, 3, 23, tzinfo=UTC), deployment="late", project="p1")
    await pack(database, FixedClock(NOW), quartered_from=0)
    before = await account.every()
    monkeypatch.setattr(zone_changes, "AT_ONCE", -1)
    await books.account("acme", time_zone="Asia/Tokyo")
    changes = ZoneChanges(database, OUTBOX)
    while not (await changes.step(account.key)).is_last:
        account.zone = await zone_of(database)
        assert await account.every() == before
    assert account.zone == "Asia/Tokyo"
    assert await table_rows(database, "rollup_block") != []
    assert await account.every() == before
    assert await pack(database, FixedClock(NOW), quartered_from=0) > 0
    assert await unpacked(database) == []
    assert await account.every() == before
    async with database.exporting(ACTOR) as stream:
        differences = block_differences(stream, account.key, zone(account.zone))
        assert [each async for each in differences] == []


async def zone_of(database: Database) -> str:
    (row,) = await table_rows(database, "account")
    time_zone: str = row["time_zone"]
    return time_zone


async def test_a_new_time_zone_empties_the_blocks(database: Database) -> None:
    books = Books(database)
    account = await make_account(books)
    await account.record(*hours(datetime(2026, 10, 28, tzinfo=UTC), 30))
    await pack(database, FixedClock(NOW))
    total = sum(nanos for nanos, _ in await account.figures("Europe/Berlin"))
    await books.account("acme", time_zone="Asia/Tokyo")
    assert await table_rows(database, "rollup_block") == []
    days = {row["day"] for row in await table_rows(database, "rollup_activity")}
    assert days <= {*await unpacked(database)}
    await pack(database, FixedClock(NOW))
    assert await unpacked(database) == []
    own = zone("Asia/Tokyo")
    span = usage_span(
        account.key, own, datetime(2026, 10, 27, tzinfo=UTC), datetime(2026, 11, 27, tzinfo=UTC)
    )
    async with Snapshot(database, PLATFORM) as snapshot:
        (usage,) = await selected_usage(
            snapshot, PLATFORM, (UsageDimension.RESOURCE,), EVERYTHING, [(span,)]
        )
    assert [usage.total(group) for group in usage.groups.values()] == [total]
