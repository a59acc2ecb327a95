"""Reads of SQLite that the event loop runs itself, and those that it leaves to a thread."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import TypedDict

import pytest
from sqlalchemy import Integer, column, text

from gateway.store import Database, Snapshot, Statement
from gateway.store.engine.snapshot import ReadsOnce
from gateway.store.engine.sqlite_short_reads import LONG_TIMES, SHORT_SECONDS, ShortReads
from gateway.store.engine.sqlite_thread import READER_BUSY_MILLISECONDS, SqliteConnection
from tests.support.books import ACTOR


class Number(TypedDict):
    n: int


def counted(numbers: int) -> Statement[Number]:
    rows = f"SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {numbers}"
    return Statement[Number](
        text(f"WITH RECURSIVE numbers(i) AS ({rows}) SELECT count(*) AS n FROM numbers").columns(
            column("n", Integer())
        )
    )


SHORT = counted(3)
LONG = counted(300_000)
"""Takes some hundred milliseconds."""


class Hops:
    """Counts the hops to threads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        run = SqliteConnection.run

        async def counting(connection: SqliteConnection, *rest: object) -> object:
            self.count += 1
            return await run(connection, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(SqliteConnection, "run", counting)


@pytest.fixture
async def hops(database: Database, monkeypatch: pytest.MonkeyPatch) -> Hops:
    """The hops after a connection was opened."""
    assert await numbers(database, SHORT) == [3]
    return Hops(monkeypatch)


async def numbers(database: Database, *statements: Statement[Number]) -> list[int]:
    async with Snapshot(database, ACTOR) as snapshot:
        found = await asyncio.gather(*map(snapshot.fetch, statements))
    return [row["n"] for rows in found for row in rows]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_short_read_needs_no_thread(database: Database, hops: Hops) -> None:
    assert await numbers(database, SHORT, SHORT) == [3, 3]
    assert hops.count == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_long_read_holds_the_loop_for_a_moment(database: Database, hops: Hops) -> None:
    for _ in range(3):
        began, process_began = time.thread_time(), time.process_time()
        assert await numbers(database, SHORT, LONG, SHORT) == [3, 300_000, 3]
        here, everywhere = time.thread_time() - began, time.process_time() - process_began
        assert here < everywhere / 4
    assert hops.count == 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_long_statement_begins_in_a_thread_for_a_while(
    database: Database, hops: Hops, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(LONG_TIMES):
        assert await numbers(database, LONG) == [300_000]
    monkeypatch.setattr(ShortReads, "read", None)  # is not called for what lately was long
    assert await numbers(database, LONG) == [300_000]
    assert hops.count == LONG_TIMES + 1


def once(database: Database) -> Snapshot:
    snapshot = Snapshot(database, ACTOR)
    snapshot.begin(reads_once=True)
    return snapshot


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_requests_that_read_once_share_a_connection(database: Database, hops: Hops) -> None:
    opened = database._idle  # type: ignore[attr-defined]
    async with AsyncExitStack() as stack:
        snapshots = [await stack.enter_async_context(once(database)) for _ in range(100)]
        found = await asyncio.gather(*(snapshot.fetch(SHORT) for snapshot in snapshots))
        assert [rows[0]["n"] for rows in found] == [3] * 100
        assert len(opened) == 1
        with pytest.raises(ReadsOnce):
            await snapshots[0].fetch(SHORT)
        assert snapshots[0].is_cut_short
        snapshots[0].begin(reads_once=False)
        assert [row["n"] for row in await snapshots[0].fetch(SHORT)] == [3]
        assert not opened
    assert len(opened) == 1
    assert hops.count == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_long_read_is_one_hop_of_a_request_that_reads_once(
    database: Database, hops: Hops
) -> None:
    async with once(database) as snapshot:
        reading = asyncio.gather(*map(snapshot.fetch, [SHORT, LONG, SHORT]))
        assert [row["n"] for rows in await reading for row in rows] == [3, 300_000, 3]
        assert not snapshot.is_cut_short
        assert snapshot.reads == 1
    assert hops.count == 1
    assert await numbers(database, SHORT) == [3]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_one_statement_that_reads_once_takes_no_transaction(
    database: Database, hops: Hops
) -> None:
    texts: list[str] = []
    async with once(database) as snapshot:
        assert [row["n"] for row in await snapshot.fetch(SHORT)] == [3]
    (connection,) = database._idle  # type: ignore[attr-defined]
    connection._conn.set_trace_callback(texts.append)
    for statement, expected in ((SHORT, 3), (LONG, 300_000)):
        async with once(database) as snapshot:
            assert [row["n"] for row in await snapshot.fetch(statement)] == [expected]
    assert hops.count == 1
    assert not [each for each in texts if "BEGIN" in each or "ROLLBACK" in each]
    connection._conn.execute("BEGIN")  # as one that was left open
    async with once(database) as snapshot:
        assert [row["n"] for row in await snapshot.fetch(SHORT)] == [3]
    begun = [each for each in texts if each in {"BEGIN", "ROLLBACK"}]
    assert begun == ["BEGIN", "ROLLBACK", "BEGIN", "ROLLBACK"]


def test_a_stretch_of_the_loop_ends_in_time() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for _ in range(5):
            began = time.thread_time()
            assert not ShortReads().read(
                connection, [LONG.compiled("sqlite").bind({})], begins=True
            )
            assert time.thread_time() - began < 1.5 * SHORT_SECONDS


@pytest.fixture
async def locked(tmp_path: Path) -> AsyncIterator[SqliteConnection]:
    """A reader of a file that another program keeps to itself."""
    path = tmp_path / "locked.sqlite3"
    opened = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    reader = SqliteConnection(opened)
    async with reader:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("CREATE TABLE one AS SELECT 1 AS n")
            other.execute("BEGIN EXCLUSIVE")
            yield reader


async def test_the_loop_waits_for_no_lock_and_the_thread_does(locked: SqliteConnection) -> None:
    one = Statement[Number](text("SELECT n FROM one").columns(column("n", Integer())))
    bound = one.compiled("sqlite").bind({})
    for _ in range(2):
        connection = locked.here()
        assert connection is not None
        began = time.monotonic()
        assert ShortReads().read(connection, [bound], begins=True) == []
        assert time.monotonic() - began < READER_BUSY_MILLISECONDS / 2_000
        waits = await locked.run(lambda running: running.execute("PRAGMA busy_timeout").fetchone())
        assert waits == (READER_BUSY_MILLISECONDS,)
