"""The two drivers behind one small interface.

A `Database` lends connections: `reading()` for one snapshot of statements that run in turn,
`writing()` for one transaction. Drivers' exceptions are translated here, so that their texts do not
leave the store.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from itertools import islice
from types import TracebackType
from typing import Any, Final, NamedTuple, Protocol, Self, runtime_checkable

from sqlalchemy import BigInteger, func, select

from gateway.errors import GatewayError, ServiceUnavailable
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

CHANNEL: Final = "gateway_account"
"""The Postgres channel of changed accounts; a payload is `<account_id> <revision>`."""


def _notify(dialect: DialectName) -> Query:
    changed = batch(dialect, account_id=BigInteger(), revision=BigInteger())
    payload = func.concat(changed.c.account_id, " ", changed.c.revision)
    return select(func.pg_notify(CHANNEL, payload))


_NOTIFY: Final = Statement[None](_notify)


GATHERING_TURNS: Final[Mapping[DialectName, int]] = {"postgresql": 0, "sqlite": 3}
"""Turns of the event loop in which the statements of one moment are gathered. A resolver begins in
the first, the batch of its DataLoader in the second or third. A hop to SQLite's thread costs more
than the turns; Postgres runs statements in turn anyway.
"""


class LostConnection(ServiceUnavailable):
    """The connection went away; a snapshot that had not begun may be tried once more."""


class Driver(Protocol):
    """The interface of a driver's connection."""

    async def fetch(
        self, statement: CompiledStatement[R], arguments: list[object]
    ) -> Sequence[R]: ...

    async def fetch_all(self, statements: Sequence[BoundStatement[Any]]) -> list[Sequence[Any]]:
        """Return the rows of each statement, in their order; the timeout is for each of them. On
        SQLite they are one hop to the thread. On Postgres they run in turn.
        """
        ...

    async def execute_many(
        self, statement: CompiledStatement[None], arguments: Sequence[Sequence[object]]
    ) -> None: ...


@runtime_checkable
class BulkDriver(Driver, Protocol):
    """A driver that can load rows without a statement for each."""

    async def copy(
        self, table: str, columns: Sequence[str], records: Iterable[Sequence[object]]
    ) -> None: ...


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
        """Insert many rows the fastest way the driver has: COPY on Postgres. Others have their turn
        after each piece; an iterator is read while its rows are written.
        """
        if not records:
            return
        if self._bulk:
            await self._bulk.copy(statement.table.name, statement.columns, records)
        else:
            compiled = statement.statement.compiled(self.dialect)
            rows = iter(records)
            while piece := list(islice(rows, PIECE)):
                arguments = compiled.positional(statement.columns, piece)
                await self._driver.execute_many(compiled, arguments)

    async def upsert(self, statement: Upsert[W], records: Sequence[W]) -> None:
        """Insert or change many rows: on Postgres in one statement, on SQLite one by one."""
        if not records:
            return
        compiled = statement.statement.compiled(self.dialect)
        if self.dialect == "postgresql":
            lists = map(list, zip(*records, strict=True))
            cells = dict(zip(statement.columns, lists, strict=True))
            await self._driver.execute_many(compiled, [compiled.arguments(cells)])
        else:
            await self._driver.execute_many(
                compiled, compiled.positional(statement.columns, records)
            )


class Database(Protocol):
    """One database. Before `open` and after `close` its use raises ServiceUnavailable."""

    dialect: DialectName

    async def open(self) -> None:
        """Open the database. Raises ConfigurationError if it cannot be opened with these
        settings.
        """
        ...

    def reading(self, *, unlimited: bool = False) -> AbstractAsyncContextManager[Driver]:
        """Lend a connection in one read-only snapshot; `unlimited` as for `writing`."""
        ...

    def writing(self, *, unlimited: bool = False) -> AbstractAsyncContextManager[Transaction]:
        """Lend a connection in one transaction: committed at the end, rolled back by an exception.

        `unlimited` lifts the timeouts of statements and of pauses between them (rebuilds).
        """
        ...

    def exporting(self) -> AbstractAsyncContextManager[Stream]:
        """Lend a connection in one read-only snapshot, from no pool that requests wait for, and
        with no limit on pauses.
        """
        ...

    async def close(self) -> None: ...


class _Request(NamedTuple):
    """A statement of a snapshot, and the future of its rows."""

    statement: BoundStatement[Any]
    rows: asyncio.Future[Sequence[Any]]


class Snapshot:
    """The reads of one request: one connection, taken at the first statement, its statements one
    after another.

    On SQLite, statements that are requested within a few turns of the event loop are one hop to its
    thread.
    A connection that is found dead before the first rows came is replaced once. `statements` counts
    the requested statements. Closing it ends a statement that still runs; a closed one reads no
    more.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lease: AbstractAsyncContextManager[Driver] | None = None
        self._driver: Driver | None = None
        self._requests: list[_Request] = []
        self._sending: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self._closed = False
        self.statements = 0

    @property
    def dialect(self) -> DialectName:
        return self._database.dialect

    async def fetch(self, statement: Statement[R], /, **parameters: object) -> Sequence[R]:
        if self._closed:
            raise asyncio.CancelledError("the request has ended")
        bound = statement.compiled(self._database.dialect).bind(parameters)
        request = _Request(bound, asyncio.get_running_loop().create_future())
        self._requests.append(request)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        return await request.rows

    async def _send(self) -> None:
        """Run the requested statements, until there are no more."""
        sent: list[_Request] = []
        try:
            for _ in range(GATHERING_TURNS[self.dialect]):
                await asyncio.sleep(0)
            while self._requests:
                sent, self._requests = self._requests, []
                await self._answer(sent)
        finally:
            self._sending = None
            for request in (*sent, *self._requests):
                request.rows.cancel()  # which does nothing to an answered one

    async def _answer(self, requests: Sequence[_Request]) -> None:
        self.statements += len(requests)
        if self.dialect == "sqlite" and len(requests) > 1:
            with suppress(Exception):  # then each runs alone, and one fails
                found = await self._fetch_all([request.statement for request in requests])
                for request, rows in zip(requests, found, strict=True):
                    _settle(request, rows)
                return
        for request in requests:
            _settle(request, await self._alone(request))

    async def _alone(self, request: _Request) -> Sequence[Any] | Exception:
        """Return the rows of one statement, or the exception. On Postgres a statement that failed
        ended the transaction: its exception is the later statements' too.
        """
        if self._failure is not None:
            return self._failure
        try:
            (rows,) = await self._fetch_all([request.statement])
        except Exception as error:
            if self.dialect == "postgresql":
                self._failure = error
            return error
        return rows

    async def _fetch_all(self, statements: Sequence[BoundStatement[Any]]) -> list[Sequence[Any]]:
        if self._driver is None:
            return await self._first(statements)
        return await self._driver.fetch_all(statements)

    async def _first(self, statements: Sequence[BoundStatement[Any]]) -> list[Sequence[Any]]:
        try:
            driver = await self._open()
            return await driver.fetch_all(statements)
        except LostConnection:
            await self._release()
            driver = await self._open()
            return await driver.fetch_all(statements)

    async def _open(self) -> Driver:
        lease = self._database.reading()
        self._driver = await lease.__aenter__()
        self._lease = lease
        return self._driver

    async def _release(self) -> None:
        lease, self._lease, self._driver = self._lease, None, None
        if lease is not None:
            await lease.__aexit__(None, None, None)

    async def close(self) -> None:
        """Give the connection back, once a statement that still runs is cancelled and gone."""
        self._closed = True
        cancelled: asyncio.CancelledError | None = None
        if self._sending is not None:
            self._sending.cancel()
            cancelled = await _until_done(self._sending)
        for request in self._requests:  # of a task that was cancelled before it began
            request.rows.cancel()
        await self._release()
        if cancelled is not None:
            raise cancelled

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


async def _until_done(task: asyncio.Task[None]) -> asyncio.CancelledError | None:
    """Wait for the end of a task; return the cancellation of the caller, if there was one."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    return cancelled


def _settle(request: _Request, outcome: Sequence[Any] | Exception) -> None:
    if request.rows.done():
        return  # the caller was cancelled
    if isinstance(outcome, Exception):
        request.rows.set_exception(outcome)
    else:
        request.rows.set_result(outcome)


@contextmanager
def translated(translate: Callable[[Exception], GatewayError | None]) -> Iterator[None]:
    """Raise the error that `translate` returns for a driver's exception, or the exception
    itself.
    """
    try:
        yield
    except GatewayError:
        raise
    except Exception as error:
        known = translate(error)
        if known is None:
            raise
        raise known from error


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Refuse with SERVICE_UNAVAILABLE what waits longer than `seconds` (for a connection)."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise ServiceUnavailable(BUSY) from None
