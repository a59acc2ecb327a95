"""The connections of a process to Postgres: one budget, divided between uses."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final, Literal, TypeAlias

import asyncpg
import structlog

from gateway.errors import ServiceUnavailable
from gateway.store.engine.database import BUSY, NOT_OPEN, within

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Use: TypeAlias = Literal["read", "write", "export", "probe"]

PROBE: Final = "probe"
"""The use of readiness checks. Its connection is lent for nothing else."""

CLOSING_SECONDS: Final = 1
"""Longest wait for Postgres when connections are closed."""
ENDING_SECONDS: Final = 1 / 100
"""How long an idle connection may stay in a transaction that is over."""
GROW_AGAIN_SECONDS: Final = 1
"""Pause after Postgres refused another connection."""
IDLE_SECONDS: Final = 300
"""A connection that is unused for this long is closed."""
RETIRE_SECONDS: Final = 5
"""Shortest time between two replacements of all connections."""

log = structlog.get_logger(__name__)


class _Share:
    """The connections of one use: how many more may be lent, and the idle ones with the time of
    their return, the latest last.
    """

    __slots__ = ("free", "idle", "waiting")

    def __init__(self, size: int) -> None:
        self.free = size
        self.idle: list[tuple[Connection, float]] = []
        self.waiting: deque[asyncio.Future[None]] = deque()


class ConnectionPool:
    """Lends connections: for each use at most its share, and no more than all shares together.

    A returned connection stays with its use, because its prepared statements do. Where Postgres
    allows no more connections, a use takes an idle one of another use, or the next one that is
    returned.

    A connection may be returned, and lent, in a transaction that is over. The borrower ends the
    transaction in the message that begins another, which saves a message. Where no borrower comes,
    `roll_back` ends the transaction after ENDING_SECONDS.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        shares: Mapping[Use, int],
        *,
        roll_back: Callable[[Connection], Awaitable[None]],
        wait_seconds: float,
    ) -> None:
        self._connect = connect
        self._roll_back = roll_back
        self._budget = sum(shares.values())
        self._shares: Mapping[Use, _Share] = {use: _Share(size) for use, size in shares.items()}
        self._wait_seconds = wait_seconds
        self._open: set[Connection] = set()
        self._opening = 0
        self._retired: set[Connection] = set()
        self._hungry: deque[asyncio.Future[Connection]] = deque()
        self._loop = asyncio.get_running_loop()
        self._grow_at = self._retired_at = self._loop.time() - IDLE_SECONDS
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False
        self._timer = self._loop.call_later(IDLE_SECONDS, self._close_unused)
        self._ending: asyncio.Handle | None = None
        self._ended: set[asyncio.Task[None]] = set()

    async def start(self, uses: Iterable[Use]) -> None:
        """Open one connection for each of the uses; raises what opening it raises."""
        for use in uses:
            self._shares[use].idle.append((await self._grow(), self._loop.time()))

    async def acquire(self, use: Use) -> Connection:
        """Return a connection. Raises ServiceUnavailable where there is none in time, and what
        opening one raises.
        """
        share = self._shares[use]
        if share.free:
            connection = self._idle(share)
            if connection is not None:
                share.free -= 1
                return connection
        if self._closed:
            raise ServiceUnavailable(NOT_OPEN)
        async with within(self._wait_seconds):
            return await self._wait(use, share)

    def release(self, use: Use, connection: Connection) -> None:
        """Take a connection back; a transaction that the connection is in is over."""
        share = self._shares[use]
        self._keep(share, connection)
        self._leave(share)

    def drop(self, connection: Connection) -> None:
        """Close a connection at once, without waiting for Postgres."""
        self._forget(connection)
        connection.terminate()

    def retire(self) -> None:
        """Replace every connection: the server that they lead to is not the primary any more."""
        now = self._loop.time()
        if now - self._retired_at < RETIRE_SECONDS:
            return
        self._retired_at = now
        self._retired |= self._open
        for share in self._shares.values():
            idle, share.idle = share.idle, []
            for connection, _ in idle:
                self._close(connection)

    async def close(self) -> None:
        """Close every connection, the lent ones too, and refuse those that wait."""
        self._closed = True
        self._timer.cancel()
        if self._ending is not None:
            self._ending.cancel()
        waiting: list[asyncio.Future[Any]] = [*self._hungry]
        for share in self._shares.values():
            waiting += share.waiting
        for future in waiting:
            if not future.done():
                future.set_exception(ServiceUnavailable(NOT_OPEN))
        for share in self._shares.values():
            for connection, _ in share.idle:
                self._close(connection)
        if self._closing:
            await asyncio.wait(self._closing, timeout=CLOSING_SECONDS)
        for connection in list(self._open):
            self.drop(connection)

    async def _wait(self, use: Use, share: _Share) -> Connection:
        if share.free:
            share.free -= 1
        else:
            await self._wait_for_place(share)
        try:
            return self._idle(share) or await self._find(use)
        except BaseException:
            self._leave(share)
            raise

    async def _wait_for_place(self, share: _Share) -> None:
        place: asyncio.Future[None] = self._loop.create_future()
        share.waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():
                self._leave(share)  # the place was given a moment before
            raise

    async def _find(self, use: Use) -> Connection:
        """Open a connection; where Postgres refuses, return one of another use."""
        while True:
            now = self._loop.time()
            if len(self._open) + self._opening < self._budget and now >= self._grow_at:
                try:
                    return await self._grow()
                except asyncpg.TooManyConnectionsError:
                    self._refused(now)
            for other, share in self._shares.items():
                if PROBE not in (use, other) and (connection := self._idle(share)) is not None:
                    return connection
            with suppress(TimeoutError):
                async with asyncio.timeout(GROW_AGAIN_SECONDS):
                    return await self._next_returned(self._shares[use])

    async def _grow(self) -> Connection:
        self._opening += 1
        try:
            connection = await self._connect()
        finally:
            self._opening -= 1
        self._open.add(connection)
        if self._closed:  # meanwhile
            self.drop(connection)
            raise ServiceUnavailable(NOT_OPEN)
        return connection

    def _refused(self, now: float) -> None:
        """Note that Postgres has no more connections. Raises ServiceUnavailable where none is
        open.
        """
        if not self._open:
            log.warning("database.connections_refused", open=0, budget=self._budget)
            raise ServiceUnavailable(BUSY)
        if self._grow_at <= now - IDLE_SECONDS:
            log.warning("database.connections_refused", open=len(self._open), budget=self._budget)
        self._grow_at = now + GROW_AGAIN_SECONDS

    async def _next_returned(self, share: _Share) -> Connection:
        returned: asyncio.Future[Connection] = self._loop.create_future()
        self._hungry.append(returned)
        try:
            return await returned
        except asyncio.CancelledError:
            if not returned.cancelled() and returned.exception() is None:
                self._put(share, returned.result())  # it came a moment before
            raise

    def _idle(self, share: _Share) -> "Connection | None":
        """Return an idle connection of a share that is still open."""
        while share.idle:
            connection, _ = share.idle.pop()
            if not connection.is_closed():
                return connection
            self.drop(connection)
        return None

    def _keep(self, share: _Share, connection: Connection) -> None:
        """Keep a connection for others, if it is of any use."""
        if self._closed or connection.is_closed() or connection in self._retired:
            self.drop(connection)
        else:
            self._put(share, connection)

    def _put(self, share: _Share, connection: Connection) -> None:
        while self._hungry and share is not self._shares.get(PROBE):
            returned = self._hungry.popleft()
            if not returned.done():
                returned.set_result(connection)
                return
        share.idle.append((connection, self._loop.time()))
        if self._ending is None and connection.is_in_transaction():
            self._ending = self._loop.call_later(ENDING_SECONDS, self._end_transactions)

    def _end_transactions(self) -> None:
        """End the transactions of connections that are idle for long enough."""
        self._ending = None
        now = self._loop.time()
        for share in self._shares.values():
            open_ = [each for each in share.idle if each[0].is_in_transaction()]
            due = [each for each in open_ if now - each[1] >= ENDING_SECONDS]
            for each in due:
                share.idle.remove(each)
                ending = asyncio.create_task(self._end(share, each[0]))
                self._ended.add(ending)
                ending.add_done_callback(self._ended.discard)
            if len(due) < len(open_) and self._ending is None:
                self._ending = self._loop.call_later(ENDING_SECONDS, self._end_transactions)

    async def _end(self, share: _Share, connection: Connection) -> None:
        try:
            await self._roll_back(connection)
        finally:
            self._keep(share, connection)

    def _leave(self, share: _Share) -> None:
        """Give a place back: the next one that waits gets it."""
        while share.waiting:
            place = share.waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        share.free += 1

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._retired.discard(connection)

    def _close(self, connection: Connection) -> None:
        """Say goodbye in the background."""
        self._forget(connection)
        closing = asyncio.create_task(_closed(connection))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    def _close_unused(self) -> None:
        """Close connections that were not needed for long, but the last of each use."""
        now = self._loop.time()
        for share in self._shares.values():
            unused = [each for each, since in share.idle[:-1] if now - since >= IDLE_SECONDS]
            share.idle = share.idle[len(unused) :]
            for connection in unused:
                self._close(connection)
        self._timer = self._loop.call_later(IDLE_SECONDS / 5, self._close_unused)


async def _closed(connection: Connection) -> None:
    try:
        await connection.close(timeout=CLOSING_SECONDS)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        connection.terminate()
