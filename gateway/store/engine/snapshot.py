"""The reads of one request, in one snapshot of the database."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, TypeAlias, TypeVar

from gateway.errors import ServiceUnavailable
from gateway.principal import Caller
from gateway.store.engine.database import Database, Driver, LostConnection
from gateway.store.engine.sql import DialectName
from gateway.store.engine.statement import BoundStatement, R, Statement
from gateway.waves import Promise, Wave

V = TypeVar("V")

GATHERING_TURNS: Final[Mapping[DialectName, int]] = {"postgresql": 0, "sqlite": 3}
"""Turns of the event loop in which the statements of one moment are gathered. A resolver begins in
the first, the batch of its DataLoader in the second or third. A hop to SQLite's thread costs more
than the turns; Postgres runs statements in turn anyway.
"""


_Outcome: TypeAlias = Sequence[Any] | Exception


class _Request(NamedTuple):
    """A statement of a snapshot, and the future of its rows."""

    statement: BoundStatement[Any]
    rows: asyncio.Future[Sequence[Any]]


class ReadsOnce(Exception):
    """A second read of a snapshot that is one statement."""


class Snapshot:
    """The reads of one request of a caller: one connection, taken at the first statement, its
    statements one after another.

    On SQLite, statements that are requested within a few turns of the event loop are at most one
    hop to its thread. On Postgres, those that are requested together often are one statement.
    A connection that is found dead before the first rows came is replaced once. `statements` counts
    the requested statements. Closing it ends a statement that still runs; a closed one reads no
    more.

    What a `wave` requests is read together, when nothing in the wave can go on without it; what one
    coroutine alone requests is read at once. `reads` counts such round trips. A snapshot that
    `reads_once` takes no transaction where the database can do without: then a second read is an
    exception, and the snapshot `is_cut_short`.
    """

    def __init__(self, database: Database, caller: Caller, wave: Wave | None = None) -> None:
        self.wave = wave or Wave()
        self._database = database
        self._caller = caller
        self._lease: AbstractAsyncContextManager[Driver] | None = None
        self._driver: Driver | None = None
        self._turn = asyncio.Lock()
        self._requests: list[_Request] = []
        self._sending: asyncio.Task[None] | None = None
        self._together: list[BoundStatement[Any]] = []
        self._found: Promise[list[_Outcome]] | None = None
        self._failure: Exception | None = None
        self._closed = False
        self._reads_once = False
        self.is_cut_short = False
        self.reads = 0
        self.statements = 0

    @property
    def dialect(self) -> DialectName:
        return self._database.dialect

    def begin(self, *, reads_once: bool) -> None:
        """Begin, or begin again after a snapshot that was one statement. One that is in a
        transaction already stays in it.
        """
        self._reads_once = reads_once and self._driver is None
        self.is_cut_short = False
        self.reads = self.statements = 0

    async def fetch(self, statement: Statement[R], /, **parameters: object) -> Sequence[R]:
        if self._closed:
            raise asyncio.CancelledError("the request has ended")
        bound = statement.compiled(self._database.dialect).bind(parameters)
        if self.wave.is_alone:
            (outcome,) = await self._read([bound])
            return _rows(outcome)
        if not self.wave.running:
            return await self._fetch_in_turn(bound)
        if self._found is None:
            self._found = self.wave.put_off(self._read_together, last=True)
        promise, place = self._found, len(self._together)
        self._together.append(bound)
        return _rows((await promise)[place])

    async def _fetch_in_turn(self, statement: BoundStatement[R]) -> Sequence[R]:
        request = _Request(statement, asyncio.get_running_loop().create_future())
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
        outcomes = await self._read([request.statement for request in requests])
        for request, outcome in zip(requests, outcomes, strict=True):
            _settle(request, outcome)

    def _read_together(self) -> Coroutine[Any, Any, list[_Outcome]]:
        statements, self._together, self._found = self._together, [], None
        return self._read(statements)

    async def _read(self, statements: Sequence[BoundStatement[Any]]) -> list[_Outcome]:
        """Return the rows of each statement, or the exception."""
        self.statements += len(statements)
        await self._turn.acquire()  # `async with` is two more calls
        try:
            self.reads += 1
            if self._reads_once and (found := await self._at_one_time(statements)) is not None:
                return found
            if len(statements) > 1 and self._failure is None:
                found = await self._at_once(statements)
                if found is not None:
                    return found
            return [await self._alone(statement) for statement in statements]
        finally:
            self._turn.release()

    async def _at_one_time(
        self, statements: Sequence[BoundStatement[Any]]
    ) -> list[_Outcome] | None:
        """Return the rows of statements that are a snapshot of their own; None where they need a
        transaction, which then follows.
        """
        if self.reads > 1:
            self.is_cut_short = True
            return [ReadsOnce()] * len(statements)
        try:
            found = await self._database.read_once(self._caller, statements)
        except LostConnection:
            found = None
        except ServiceUnavailable as error:  # it has waited for a connection
            self._failure = error
            return [error] * len(statements)
        except Exception:  # in a transaction each of them has an outcome of its own
            found = None
        self._reads_once = found is not None
        return None if found is None else [*found]

    async def _at_once(self, statements: Sequence[BoundStatement[Any]]) -> list[_Outcome] | None:
        """Return the rows of statements that the driver reads at once, or what keeps it from
        reading; None where each is to run alone.
        """
        try:
            found = await self._with_driver(lambda driver: driver.fetch_together(statements))
        except Exception as error:
            self._failure = error
            return [error] * len(statements)
        return None if found is None else [*found]

    async def _alone(self, statement: BoundStatement[Any]) -> _Outcome:
        """Return the rows of one statement, or the exception. On Postgres a statement that failed
        ended the transaction: its exception is the later statements' too.
        """
        if self._failure is not None:
            return self._failure
        try:
            return await self._with_driver(lambda driver: driver.fetch(*statement))
        except Exception as error:
            if self.dialect == "postgresql":
                self._failure = error
            return error

    async def _with_driver(self, read: Callable[[Driver], Awaitable[V]]) -> V:
        if self._driver is not None:
            return await read(self._driver)
        try:
            return await read(await self._open())
        except LostConnection:
            await self._release()
            return await read(await self._open())

    async def _open(self) -> Driver:
        lease = self._database.reading(self._caller)
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


def _rows(outcome: _Outcome) -> Sequence[Any]:
    """Return the rows of a statement; raises its exception."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _settle(request: _Request, outcome: _Outcome) -> None:
    if request.rows.done():
        return  # the caller was cancelled
    if isinstance(outcome, Exception):
        request.rows.set_exception(outcome)
    else:
        request.rows.set_result(outcome)
