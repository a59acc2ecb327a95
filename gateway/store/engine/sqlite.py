"""SQLite through aiosqlite: WAL, several readers, one writer, and statements that can be
interrupted.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, TypeAlias, TypeVar, cast

import aiosqlite

from gateway.errors import (
    ConfigurationError,
    DeadlineExceeded,
    GatewayError,
    OutOfRange,
    ServiceUnavailable,
    StorageFull,
)
from gateway.money import OUT_OF_RANGE
from gateway.store.engine.database import (
    BUSY,
    FULL,
    NOT_OPEN,
    SLOW,
    Transaction,
    translated,
    within,
)
from gateway.store.engine.sql import DialectName
from gateway.store.engine.statement import CompiledStatement, R
from gateway.store.engine.stream import Stream

T = TypeVar("T")

OPENING_ATTEMPTS: Final = 20
OPENING_PAUSE_SECONDS: Final = 0.05

Listener: TypeAlias = Callable[[int, int], None]
"""Called with an account and its new revision, after the commit."""

_PRAGMAS = (
    # First, because the next one needs a lock that another connection may hold.
    "PRAGMA busy_timeout = 5000",
    "PRAGMA journal_mode = WAL",
    # With WAL a power cut may lose the last commits with NORMAL; money is not to be lost: FULL.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # Without it an INSERT OR REPLACE deletes rows past the triggers that keep facts.
    "PRAGMA recursive_triggers = ON",
    "PRAGMA cache_size = -16000",
)


class SqliteDriver:
    """One aiosqlite connection: a statement that is cancelled or too slow is interrupted."""

    def __init__(self, connection: aiosqlite.Connection, timeout_seconds: float | None) -> None:
        self._connection = connection
        self._timeout_seconds = timeout_seconds

    async def fetch(self, statement: CompiledStatement[R], arguments: list[object]) -> Sequence[R]:
        records = await self.run(self._connection.execute_fetchall(statement.text, arguments))
        return cast("Sequence[R]", statement.rows(records))

    async def stream(
        self, statement: CompiledStatement[R], arguments: list[object], size: int
    ) -> AsyncGenerator[Sequence[Sequence[object]]]:
        cursor = await self.run(self._connection.execute(statement.text, arguments))
        try:
            while records := [*await self.run(cursor.fetchmany(size))]:
                yield records
                if len(records) < size:
                    return
        finally:
            await asyncio.shield(cursor.close())

    async def execute_many(
        self, statement: CompiledStatement[None], arguments: Sequence[Sequence[object]]
    ) -> None:
        await self.run(self._connection.executemany(statement.text, arguments))

    async def run(self, awaitable: Awaitable[T]) -> T:
        """Await the driver; interrupt it when the caller is cancelled or the time is over."""
        running = asyncio.ensure_future(awaitable)
        running.add_done_callback(_note)
        try:
            with translated(translate):
                async with asyncio.timeout(self._timeout_seconds):
                    return await asyncio.shield(running)
        except TimeoutError:
            await _to_the_end(self._interrupt(running))
            raise DeadlineExceeded(SLOW) from None
        except asyncio.CancelledError:
            await _to_the_end(self._interrupt(running))
            raise

    async def _interrupt(self, running: asyncio.Future[T]) -> None:
        while not running.done():
            await self._connection.interrupt()
            await asyncio.wait([running], timeout=0.05)


def _note(done: asyncio.Future[T]) -> None:
    """Retrieve a statement's outcome, even if its caller was cancelled."""
    if not done.cancelled():
        done.exception()


class SqliteDatabase:
    """A pool of readers, and one writer with a queue in this process."""

    dialect: DialectName = "sqlite"

    def __init__(
        self,
        path: Path,
        *,
        pool_size: int,
        wait_seconds: float,
        statement_timeout_seconds: float,
    ) -> None:
        self._path = path
        self._wait_seconds = wait_seconds
        self._statement_timeout_seconds = statement_timeout_seconds
        self._idle: list[aiosqlite.Connection] = []
        self._places = asyncio.Semaphore(pool_size)
        self._writer: aiosqlite.Connection | None = None
        self._turn = asyncio.Lock()
        self._watcher: aiosqlite.Connection | None = None
        self._is_open = False
        self.listeners: list[Listener] = []

    async def open(self) -> None:
        # SQLite itself would make an empty file.
        if not self._path.is_file():
            raise ConfigurationError(
                f"There is no database at {self._path}: run `gateway migrate`."
            )
        self._is_open = True

    @asynccontextmanager
    async def reading(self, *, unlimited: bool = False) -> AsyncIterator[SqliteDriver]:
        timeout = None if unlimited else self._statement_timeout_seconds
        async with within(self._wait_seconds):
            await self._places.acquire()
        try:
            connection = self._idle.pop() if self._idle else await self._connect(query_only=True)
            driver = SqliteDriver(connection, timeout)
            try:
                await driver.run(connection.execute("BEGIN"))
                yield driver
            finally:
                try:
                    await _end(connection, "ROLLBACK")
                finally:
                    self._idle.append(connection)
        finally:
            self._places.release()

    @asynccontextmanager
    async def writing(self, *, unlimited: bool = False) -> AsyncIterator[Transaction]:
        timeout = None if unlimited else self._statement_timeout_seconds
        async with self._turn:
            connection = self._writer
            if connection is None:
                connection = self._writer = await self._connect(query_only=False)
            driver = SqliteDriver(connection, timeout)
            with translated(translate):
                try:
                    await driver.run(connection.execute("BEGIN IMMEDIATE"))
                    transaction = Transaction(driver, self.dialect)
                    yield transaction
                    await driver.run(connection.execute("COMMIT"))
                    self._tell(transaction.announced)
                    transaction.committed()
                finally:
                    await _end(connection, "ROLLBACK")

    @asynccontextmanager
    async def exporting(self) -> AsyncIterator[Stream]:
        connection = await self._connect(query_only=True)
        try:
            driver = SqliteDriver(connection, None)
            await driver.run(connection.execute("BEGIN"))
            yield Stream(driver, self.dialect)
        finally:
            await asyncio.shield(connection.close())

    def _tell(self, announced: Sequence[tuple[int, int]]) -> None:
        for listener in self.listeners:
            for account_id, revision in announced:
                listener(account_id, revision)

    async def data_version(self) -> int:
        """Return a number that changes when anyone, in whatever process, has written.

        See `PRAGMA data_version`: the pragma reports commits of other connections, and this
        connection never writes.
        """
        if self._watcher is None:
            self._watcher = await self._connect(query_only=True)
        with translated(translate):
            ((version,),) = await self._watcher.execute_fetchall("PRAGMA data_version")
        return int(version)

    async def _connect(self, *, query_only: bool) -> aiosqlite.Connection:
        if not self._is_open:
            raise ServiceUnavailable(NOT_OPEN)
        opening = asyncio.ensure_future(_open(self._path, query_only=query_only))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # Half an opening cannot be undone: it is finished, and then closed.
            await _to_the_end(_close(opening))
            raise

    async def close(self) -> None:
        self._is_open = False
        for connection in [*self._idle, *filter(None, [self._writer, self._watcher])]:
            await connection.close()
        self._idle, self._writer, self._watcher = [], None, None


async def _open(path: Path, *, query_only: bool) -> aiosqlite.Connection:
    """Open the file; while others open it too, it is locked for moments that SQLite itself does
    not wait for.
    """
    for _ in range(OPENING_ATTEMPTS - 1):
        with suppress(ServiceUnavailable):
            return await _open_once(path, query_only=query_only)
        await asyncio.sleep(OPENING_PAUSE_SECONDS)
    return await _open_once(path, query_only=query_only)


async def _open_once(path: Path, *, query_only: bool) -> aiosqlite.Connection:
    with translated(translate):
        # Opened here: where that fails, aiosqlite leaves a thread that tells a loop which has gone.
        opened = await asyncio.to_thread(_open_file, path)
        connection = await aiosqlite.Connection(lambda: opened, iter_chunk_size=64)
        try:
            for pragma in _PRAGMAS:
                await connection.execute(pragma)
            if query_only:
                await connection.execute("PRAGMA query_only = ON")
        except BaseException:
            await connection.close()
            raise
        return connection


def _open_file(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


async def _close(opening: asyncio.Future[aiosqlite.Connection]) -> None:
    with suppress(GatewayError):
        await (await opening).close()


async def _end(connection: aiosqlite.Connection, command: str) -> None:
    """End the transaction, if there still is one, also while the caller is being cancelled."""
    if connection.in_transaction:
        await _to_the_end(connection.execute(command))


async def _to_the_end(work: Awaitable[object]) -> None:
    """Await what must not be left half done, however often the caller is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    _note(task)
    if cancelled:
        raise cancelled
    await task


def translate(error: Exception) -> GatewayError | None:
    """Return what a client may know of a driver's error."""
    match error:
        case sqlite3.OperationalError(sqlite_errorname="SQLITE_FULL"):
            return StorageFull(FULL)
        case sqlite3.OperationalError(sqlite_errorname="SQLITE_INTERRUPT"):
            return DeadlineExceeded(SLOW)
        case sqlite3.OperationalError() if str(error) == "integer overflow":
            return OutOfRange(OUT_OF_RANGE)
        case sqlite3.OperationalError(sqlite_errorname=str(name)) if name.startswith(
            ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_CANTOPEN")
        ):
            return ServiceUnavailable(BUSY)
        case sqlite3.DatabaseError(sqlite_errorname="SQLITE_NOTADB"):
            return ConfigurationError("GATEWAY_DATABASE_URL: the file is no SQLite database.")
    return None
