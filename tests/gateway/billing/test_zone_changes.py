"""A new time zone is prepared in pieces beside traffic, and shown at once, on both databases."""

import asyncio
import random
import signal
import subprocess
import sys
from datetime import date, timedelta
from typing import Any

import pytest

from gateway.billing import zone_changes
from gateway.billing.usage.recording import record_usage
from gateway.billing.zone_changes import Step, ZoneChanges
from gateway.money import MAX_NANOS
from gateway.store import Database, Transaction
from gateway.store import zone_changes as store
from gateway.store.rebuild import DerivedDays
from gateway.work.tasks import Tasks
from tests.gateway.billing.usage.test_recording import event
from tests.support.books import NOW, Books, usd
from tests.support.facts import day, purchase, refund, rows_of, save
from tests.support.invariants import check_books
from tests.support.jobs import OUTBOX, at_rest, stored, worker
from tests.support.tables import table_rows

DAILY = ("rollup_day", "rollup_activity", "rollup_project", "ledger_day")
STAGED = ("zone_change", "staged_day", "staged_activity", "staged_project", "staged_ledger_day")


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a few facts be many."""
    for name, value in (
        ("AT_ONCE", 3),
        ("PIECE_EVENTS", 4),
        ("PIECE_ENTRIES", 3),
        ("LATE_ENTRIES", 1),
        ("LATE_EVENTS", 6),
        ("CLEARED", 5),
    ):
        monkeypatch.setattr(zone_changes, name, value)


class Account:
    """An account in UTC with usage, credit and refunds of twenty days, and more when wanted."""

    def __init__(self, books: Books, name: str = "acme") -> None:
        self.books = books
        self.name = name
        self.draw = random.Random(name)
        self.key = 0
        self.sent = 0
        self.changes = ZoneChanges(books.database, OUTBOX)

    async def fill(self) -> None:
        self.key = await self.books.account(self.name)
        await save(self.books, self.key, purchase(self.key), refund("re_1", "30"))
        for _ in range(6):
            await self.record(5)

    async def record(self, number: int, *, days: float = 20) -> None:
        """Record events of the last days in one batch, some of them corrections."""
        self.books.clock.instant += timedelta(hours=7)
        events = [self._event(days) for _ in range(number)]
        async with self.books.open([self.key]) as book:
            await record_usage(book, events)

    def _event(self, days: float) -> Any:
        self.sent += 1
        return event(
            self.key,
            str(self.sent),
            started_at=NOW - timedelta(minutes=self.draw.randrange(int(days * 1440))),
            deployment=self.draw.choice([None, "d1", "d2"]),
            project=self.draw.choice([None, "p1"]),
            correction=self.draw.random() < 0.2,
            amount=usd(str(self.draw.randrange(1, 100))),
        )

    async def move(self, time_zone: str) -> None:
        assert await self.books.account(self.name, time_zone=time_zone) == self.key

    async def zones(self) -> tuple[str, str | None]:
        (row,) = [
            row
            for row in await table_rows(self.books.database, "account")
            if row["account_id"] == self.key
        ]
        return row["time_zone"], row["pending_time_zone"]

    async def daily(self) -> dict[str, list[dict[str, Any]]]:
        return {name: await rows_of(self.books.database, name, self.key) for name in DAILY}

    async def finish(self) -> int:
        """Do the steps that are left; return how many there were."""
        for number in range(1, 500):
            if (await self.changes.step(self.key)).is_last:
                return number
        raise AssertionError("the change does not end")


@pytest.fixture
async def account(books: Books) -> Account:
    made = Account(books)
    await made.fill()
    return made


async def staged(database: Database) -> dict[str, int]:
    found = {name: len(await table_rows(database, name)) for name in STAGED}
    return {name: number for name, number in found.items() if number}


async def test_a_new_zone_waits_until_its_days_are_made(account: Account) -> None:
    before = await account.daily()
    await account.move("America/New_York")
    assert await account.zones() == ("UTC", "America/New_York")
    assert await account.daily() == before
    assert await account.finish() > 10
    assert await account.zones() == ("America/New_York", None)
    await check_books(account.books.database)
    assert await staged(account.books.database) == {}


@pytest.mark.parametrize("time_zone", ["Pacific/Apia", "America/New_York"])
async def test_facts_between_the_pieces_are_in_the_new_days(
    account: Account, time_zone: str
) -> None:
    await account.move(time_zone)
    for number in range(30):
        if (await account.changes.step(account.key)).is_last:
            break
        await account.record(2, days=25 if number % 3 else 1)
        if number == 9:
            await save(account.books, account.key, refund("re_2", "10"))
    await check_books(account.books.database)
    await account.finish()
    assert await account.zones() == (time_zone, None)
    await check_books(account.books.database)
    assert await staged(account.books.database) == {}


async def test_no_transaction_stages_more_than_a_piece(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[tuple[int, int]] = []
    staging = store.stage

    async def stage(
        transaction: Transaction, account_id: int, first: date, end: date, derived: DerivedDays
    ) -> None:
        rows.append((len(derived.activity), (end - first).days))
        await staging(transaction, account_id, first, end, derived)

    monkeypatch.setattr(store, "stage", stage)
    monkeypatch.setattr(zone_changes, "PIECE_DAYS", 7)
    await account.move("Asia/Tokyo")
    await account.finish()
    assert len(rows) > 5
    assert all(number <= zone_changes.PIECE_EVENTS or days == 1 for number, days in rows)
    assert max(days for _, days in rows) <= 7


async def test_much_late_usage_is_staged_before_the_account_is_locked(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LATE_ENTRIES", "PIECE_ENTRIES"):
        monkeypatch.setattr(zone_changes, name, 50)
    await account.move("Asia/Tokyo")
    refused = 0
    for _ in range(60):
        step = await account.changes.step(account.key, is_patient=refused < 3)
        refused += step.is_refused
        if step.is_last:
            break
        await account.record(8, days=2)
    assert refused == 3
    assert await account.zones() == ("Asia/Tokyo", None)
    await check_books(account.books.database)


async def test_a_later_change_replaces_a_pending_one(account: Account) -> None:
    await account.move("Asia/Tokyo")
    for _ in range(5):
        await account.changes.step(account.key)
    assert "staged_day" in await staged(account.books.database)
    await account.move("America/New_York")
    await account.finish()
    assert await account.zones() == ("America/New_York", None)
    await check_books(account.books.database)


async def test_the_zone_in_effect_ends_a_pending_change(account: Account) -> None:
    before = await account.daily()
    await account.move("Asia/Tokyo")
    for _ in range(5):
        await account.changes.step(account.key)
    await account.move("UTC")
    assert await account.zones() == ("UTC", None)
    await account.finish()
    assert await account.daily() == before
    assert await staged(account.books.database) == {}


async def test_a_zone_that_an_older_version_writes_ends_a_pending_change(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    await account.move("Asia/Tokyo")
    for _ in range(5):
        await account.changes.step(account.key)
    with monkeypatch.context() as patch:
        patch.setattr(zone_changes, "AT_ONCE", 1_000)
        await account.move("Asia/Kathmandu")
    assert await account.zones() == ("Asia/Kathmandu", None)
    await account.finish()
    assert await account.zones() == ("Asia/Kathmandu", None)
    await check_books(account.books.database)
    assert await staged(account.books.database) == {}


async def test_steps_of_two_processes_at_once_stage_each_fact_once(account: Account) -> None:
    other = ZoneChanges(account.books.database, OUTBOX)
    await account.move("Asia/Tokyo")
    for _ in range(60):
        steps = await asyncio.gather(
            account.changes.step(account.key), other.step(account.key), return_exceptions=True
        )
        if any(isinstance(step, Step) and step.is_last for step in steps):
            break
    assert await account.zones() == ("Asia/Tokyo", None)
    await check_books(account.books.database)


async def test_a_step_that_is_cut_off_is_done_again(account: Account) -> None:
    await account.move("Asia/Tokyo")
    for turns in range(1, 40):
        step = asyncio.create_task(account.changes.step(account.key))
        for _ in range(turns * 2):
            await asyncio.sleep(0.001)
        step.cancel()
        await asyncio.wait([step])
        if turns % 8 == 0:
            await account.record(1)
    await account.finish()
    assert await account.zones() == ("Asia/Tokyo", None)
    await check_books(account.books.database)


async def test_a_killed_process_leaves_the_change_to_another(
    account: Account, database_url: str
) -> None:
    await account.move("Asia/Tokyo")
    command = [sys.executable, "-m", "tests.support.zone_steps", database_url, str(account.key)]
    for lines in (3, 6):
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        for _ in range(lines):
            assert await process.stdout.readline() == b"step\n"
        process.kill()
        assert await process.wait() == -signal.SIGKILL
        await account.record(2)
    assert await account.zones() == ("UTC", "Asia/Tokyo")
    await account.finish()
    assert await account.zones() == ("Asia/Tokyo", None)
    await check_books(account.books.database)


async def test_an_account_whose_sums_do_not_fit_keeps_its_zone(books: Books) -> None:
    full, other = Account(books, "full"), Account(books, "other")
    await other.fill()
    full.key = await books.account("full")
    for number, hour in enumerate((21, 26)):
        at = NOW - timedelta(days=1) + timedelta(hours=hour - NOW.hour)
        most = purchase(
            full.key, reference=f"pi_{number}", amount=MAX_NANOS, tax=0, bonus=0, succeeded_at=at
        )
        await save(books, full.key, most)
        spent = event(
            full.key, str(number), amount=MAX_NANOS, started_at=day(number), deployment=None
        )
        books.clock.instant += timedelta(days=2)
        async with books.open([full.key]) as book:
            await record_usage(book, [spent])
    before = await full.daily()
    await full.move("America/New_York")
    await other.move("America/New_York")
    tasks = Tasks()
    other.changes.register(tasks)
    async with worker(books.database, tasks).running():
        await at_rest(books.database)
    (job,) = await stored(books.database)
    assert (job["account_id"], job["state"]) == (full.key, "DEAD")
    assert job["reason"].startswith("The account keeps its time zone: ")
    assert await full.zones() == ("UTC", None)
    assert await full.daily() == before
    assert await other.zones() == ("America/New_York", None)
    assert await staged(books.database) == {}
    await check_books(books.database)
