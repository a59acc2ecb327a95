"""Reads of SQLite that the event loop runs itself: most are over before a thread would have begun.

A thread and the event loop hand Python's lock to each other at each row, and each hand-over costs
more than the row. So a read begins where its rows are needed. SQLite stops at times and looks how
long it has worked: a statement that has not ended by then is read by the connection's thread, in
the same transaction, and begins there for a while.
"""

import resource
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, Final, TypeAlias

from cachetools import TTLCache

from gateway.store.engine.sqlite_thread import READER_BUSY_MILLISECONDS, Running
from gateway.store.engine.statement import BoundStatement

SHORT_SECONDS: Final = 0.003
"""Longest stretch of the event loop for the statements of one moment."""
STEPS: Final = 200
"""Instructions of SQLite between two looks: some microseconds, or the reads of a few pages that are
not in memory.
"""
LONG_SECONDS: Final = 1
"""Time for which a statement that took too long begins in a thread."""
MOST_LONG: Final = 1_000

_USED_BY: Final = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)
"""This thread, where the system counts it alone."""

Records: TypeAlias = list[Any]
"""The tuples of a statement."""


class ShortReads:
    """Reads in the event loop's thread, and knows which statements lately took too long for it."""

    def __init__(self) -> None:
        self._long: TTLCache[str, None] = TTLCache(MOST_LONG, LONG_SECONDS)

    def may_begin(self, first: BoundStatement[Any]) -> bool:
        """Return whether it is worth a try to read this here."""
        return first.statement.text not in self._long

    def read(
        self,
        connection: sqlite3.Connection,
        statements: Sequence[BoundStatement[Any]],
        *,
        begins: bool,
    ) -> list[Records]:
        """Return the records of the first statements: of those that are read in time.

        `begins` opens a transaction first. A statement that fails is among those that are left: it
        fails in the thread too, which waits for a lock and reports what is wrong.
        """
        stretch = _Stretch()
        found: list[Records] = []
        begun = statements[0]
        with suppress(Exception), _Attended(connection, stretch, begins=begins):
            if begins:
                Running(connection).begin()
            for begun in statements:
                if not self.may_begin(begun):
                    break
                found.append(connection.execute(begun.statement.text, begun.arguments).fetchall())
                if stretch.is_over():
                    break
        if stretch.ended:
            self._long[begun.statement.text] = None
        return found


class _Stretch:
    """A stretch of the event loop. It ends when it has worked, or waited for the disk, for as long
    as it may; not while another program has its processor.
    """

    __slots__ = ("_began", "_look_at", "ended")

    def __init__(self) -> None:
        self._began = resource.getrusage(_USED_BY)
        self._look_at = monotonic() + SHORT_SECONDS
        self.ended = False

    def is_over(self) -> bool:
        """Return whether it is over; SQLite calls this as it goes, and stops at true."""
        if not self.ended and monotonic() > self._look_at:
            before, now = self._began, resource.getrusage(_USED_BY)
            worked = now.ru_utime + now.ru_stime - before.ru_utime - before.ru_stime
            self.ended = worked >= SHORT_SECONDS or now.ru_inblock > before.ru_inblock
            self._look_at = monotonic() + SHORT_SECONDS - worked
        return self.ended


class _Attended:
    """Has SQLite stop at the end of a stretch, and fail in place of waiting for the lock of another
    program.
    """

    __slots__ = ("_begins", "_connection", "_stretch")

    def __init__(self, connection: sqlite3.Connection, stretch: _Stretch, *, begins: bool) -> None:
        self._connection = connection
        self._stretch = stretch
        self._begins = begins

    def __enter__(self) -> None:
        if self._begins:  # the first read of a transaction takes its lock, for all the others
            self._connection.execute("PRAGMA busy_timeout = 0")
        self._connection.set_progress_handler(self._stretch.is_over, STEPS)

    def __exit__(self, *_: object) -> None:
        self._connection.set_progress_handler(None, 0)
        if self._begins:
            self._connection.execute(f"PRAGMA busy_timeout = {READER_BUSY_MILLISECONDS}")
