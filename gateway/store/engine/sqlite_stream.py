"""The reads of one export on SQLite: statements of which each begins where the last one ended."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from functools import partial
from typing import Final, TypeAlias

from gateway.store.engine.sqlite_driver import SqliteDriver
from gateway.store.engine.sqlite_thread import Running
from gateway.store.engine.statement import CompiledStatement, Statement
from gateway.store.engine.stream import Stream

AHEAD: Final = 1_000_000
"""Characters that are read in one hop, and in memory until they are used; the last statement may
exceed it.
"""

Texts: TypeAlias = Mapping[str, str]
"""A row with texts alone."""
Following: TypeAlias = Callable[[Texts], Mapping[str, object] | None]
"""Makes the parameters of the next statement of a row; None where it is the last one."""


class SqliteStream(Stream):
    """A `Stream` that reads ahead in the connection's thread."""

    def __init__(self, driver: SqliteDriver) -> None:
        super().__init__(driver, "sqlite")
        self._sqlite = driver

    async def follow(
        self, statement: Statement[Texts], following: Following, /, **parameters: object
    ) -> AsyncGenerator[Texts]:
        """Yield the one row of each of many statements, the first one with `parameters`.

        Several run in a hop: while a row is in use, the thread makes the next one. A hop for each
        would wait for Python's lock, which the user of the row before holds. `following` is called
        in the thread.
        """
        reading = _Reading(statement.compiled("sqlite"), following, parameters)
        while reading.parameters is not None:
            hop = asyncio.ensure_future(self._sqlite.run(partial(_Reading.read, reading)))
            hop.add_done_callback(reading.end_hop)
            try:
                while (row := await reading.found.get()) is not None:
                    yield row
                await hop
            finally:
                hop.cancel()
                await asyncio.gather(hop, return_exceptions=True)


class _Reading:
    """The state of `follow`: `found` has the rows that were read, and None after those of a hop;
    `parameters` are those of the next statement.
    """

    def __init__(
        self,
        statement: CompiledStatement[Texts],
        following: Following,
        parameters: Mapping[str, object],
    ) -> None:
        self._statement = statement
        self._following = following
        self._loop = asyncio.get_running_loop()
        self.found = asyncio.Queue[Texts | None]()
        self.parameters: Mapping[str, object] | None = parameters

    def read(self, running: Running) -> None:
        """Read rows of AHEAD characters, in the thread."""
        read = 0
        while self.parameters is not None and read < AHEAD:
            arguments = self._statement.arguments(self.parameters)
            cells = running.execute(self._statement.text, arguments).fetchone()
            row = dict(zip(self._statement.columns, cells, strict=True))
            self.parameters = self._following(row)
            self._loop.call_soon_threadsafe(self.found.put_nowait, row)
            read += sum(map(len, cells))

    def end_hop(self, _hop: object) -> None:
        """Let the reader of `found` see that a hop has ended."""
        self.found.put_nowait(None)
