"""The two drivers behind one small interface.

A `Database` lends connections to callers: `reading` for one snapshot of statements that run in
turn, `writing` for one transaction. Drivers' exceptions are translated here, so that their texts do
not leave the store.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
)
from itertools import chain, islice
from types import TracebackType
from typing import Any, Final, Protocol, runtime_checkable

import structlog
from sqlalchemy import BigInteger, func, select

from gateway.errors import DeadlineExceeded, GatewayError, ServiceUnavailable
from gateway.principal import Caller
from gateway.store.engine.parameters import batch
from gateway.store.engine.sql import DialectName, Query
from gateway.store.engine.statement import BoundStatement, CompiledStatement, R, Statement
from gateway.store.engine.stream import Stream
from gateway.store.engine.write import PIECE, Insert, Upsert, W

NOT_OPEN: Final = "The gateway has not started yet."
BUSY: Final = "The database cannot answer at the moment; please try again."
FULL: Final = "The database is full: nothing can be written until space is freed."
SLOW: Final = "A statement ran longer than it may and was cancelled."
CUSTOMER_TAKEN: Final = "This Stripe customer belongs to another account."
EVENT_RECORDED: Final = "A usage event of this batch is already recorded."

DRAWN_KEYS: Final = ("account", "audit_event", "job")
"""The tables that have an id alone as their key, drawn by any process. Other ids are an account's
own: the account's row is locked while one is drawn.
"""

MOST_REASON: Final = 300
"""Most characters of a driver's sentence in the log."""

log = structlog.get_logger(__name__)

CHANNEL: Final = "gateway_account"
"""The Postgres channel of changed accounts; a payload is `<account_id> <revision>`."""


def _notify(dialect: DialectName) -> Query:
    changed = batch(dialect, account_id=BigInteger(), revision=BigInteger())
    payload = func.concat(changed.c.account_id, " ", changed.c.revision)
    return select(func.pg_notify(CHANNEL, payload))


_NOTIFY: Final = Statement[None](_notify)


class LostConnection(ServiceUnavailable):
    """The connection went away; a snapshot that had not begun may be tried once more."""


class Driver(Protocol):
    """The interface of a driver's connection."""

    async def fetch(
        self, statement: CompiledStatement[R], arguments: list[object]
    ) -> Sequence[R]: ...

    async def fetch_together(
        self, statements: Sequence[BoundStatement[Any]]
    ) -> list[Sequence[Any]] | None:
        """Return the rows of each statement, in their order, read in at most one hop to SQLite's
        thread or in one round trip to Postgres. None where each is to run alone: so that one of
        them fails alone, or has the whole timeout.

        Raises LostConnection.
        """
        ...

    async def execute_many(
        self, statement: CompiledStatement[None], arguments: Sequence[Sequence[object]]
    ) -> None: ...


@runtime_checkable
class BulkDriver(Driver, Protocol):
    """A driver that can load rows without a statement for each."""

    async def load(self, statement: Insert[W], records: Iterable[W]) -> None: ...


class Reader(Protocol):
    """Whatever can run a reading statement: a request's snapshot, or a writing transaction."""

    @property
    def dialect(self) -> DialectName: ...

    async def fetch(self, statement: Statement[R], /, **parameters: object) -> Sequence[R]:
        """Return the statement's rows."""
        ...


class Transaction:
    """One writing transaction; also a `Reader` of its own changes."""

    def __init__(self, driver: Driver, dialect: DialectName) -> None:
        self._driver = driver
        self._bulk = driver if isinstance(driver, BulkDriver) else None
        self.dialect: DialectName = dialect
        self.announced: list[tuple[int, int]] = []
        self.after_commit: list[Callable[[], None]] = []

    async def announce(self, account_ids: Sequence[int], revisions: Sequence[int]) -> None:
        """Notify watchers of accounts, in every process, of the new revisions: after the commit,
        and never without one.
        """
        self.announced += zip(account_ids, revisions, strict=True)
        if account_ids and self.dialect == "postgresql":
            await self.fetch(_NOTIFY, account_id=list(account_ids), revision=list(revisions))

    def committed(self) -> None:
        """Run the callbacks of the commit; called by the database right after the commit."""
        for call in self.after_commit:
            call()

    async def fetch(self, statement: Statement[R], /, **parameters: object) -> Sequence[R]:
        compiled = statement.compiled(self.dialect)
        return await self._driver.fetch(compiled, compiled.arguments(parameters))

    async def execute(self, statement: Statement[None], /, **parameters: object) -> None:
        """Run a statement that returns no rows."""
        await self.execute_many(statement, [parameters])

    async def execute_many(
        self, statement: Statement[None], parameters: Sequence[Mapping[str, object]]
    ) -> None:
        """Run a statement once for each set of parameters."""
        if parameters:
            compiled = statement.compiled(self.dialect)
            arguments = [compiled.arguments(each) for each in parameters]
            await self._driver.execute_many(compiled, arguments)

    async def insert(self, statement: Insert[W], records: Sequence[W] | Iterator[W]) -> None:
        """Insert many rows the fastest way the driver has: on Postgres one statement for a few, and
        COPY for many. Others have their turn after each piece; an iterator is read while its rows
        are written.
        """
        rows = iter(records)
        piece = list(islice(rows, PIECE))
        if self._bulk and len(piece) == PIECE:
            await self._bulk.load(statement, chain(piece, rows))
            return
        compiled = statement.statement.compiled(self.dialect)
        while piece:
            await self._write(compiled, statement.columns, piece)
            piece = list(islice(rows, PIECE))

    async def upsert(self, statement: Upsert[W], records: Sequence[W]) -> None:
        """Insert or change many rows: on Postgres in one statement, on SQLite one by one."""
        if not records:
            return
        compiled = statement.statement.compiled(self.dialect)
        await self._write(compiled, statement.columns, records)

    async def _write(
        self, compiled: CompiledStatement[None], columns: Sequence[str], records: Sequence[W]
    ) -> None:
        if self.dialect == "postgresql":
            lists = map(list, zip(*records, strict=True))
            cells = dict(zip(columns, lists, strict=True))
            await self._driver.execute_many(compiled, [compiled.arguments(cells)])
        else:
            await self._driver.execute_many(compiled, compiled.positional(columns, records))


class Database(Protocol):
    """One database. Before `open` and after `close` its use raises ServiceUnavailable.

    Each transaction is of a `caller`: Postgres shows and writes rows of the caller's accounts only,
    whatever the statements are (`row_security`). SQLite has no such thing.
    """

    dialect: DialectName

    async def open(self) -> None:
        """Open the database. Raises ConfigurationError if it cannot be opened with these
        settings.
        """
        ...

    def reading(
        self, caller: Caller, /, *, unlimited: bool = False
    ) -> AbstractAsyncContextManager[Driver]:
        """Lend a connection in one read-only snapshot; `unlimited` as for `writing`."""
        ...

    async def read_once(
        self, caller: Caller, statements: Sequence[BoundStatement[Any]], /
    ) -> list[Sequence[Any]] | None:
        """Return the rows of each statement, in their order, of one snapshot, where that takes no
        transaction: less than `reading` does. None where they need one.

        An exception need not be the one that the statements have in a transaction.
        """
        ...

    def writing(
        self, caller: Caller, /, *, unlimited: bool = False
    ) -> AbstractAsyncContextManager[Transaction]:
        """Lend a connection in one transaction: committed at the end, rolled back by an exception.

        `unlimited` lifts the timeouts of statements and of pauses between them (rebuilds).
        """
        ...

    def exporting(
        self, caller: Caller, /, *, unlimited: bool = False
    ) -> AbstractAsyncContextManager[Stream]:
        """Lend a connection in one read-only snapshot, of those that no request waits for, and
        with no limit on pauses. Each part of its rows may take a minute; with `unlimited`, any
        time.
        """
        ...

    def probing(self) -> AbstractAsyncContextManager[Reader]:
        """Lend the connection of readiness checks, in one read-only snapshot."""
        ...

    async def close(self) -> None: ...


def translated(translate: Callable[[Exception], GatewayError | None]) -> "_Translated":
    """Raise the error that `translate` returns for a driver's exception of the block, or the
    exception itself.
    """
    return _Translated(translate)


class _Translated:
    """Costs a fifth of a context manager that is a generator."""

    __slots__ = ("_translate",)

    def __init__(self, translate: Callable[[Exception], GatewayError | None]) -> None:
        self._translate = translate

    def __enter__(self) -> None:
        """Nothing has happened yet."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, GatewayError):
            known = self._translate(error)
            if known is not None:
                log_cause(known, error)
                raise known from error


def log_cause(known: GatewayError, error: Exception) -> None:
    """Log why the database did not answer: the driver's sentence, which has no values."""
    if isinstance(known, ServiceUnavailable | DeadlineExceeded):
        sentence = str(error.args[0]) if error.args else ""
        log.warning(
            "database.failed",
            code=known.code,
            error=type(error).__name__,
            reason=sentence[:MOST_REASON],
            sqlstate=getattr(error, "sqlstate", None),
        )


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Refuse with SERVICE_UNAVAILABLE what waits longer than `seconds` (for a connection)."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        log.warning("database.busy", code=ServiceUnavailable.code, waited_seconds=seconds)
        raise ServiceUnavailable(BUSY) from None
