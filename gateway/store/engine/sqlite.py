"""SQLite through aiosqlite: WAL, several readers, one writer, and the connections they lend."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Final, TypeAlias, TypeVar

from gateway.errors import ConfigurationError, GatewayError, ServiceUnavailable
from gateway.principal import Caller
from gateway.store.engine.database import NOT_OPEN, Reader, Transaction, translated, within
from gateway.store.engine.sql import DialectName
from gateway.store.engine.sqlite_driver import DAMAGED, Damaged, SqliteDriver, translate
from gateway.store.engine.sqlite_short_reads import ShortReads
from gateway.store.engine.sqlite_stream import SqliteStream
from gateway.store.engine.sqlite_thread import (
    READER_BUSY_MILLISECONDS,
    Running,
    SqliteConnection,
    to_the_end,
)
from gateway.store.engine.statement import BoundStatement
from gateway.store.engine.stream import Stream

T = TypeVar("T")

OPENING_SECONDS: Final = 1
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
        self._idle: list[SqliteConnection] = []
        self._places = asyncio.Semaphore(pool_size)
        self._writer: SqliteConnection | None = None
        self._turn = asyncio.Lock()
        self._watcher: SqliteConnection | None = None
        self._prober: SqliteConnection | None = None
        self._probing = asyncio.Lock()
        self._is_open = False
        self._is_damaged = False
        self._short_reads = ShortReads()
        self.listeners: list[Listener] = []

    async def open(self) -> None:
        # SQLite itself would make an empty file.
        if not self._path.is_file():
            raise ConfigurationError(
                f"There is no database at {self._path}: run `gateway migrate`."
            )
        self._is_open = True
        try:
            await self._read_schema()
        except Damaged as error:
            await self.close()
            raise ConfigurationError(
                f"The database {self._path} is damaged, or no SQLite database: restore it from a "
                "backup."
            ) from error
        except ServiceUnavailable:
            return  # another program has locked it for now

    async def _read_schema(self) -> None:
        connection = await self._connect(query_only=True)
        try:
            await SqliteDriver(connection, None).run(_schema_size)
        finally:
            await connection.close()

    @asynccontextmanager
    async def reading(
        self, _caller: Caller, /, *, unlimited: bool = False
    ) -> AsyncIterator[SqliteDriver]:
        connection = await self._lent()
        try:
            yield self._reader(connection, unlimited=unlimited)
        finally:
            self._take_back(connection)

    async def read_once(
        self, _caller: Caller, statements: Sequence[BoundStatement[Any]], /
    ) -> list[Sequence[Any]]:
        """See `Database`. What the event loop reads itself holds a connection for no turn: many
        requests share one connection, and its pages in memory. One statement is a snapshot of its
        own, without a transaction.
        """
        connection = await self._lent()
        try:
            begins = len(statements) > 1 or connection.in_transaction
            return await self._reader(connection, begins=begins).read(statements)
        finally:
            self._take_back(connection)

    def _reader(
        self, connection: SqliteConnection, *, unlimited: bool = False, begins: bool = True
    ) -> SqliteDriver:
        """Return the driver of one snapshot."""
        if unlimited:
            return SqliteDriver(connection, None, begins=begins)
        timeout = self._statement_timeout_seconds
        return SqliteDriver(connection, timeout, begins=begins, short_reads=self._short_reads)

    async def _lent(self) -> SqliteConnection:
        """Return a connection for one snapshot, which the caller gives back."""
        if self._places.locked():
            async with within(self._wait_seconds):  # which costs as much as a small statement
                await self._places.acquire()
        else:
            await self._places.acquire()
        if self._idle:
            return self._idle.pop()
        try:
            return await self._connect(query_only=True)
        except BaseException:
            self._places.release()
            raise

    def _take_back(self, connection: SqliteConnection) -> None:
        try:
            connection.roll_back()
            self._idle.append(connection)
        finally:
            self._places.release()

    @asynccontextmanager
    async def writing(
        self, _caller: Caller, /, *, unlimited: bool = False
    ) -> AsyncIterator[Transaction]:
        timeout = None if unlimited else self._statement_timeout_seconds
        async with self._writers_turn(unlimited=unlimited):
            connection = self._writer
            if connection is None:
                connection = self._writer = await self._connect(query_only=False)
            driver = SqliteDriver(connection, timeout)
            with translated(translate):
                try:
                    # A foreign lock has a wait of its own: see busy_timeout.
                    await SqliteDriver(connection, None).execute("BEGIN IMMEDIATE")
                    transaction = Transaction(driver, self.dialect)
                    yield transaction
                    await driver.execute("COMMIT")
                    self._notify(transaction.announced)
                    transaction.committed()
                finally:
                    if connection.in_transaction:
                        await to_the_end(connection.run(Running.roll_back))

    @asynccontextmanager
    async def _writers_turn(self, *, unlimited: bool) -> AsyncIterator[None]:
        """Hold the turn of the one writer, in the order of asking."""
        async with nullcontext() if unlimited else within(self._wait_seconds):
            await self._turn.acquire()
        try:
            yield
        finally:
            self._turn.release()

    @asynccontextmanager
    async def exporting(
        self, _caller: Caller, /, *, unlimited: bool = False
    ) -> AsyncIterator[Stream]:
        connection = await self._connect(query_only=True)
        try:
            yield SqliteStream(SqliteDriver(connection, None, begins=True))
        finally:
            await asyncio.shield(connection.close())

    @asynccontextmanager
    async def probing(self) -> AsyncIterator[Reader]:
        if self._is_damaged:  # perhaps in a place that the probe does not read
            raise Damaged(DAMAGED)
        async with self._probing:
            connection = self._prober
            if connection is None:
                connection = self._prober = await self._connect(query_only=True)
            driver = SqliteDriver(connection, self._statement_timeout_seconds, begins=True)
            try:
                yield Stream(driver, self.dialect)
            finally:
                connection.roll_back()

    def _notify(self, announced: Sequence[tuple[int, int]]) -> None:
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

    async def _connect(self, *, query_only: bool) -> SqliteConnection:
        if not self._is_open:
            raise ServiceUnavailable(NOT_OPEN)
        opening = asyncio.ensure_future(_open(self._path, query_only=query_only))
        try:
            connection = await asyncio.shield(opening)
        except asyncio.CancelledError:
            # Half an opening cannot be undone: it is finished, and then closed.
            await to_the_end(_close(opening))
            raise
        except Damaged:
            self._note_damage()
            raise
        connection.on_damage = self._note_damage
        return connection

    def _note_damage(self) -> None:
        self._is_damaged = True

    async def close(self) -> None:
        self._is_open = False
        kept = [self._writer, self._watcher, self._prober]
        for connection in [*self._idle, *filter(None, kept)]:
            await connection.close()
        self._idle, self._writer, self._watcher, self._prober = [], None, None, None


async def _open(path: Path, *, query_only: bool) -> SqliteConnection:
    """Open the file; while others open it too, it is locked for moments that SQLite itself does
    not wait for.
    """
    ends_at = monotonic() + OPENING_SECONDS
    while True:
        try:
            return await _open_once(path, query_only=query_only)
        except ServiceUnavailable as error:
            if isinstance(error, Damaged) or monotonic() > ends_at:
                raise
        await asyncio.sleep(OPENING_PAUSE_SECONDS)


async def _open_once(path: Path, *, query_only: bool) -> SqliteConnection:
    with translated(translate):
        # Opened here: where that fails, aiosqlite leaves a thread that tells a loop which has gone.
        opened = await asyncio.to_thread(_open_file, path)
        connection = SqliteConnection(opened)
        await connection
        try:
            await connection.run(partial(_prepare, query_only))
        except BaseException:
            await connection.close()
            raise
        return connection


def _prepare(query_only: bool, running: Running) -> None:
    for pragma in _PRAGMAS:
        running.execute(pragma)
    if query_only:
        running.execute("PRAGMA query_only = ON")
        running.execute(f"PRAGMA busy_timeout = {READER_BUSY_MILLISECONDS}")


def _schema_size(running: Running) -> object:
    return running.execute("SELECT count(*) FROM sqlite_master").fetchone()


def _open_file(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


async def _close(opening: asyncio.Future[SqliteConnection]) -> None:
    with suppress(GatewayError):
        await (await opening).close()
