"""Short reads of SQLite, which the event loop runs itself.

A thread and the event loop hand Python's lock (GIL) to each other at each row, and a hand-over
costs more than the row. So a read begins in the event loop. SQLite calls back every few
instructions: a statement that has used up its stretch is interrupted, and the connection's thread
reads it in the same transaction. Where that happens to a statement twice in a row, it begins in the
thread for the next second.
"""

import resource
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic, thread_time
from typing import Any, Final, NamedTuple, TypeAlias

from gateway.store.engine.sqlite_thread import Running
from gateway.store.engine.statement import BoundStatement

SHORT_SECONDS: Final = 0.005
"""Longest stretch of the event loop for statements that are read together."""
STEPS: Final = 500
"""SQLite's instructions between two calls back: some ten microseconds, or the reads of some pages
that are not in memory.
"""
LONG_SECONDS: Final = 1
"""Time for which a long statement begins in the thread."""
LONG_TIMES: Final = 2
"""Interruptions in a row that make a statement long: one may be of a single large account."""
MOST_LONG: Final = 1_000

_READ_BY: Final = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)
"""This thread, where the system counts its reads of the disk alone."""

Records: TypeAlias = list[Any]
"""The tuples of a statement."""


class _Interruptions(NamedTuple):
    """The interruptions of a statement in a row, and the time until which they count."""

    times: int
    until: float


class ShortReads:
    """Reads in the event loop's thread; knows which statements it lately interrupted."""

    def __init__(self) -> None:
        self._long: dict[str, _Interruptions] = {}
        """By a statement's text, the latest last."""

    def may_begin(self, statement: BoundStatement[Any]) -> bool:
        """Return whether the statement was not long lately."""
        return not self._long or self._times(statement.statement.text) < LONG_TIMES

    def _times(self, text: str) -> int:
        """Return how often in a row a statement was lately interrupted."""
        found = self._long.get(text)
        return 0 if found is None or found.until < monotonic() else found.times

    def _note_interruption(self, text: str) -> None:
        found = _Interruptions(self._times(text) + 1, monotonic() + LONG_SECONDS)
        self._long.pop(text, None)
        self._long[text] = found
        if len(self._long) > MOST_LONG:
            del self._long[next(iter(self._long))]

    def read(
        self,
        connection: sqlite3.Connection,
        statements: Sequence[BoundStatement[Any]],
        *,
        begins: bool,
    ) -> list[Records]:
        """Return the records of the first statements, as many as the stretch is enough for.

        `begins` opens a transaction first. The connection waits for no lock. A statement that fails
        counts as not read: the thread reads it too, waits for a lock and reports the error.
        """
        stretch = _Stretch()
        found: list[Records] = []
        begun = statements[0]
        with suppress(Exception), _Attended(connection, stretch):
            if begins:
                Running(connection).begin()
            for begun in statements:
                if not self.may_begin(begun):
                    break
                found.append(connection.execute(begun.statement.text, begun.arguments).fetchall())
                if stretch.is_over():
                    break
                self._long.pop(begun.statement.text, None)
        if stretch.ended:
            self._note_interruption(begun.statement.text)
        return found


class _Stretch:
    """A stretch of the event loop: over after `SHORT_SECONDS` of its own processor time, or of any
    time in which it read from the disk. While another program has the processor it goes on.
    """

    __slots__ = ("_began", "_blocks", "_look_at", "ended")

    def __init__(self) -> None:
        self._began = thread_time()
        self._blocks = _blocks_read()
        self._look_at = monotonic() + SHORT_SECONDS
        self.ended = False

    def is_over(self) -> bool:
        """Return whether it is over; SQLite calls this, and interrupts the statement at true."""
        if not self.ended and monotonic() > self._look_at:
            worked = thread_time() - self._began
            self.ended = worked >= SHORT_SECONDS or _blocks_read() > self._blocks
            self._look_at = monotonic() + SHORT_SECONDS - worked
        return self.ended


def _blocks_read() -> int:
    return resource.getrusage(_READ_BY).ru_inblock


class _Attended:
    """Has SQLite interrupt a statement at the end of the stretch."""

    __slots__ = ("_connection", "_stretch")

    def __init__(self, connection: sqlite3.Connection, stretch: _Stretch) -> None:
        self._connection = connection
        self._stretch = stretch

    def __enter__(self) -> None:
        self._connection.set_progress_handler(self._stretch.is_over, STEPS)

    def __exit__(self, *_: object) -> None:
        self._connection.set_progress_handler(None, 0)
