"""A connection of SQLite and its thread: several statements in one hop, and a way to stop them.

A hop costs more than a small statement, which the event loop runs itself (`sqlite_short_reads`). It
never waits for another one: it may only interrupt it.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Final, TypeAlias, TypeVar

import aiosqlite

from gateway.errors import DeadlineExceeded
from gateway.store.engine.database import SLOW

T = TypeVar("T")

AGAIN_SECONDS: Final = 0.05
"""Between two interruptions: one that comes between two statements stops neither."""

READER_BUSY_MILLISECONDS: Final = 2_000
"""Readers wait for no writer, only for a program that keeps the whole file to itself."""


class Running:
    """The statements of one hop. `stop` may be called outside the thread, all else in it."""

    __slots__ = ("_connection", "_stopped", "began_at")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._stopped = False
        self.began_at = monotonic()
        """The time at which the latest statement began."""

    def execute(self, text: str, arguments: Sequence[object] = ()) -> sqlite3.Cursor:
        self._begin()
        return self._connection.execute(text, arguments)

    def executemany(self, text: str, arguments: Sequence[Sequence[object]]) -> None:
        self._begin()
        self._connection.executemany(text, arguments)

    def begin(self) -> None:
        """Begin a transaction; one that was left open is rolled back."""
        self.roll_back()
        self.execute("BEGIN")

    def roll_back(self) -> None:
        """Roll back the transaction, if there is one."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _begin(self) -> None:
        if self._stopped:
            raise DeadlineExceeded(SLOW)
        self.began_at = monotonic()

    def stop(self) -> None:
        """Interrupt the statement that runs, if one does; none runs after it."""
        self._stopped = True
        self._connection.interrupt()


Hop: TypeAlias = Callable[[Running], T]
"""Runs in the thread of a connection."""


class SqliteConnection(aiosqlite.Connection):
    """An aiosqlite connection that runs functions in its thread, in the order of the calls."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(lambda: connection, iter_chunk_size=64)
        self.on_damage: Callable[[], None] = _nothing
        """Called when a statement finds the file damaged."""
        self._hops = 0
        self._waits_for_locks = True

    def here(self) -> sqlite3.Connection | None:
        """Return the connection, for use in the caller's thread, where a statement waits for no
        lock of another program, but fails; None while its own thread may use it.
        """
        if self._hops:
            return None
        if self._waits_for_locks:
            self._conn.execute("PRAGMA busy_timeout = 0")
            self._waits_for_locks = False
        return self._conn

    async def run(self, hop: Hop[T], timeout_seconds: float | None = None) -> T:
        """Run `hop` in the thread and return its result. It is stopped, and has ended, when the
        caller is cancelled or one of its statements takes longer than the timeout
        (DeadlineExceeded).
        """
        running = Running(self._conn)
        timer = _Timer(running, timeout_seconds) if timeout_seconds is not None else None
        self._hops += 1
        try:
            if not self._waits_for_locks:
                hop = partial(self._wait_for_locks, hop)
            found: T = await self._execute(hop, running)  # type: ignore[no-untyped-call]
        except asyncio.CancelledError:
            await to_the_end(self._stop(running))
            raise
        else:
            return found
        finally:
            self._hops -= 1
            if timer is not None:
                timer.cancel()

    def _wait_for_locks(self, hop: Hop[T], running: Running) -> T:
        """Run `hop`. Its statements wait for locks again."""
        self._conn.execute(f"PRAGMA busy_timeout = {READER_BUSY_MILLISECONDS}")
        self._waits_for_locks = True
        return hop(running)

    async def _stop(self, running: Running) -> None:
        # The thread comes to this call when the hop has ended.
        ended = asyncio.ensure_future(self._execute(_nothing))  # type: ignore[no-untyped-call]
        while not ended.done():
            running.stop()
            await asyncio.wait([ended], timeout=AGAIN_SECONDS)

    def roll_back(self) -> None:
        """Roll back what was only read, before anything that is run later; nobody waits for it."""
        roll_back = partial(Running.roll_back, Running(self._conn))
        if self._hops == 0:
            with suppress(sqlite3.Error):  # the next transaction rolls back first
                roll_back()
            return
        self._hops += 1
        ended = asyncio.get_running_loop().create_future()
        ended.add_done_callback(self._rolled_back)
        self._tx.put_nowait((ended, roll_back))

    def _rolled_back(self, ended: asyncio.Future[object]) -> None:
        self._hops -= 1
        _note(ended)


class _Timer:
    """Stops statements when one of them has run for the timeout."""

    __slots__ = ("_handle", "_loop", "_running", "_seconds")

    def __init__(self, running: Running, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._running = running
        self._seconds = seconds
        self._handle = self._loop.call_later(seconds, self._look)

    def _look(self) -> None:
        left = self._running.began_at + self._seconds - monotonic()
        if left <= 0:
            self._running.stop()
            left = AGAIN_SECONDS
        self._handle = self._loop.call_later(left, self._look)

    def cancel(self) -> None:
        self._handle.cancel()


def _nothing() -> None:
    pass


async def to_the_end(work: Awaitable[object]) -> None:
    """Await what must not be left half done, however often the caller is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        _note(task)
        raise cancelled
    await task


def _note(done: asyncio.Future[T]) -> None:
    """Retrieve an outcome that nobody waits for."""
    if not done.cancelled():
        done.exception()
