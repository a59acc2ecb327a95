"""Both drivers behind the one interface."""

import asyncio
import gc
import sqlite3
from concurrent.futures import Future
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Any, TypedDict

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import Select, bindparam, func, insert, select, text
from structlog.testing import capture_logs

from gateway.errors import DeadlineExceeded, ServiceUnavailable
from gateway.models import Account, RollupDay, table_of
from gateway.settings import load_settings
from gateway.store import Database, Snapshot, Statement, any_of, build_database, connect, keys
from gateway.store.engine import sqlite
from gateway.store.engine.sqlite import SqliteDatabase
from gateway.store.engine.sqlite_short_reads import ShortReads
from gateway.store.engine.sqlite_thread import Running
from gateway.store.rows import DayRow
from tests.support.books import ACTOR

ACCOUNT = table_of(Account)
DAY = table_of(RollupDay)
NOW = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)


def account(account_id: int) -> dict[str, object]:
    return {
        "account_id": account_id,
        "external_id": f"customer-{account_id}",
        "name": "Ada",
        "currency": "USD",
        "time_zone": "UTC",
        "receipt_prefix": f"{account_id:08}",
        "balance_nanos": 2**63 - 1,
        "ledger_version": 0,
        "balance_at": NOW,
        "deployment_count": 0,
        "revision": 0,
        "created_at": NOW,
    }


INSERT_ACCOUNT = Statement[None](
    insert(ACCOUNT).values(
        {name: bindparam(name, type_=ACCOUNT.c[name].type) for name in account(1)}
    )
)


class KeyedBalance(TypedDict):
    account_id: int
    balance_nanos: int
    created_at: datetime


class Number(TypedDict):
    n: int


BY_KEYS = Statement[KeyedBalance](
    select(ACCOUNT.c.account_id, ACCOUNT.c.balance_nanos, ACCOUNT.c.created_at)
    .select_from(keys("ids").join(ACCOUNT, text("account.account_id = value.value")))
    .where(any_of(ACCOUNT.c.currency, "currencies"))
    .order_by(ACCOUNT.c.account_id)
)
ADD_DAY = Statement[None](
    insert(DAY).values(
        {column.name: bindparam(column.name, type_=column.type) for column in DAY.columns}
    )
)
PROMPT_SECONDS = 10
"""Half of what a statement may take here: what takes less was not left to run."""
DAYS = Statement[DayRow](select(DAY).where(DAY.c.day >= bindparam("day")))


async def test_values_come_back_as_they_went_in(database: Database) -> None:
    async with database.writing(ACTOR) as transaction:
        await transaction.execute_many(INSERT_ACCOUNT, [account(1), account(2), account(3)])
    async with Snapshot(database, ACTOR) as snapshot:
        rows = await snapshot.fetch(BY_KEYS, ids=[3, 1, 9], currencies=["USD"])
    assert [dict(row) for row in rows] == [
        {"account_id": 1, "balance_nanos": 2**63 - 1, "created_at": NOW},
        {"account_id": 3, "balance_nanos": 2**63 - 1, "created_at": NOW},
    ]
    assert snapshot.statements == 1


async def test_dates_and_bytes_come_back_as_they_went_in(database: Database) -> None:
    row = {
        **dict.fromkeys(("spent_nanos", "purchased_nanos", "bonus_nanos", "adjusted_nanos"), -1),
        "refunded_nanos": 7,
        "account_id": 5,
        "day": date(2028, 2, 29),
        "deployments": b"\x00\x01",
        "resources": "{}",
    }
    async with database.writing(ACTOR) as transaction:
        await transaction.execute(ADD_DAY, **row)
        rows = await transaction.fetch(DAYS, day=date(2028, 2, 29))
    assert [dict(found) for found in rows] == [row]


async def test_an_exception_rolls_back(database: Database) -> None:
    async def fail() -> None:
        async with database.writing(ACTOR) as transaction:
            await transaction.execute(INSERT_ACCOUNT, **account(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with Snapshot(database, ACTOR) as snapshot:
        assert not await snapshot.fetch(BY_KEYS, ids=[1], currencies=["USD"])


async def test_a_snapshot_does_not_see_what_is_written_after_its_first_statement(
    database: Database,
) -> None:
    async with Snapshot(database, ACTOR) as snapshot:
        assert not await snapshot.fetch(BY_KEYS, ids=[1], currencies=["USD"])
        async with database.writing(ACTOR) as transaction:
            await transaction.execute(INSERT_ACCOUNT, **account(1))
        assert not await snapshot.fetch(BY_KEYS, ids=[1], currencies=["USD"])
    async with Snapshot(database, ACTOR) as snapshot:
        assert await snapshot.fetch(BY_KEYS, ids=[1], currencies=["USD"])


def _counted(numbers: int) -> Select[Any]:
    counted = f"SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {numbers}"
    return select(func.count().label("n")).select_from(
        text(f"(WITH RECURSIVE n(i) AS ({counted}) SELECT i FROM n) AS numbers")
    )


SLOW = Statement[Number](_counted(200_000_000))


async def test_a_snapshot_stays_the_same_past_a_long_statement(database: Database) -> None:
    async with Snapshot(database, ACTOR) as snapshot:
        assert not await snapshot.fetch(BY_KEYS, ids=[1], currencies=["USD"])
        async with database.writing(ACTOR) as transaction:
            await transaction.execute(INSERT_ACCOUNT, **account(1))
        found = await asyncio.gather(
            snapshot.fetch(BY_KEYS, ids=[1], currencies=["USD"]),
            snapshot.fetch(Statement[Number](_counted(300_000))),
            snapshot.fetch(BY_KEYS, ids=[1], currencies=["USD"]),
        )
        assert [[dict(row) for row in rows] for rows in found] == [[], [{"n": 300_000}], []]


async def test_a_cancelled_statement_stops_and_its_connection_can_be_used_again(
    database: Database,
) -> None:
    for _ in range(6):
        task = asyncio.create_task(_run_slow(database))
        await asyncio.sleep(0.1)
        task.cancel()
        started = asyncio.get_running_loop().time()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.get_running_loop().time() - started < PROMPT_SECONDS
    async with Snapshot(database, ACTOR) as snapshot:
        assert not await snapshot.fetch(BY_KEYS, ids=[1], currencies=["USD"])


async def test_a_statement_that_is_cancelled_twice_fails_unheard(database: Database) -> None:
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    task = asyncio.create_task(_run_slow(database))
    await asyncio.sleep(0.1)
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    async with Snapshot(database, ACTOR) as snapshot:
        assert not await snapshot.fetch(BY_KEYS, ids=[1], currencies=["USD"])
    gc.collect()
    assert complaints == []


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    ("database_url", "command"),
    [
        ("sqlite", "PRAGMA journal_mode = WAL"),
        ("sqlite", "BEGIN"),
        ("sqlite", "SELECT"),
        ("postgresql", "BEGIN"),
    ],
    indirect=["database_url"],
)
async def test_a_read_may_be_cancelled_at_any_command(
    database: Database, command: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    complaints: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, told: complaints.append(told))
    task = asyncio.create_task(_read(database))
    cancelling: list[Future[None]] = []

    async def cancel() -> None:
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)

    driver: Any = Running if database.dialect == "sqlite" else asyncpg.Connection
    execute = driver.execute
    monkeypatch.setattr(ShortReads, "may_begin", lambda *_: False)

    def execute_and_cancel(connection: Any, text: str, *rest: Any, **more: Any) -> Any:
        if text.startswith(command) and not cancelling:
            cancelling.append(asyncio.run_coroutine_threadsafe(cancel(), loop))
            if database.dialect == "sqlite":  # here in a thread of its own
                cancelling[0].result(PROMPT_SECONDS)
        return execute(connection, text, *rest, **more)

    monkeypatch.setattr(driver, "execute", execute_and_cancel)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelling
    await _read(database)
    await database.close()
    gc.collect()  # a connection that was not closed complains
    assert complaints == []


async def _read(database: Database) -> None:
    async with Snapshot(database, ACTOR) as snapshot:
        assert not await snapshot.fetch(BY_KEYS, ids=[1], currencies=["USD"])


async def _run_slow(database: Database) -> None:
    async with Snapshot(database, ACTOR) as snapshot:
        await snapshot.fetch(SLOW)


async def test_closing_a_snapshot_ends_the_statement_that_still_runs(database: Database) -> None:
    snapshot = Snapshot(database, ACTOR)
    running = asyncio.create_task(snapshot.fetch(SLOW))
    await asyncio.sleep(0.1)
    started = asyncio.get_running_loop().time()
    await snapshot.close()
    assert asyncio.get_running_loop().time() - started < PROMPT_SECONDS
    assert running.cancelled() or running.cancelling()
    with pytest.raises(asyncio.CancelledError):
        await snapshot.fetch(BY_KEYS, ids=[1], currencies=["USD"])
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_closing_a_snapshot_ends_a_read_that_has_not_begun(database: Database) -> None:
    snapshot = Snapshot(database, ACTOR)
    reading = asyncio.create_task(snapshot.fetch(BY_KEYS, ids=[1], currencies=["USD"]))
    await asyncio.sleep(0)
    await snapshot.close()
    await asyncio.wait([reading], timeout=PROMPT_SECONDS)
    assert reading.cancelled()
    assert snapshot.statements == 0


@pytest.mark.parametrize("statement_timeout_seconds", [0.2])
async def test_a_slow_statement_is_cancelled(limited_database: Database) -> None:
    with capture_logs() as lines, pytest.raises(DeadlineExceeded):
        await _run_slow(limited_database)
    (line,) = lines
    assert (line["event"], line["code"]) == ("database.failed", "TIMEOUT")
    assert line["reason"] in {"canceling statement due to statement timeout", "interrupted"}


@pytest.mark.parametrize("statement_timeout_seconds", [0.2])
async def test_a_failed_statement_fails_no_earlier_one(limited_database: Database) -> None:
    async with Snapshot(limited_database, ACTOR) as snapshot:
        quick = asyncio.create_task(snapshot.fetch(BY_KEYS, ids=[1], currencies=["USD"]))
        slow = asyncio.create_task(snapshot.fetch(SLOW))
        with pytest.raises(DeadlineExceeded):
            await slow
        assert not await quick
        later = snapshot.fetch(BY_KEYS, ids=[1], currencies=["USD"])
        if limited_database.dialect == "sqlite":
            assert not await later
        else:  # the transaction has ended, for the same reason
            with pytest.raises(DeadlineExceeded):
                await later


@pytest.mark.parametrize("statement_timeout_seconds", [1.0])
async def test_each_statement_has_the_whole_timeout(limited_database: Database) -> None:
    compiled = Statement[Number](_counted(100_000)).compiled(limited_database.dialect)
    some = [compiled.bind({})]
    took = 0.0
    while took < 1:  # together they take longer than one may
        async with limited_database.reading(ACTOR) as driver:
            started = asyncio.get_running_loop().time()
            found = await driver.fetch_together(some)
            if found is None:
                found = [await driver.fetch(*each) for each in some]
            took = asyncio.get_running_loop().time() - started
        assert [[dict(row) for row in rows] for rows in found] == [[{"n": 100_000}]] * len(some)
        some *= 2
    async with limited_database.reading(ACTOR) as driver:
        slow = SLOW.compiled(limited_database.dialect).bind({})
        assert await driver.fetch_together([compiled.bind({}), slow]) is None
        with pytest.raises(DeadlineExceeded):
            await driver.fetch(*slow)


@pytest.mark.parametrize("statement_timeout_seconds", [0.1])
async def test_an_unlimited_snapshot_outlasts_the_timeout(limited_database: Database) -> None:
    compiled = Statement[Number](_counted(3_000_000)).compiled(limited_database.dialect)
    with pytest.raises(DeadlineExceeded):
        async with limited_database.reading(ACTOR) as driver:
            await driver.fetch(compiled, [])
    async with limited_database.reading(ACTOR, unlimited=True) as driver:
        (row,) = await driver.fetch(compiled, [])
    assert row["n"] == 3_000_000


async def test_a_writer_of_sqlite_waits_no_longer_than_it_may(sqlite_database_url: str) -> None:
    settings = load_settings(
        database_url=SecretStr(sqlite_database_url), database_pool_wait_seconds=0.05
    )
    database = await connect(settings)

    async def write() -> None:
        async with database.writing(ACTOR, unlimited=True):
            pass

    async with database.writing(ACTOR):
        with capture_logs() as lines, pytest.raises(ServiceUnavailable):
            async with database.writing(ACTOR):
                pytest.fail("two write at once")
        assert [(line["event"], line["waited_seconds"]) for line in lines] == [
            ("database.busy", 0.05)
        ]
        patient = asyncio.create_task(write())
        await asyncio.sleep(0.1)
        assert not patient.done()
    await patient
    await database.close()


async def test_a_database_is_used_only_while_it_is_open(database_url: str) -> None:
    database = build_database(load_settings(database_url=database_url))

    async def is_refused() -> bool:
        for use in (database.reading, database.writing, database.exporting):
            with pytest.raises(ServiceUnavailable, match="has not started yet"):
                async with use(ACTOR):
                    pass
        return True

    assert await is_refused()
    await database.open()
    async with database.reading(ACTOR), database.writing(ACTOR), database.exporting(ACTOR):
        pass
    await database.close()
    assert await is_refused()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_sqlite_is_durable_and_waits_for_five_seconds(database: Database) -> None:
    assert isinstance(database, SqliteDatabase)
    connection = await database._connect(query_only=False)
    names = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
    found = {name: await connection.execute_fetchall(f"PRAGMA {name}") for name in names}
    await connection.close()
    full = 2
    assert {name: value for name, ((value,),) in found.items()} == {
        "journal_mode": "wal",
        "synchronous": full,
        "busy_timeout": 5_000,
        "foreign_keys": 1,
    }


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_lock_of_another_program_is_unavailability(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quickly = tuple(each.replace("5000", "100") for each in sqlite._PRAGMAS)
    monkeypatch.setattr(sqlite, "_PRAGMAS", quickly)
    await _read(database)  # from now on the file has a write-ahead log
    path = database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with capture_logs() as lines, pytest.raises(ServiceUnavailable):
            async with database.writing(ACTOR) as transaction:
                await transaction.execute(INSERT_ACCOUNT, **account(1))
        assert [(line["code"], line["reason"]) for line in lines] == [
            ("SERVICE_UNAVAILABLE", "database is locked")
        ]
        await _read(database)
        other.execute("ROLLBACK")
    async with database.writing(ACTOR) as transaction:
        await transaction.execute(INSERT_ACCOUNT, **account(1))
