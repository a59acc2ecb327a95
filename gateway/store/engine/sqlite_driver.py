"""One connection of SQLite behind the store's interface: what runs where, and SQLite's errors."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeVar

from gateway.errors import (
    AlreadyRecorded,
    DeadlineExceeded,
    GatewayError,
    KeyTaken,
    OutOfRange,
    ServiceUnavailable,
    StorageFull,
)
from gateway.money import OUT_OF_RANGE
from gateway.store.engine.database import (
    BUSY,
    DRAWN_KEYS,
    EVENT_RECORDED,
    FULL,
    SLOW,
    translated,
)
from gateway.store.engine.sqlite_short_reads import Records, ShortReads
from gateway.store.engine.sqlite_thread import Hop, Running, SqliteConnection, to_the_end
from gateway.store.engine.statement import BoundStatement, CompiledStatement, R

T = TypeVar("T")

_KEYS_TAKEN: Final = frozenset(
    f"UNIQUE constraint failed: {name}.{'account_id' if name == 'account' else 'id'}"
    for name in DRAWN_KEYS
)
DAMAGED: Final = "The database is damaged; its operator must restore it from a backup."


class Damaged(ServiceUnavailable):
    """The file is no whole SQLite database."""


class SqliteDriver:
    """One connection: a statement that is cancelled or too slow is interrupted.

    `begins` opens a transaction in the hop of the first statement. With `short_reads`, the event
    loop itself reads what takes a moment.
    """

    def __init__(
        self,
        connection: SqliteConnection,
        timeout_seconds: float | None,
        *,
        begins: bool = False,
        short_reads: ShortReads | None = None,
    ) -> None:
        self._connection = connection
        self._timeout_seconds = timeout_seconds
        self._begins = begins
        self._short_reads = short_reads

    async def fetch(self, statement: CompiledStatement[R], arguments: list[object]) -> Sequence[R]:
        (rows,) = await self._fetch_all([BoundStatement(statement, arguments)])
        return rows

    async def fetch_together(
        self, statements: Sequence[BoundStatement[Any]]
    ) -> list[Sequence[Any]] | None:
        with suppress(Exception):
            return await self._fetch_all(statements)
        return None

    async def _fetch_all(self, statements: Sequence[BoundStatement[Any]]) -> list[Sequence[Any]]:
        found = await self.read(statements)
        await asyncio.sleep(0)  # others have their turn between two reads
        return found

    async def read(self, statements: Sequence[BoundStatement[Any]]) -> list[Sequence[Any]]:
        """Run statements here, as far as they are short, and the others in one hop to the thread.
        Return the rows of each.
        """
        found = self._fetch_here(statements)
        if rest := statements[len(found) :]:
            found += await self.run(partial(_fetch_all, rest))
        return [
            each.statement.rows(records) for each, records in zip(statements, found, strict=True)
        ]

    def _fetch_here(self, statements: Sequence[BoundStatement[Any]]) -> list[Records]:
        short = self._short_reads
        if short is None or not short.may_begin(statements[0]):
            return []
        connection = self._connection.here()
        if connection is None:
            return []
        begins = self._begins
        found = short.read(connection, statements, begins=begins)
        self._begins = begins and not connection.in_transaction
        return found

    async def stream(
        self, statement: CompiledStatement[R], arguments: list[object], size: int
    ) -> AsyncGenerator[Sequence[Sequence[object]]]:
        cursor = await self.run(lambda running: running.execute(statement.text, arguments))
        try:
            while records := await self.run(lambda _: cursor.fetchmany(size)):
                yield records
                if len(records) < size:
                    return
        finally:
            await to_the_end(self._connection.run(lambda _: cursor.close()))

    async def execute_many(
        self, statement: CompiledStatement[None], arguments: Sequence[Sequence[object]]
    ) -> None:
        await self.run(lambda running: running.executemany(statement.text, arguments))

    async def execute(self, command: str) -> None:
        """Run a command that has neither arguments nor rows."""
        await self.run(lambda running: running.execute(command))

    async def run(self, hop: Hop[T]) -> T:
        """Run a function in the connection's thread, in a transaction if this driver begins one."""
        begins, self._begins = self._begins, False
        try:
            with translated(translate):
                return await self._connection.run(
                    partial(_begin_and, hop) if begins else hop, self._timeout_seconds
                )
        except Damaged:
            self._connection.on_damage()
            raise


def _begin_and(hop: Hop[T], running: Running) -> T:
    running.begin()
    return hop(running)


def _fetch_all(statements: Sequence[BoundStatement[Any]], running: Running) -> list[Records]:
    return [running.execute(each.statement.text, each.arguments).fetchall() for each in statements]


def translate(error: Exception) -> GatewayError | None:
    """Return the error for clients of a driver's error."""
    match error:
        case sqlite3.OperationalError(sqlite_errorname="SQLITE_FULL"):
            return StorageFull(FULL)
        case sqlite3.OperationalError(sqlite_errorname="SQLITE_INTERRUPT"):
            return DeadlineExceeded(SLOW)
        case sqlite3.OperationalError() if str(error) == "integer overflow":
            return OutOfRange(OUT_OF_RANGE)
        case sqlite3.IntegrityError() if str(error) in _KEYS_TAKEN:
            return KeyTaken(BUSY)
        case sqlite3.IntegrityError() if "usage_event.event_id" in str(error):
            return AlreadyRecorded(EVENT_RECORDED)
        case sqlite3.OperationalError(sqlite_errorname=str(name)) if name.startswith(
            ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_CANTOPEN")
        ):
            return ServiceUnavailable(BUSY)
        case sqlite3.DatabaseError(sqlite_errorname=str(name)) if name.startswith(
            ("SQLITE_NOTADB", "SQLITE_CORRUPT")
        ):
            return Damaged(DAMAGED)
    return None
