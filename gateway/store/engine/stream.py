"""Reading more rows than memory should hold: some at a time, off the server's cursor."""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Protocol, TypeAlias

from gateway.store.engine.statement import CompiledStatement, DialectName, Row, Statement

Chunk: TypeAlias = Mapping[str, Sequence[Any]]
"""Some rows by column: lists of one length."""


class StreamDriver(Protocol):
    """The interface of a driver's connection for streams."""

    async def fetch(self, statement: CompiledStatement, arguments: list[Any]) -> Sequence[Row]: ...

    def stream(
        self, statement: CompiledStatement, arguments: list[Any], size: int
    ) -> AsyncGenerator[Sequence[Sequence[Any]]]:
        """Return the statement's records, at most `size` at a time; never none."""
        ...


class Stream:
    """The reads of one export: one snapshot on a connection of its own, for as long as it takes.

    A `Reader` too, also between two chunks. A caller that stops before the end must close the
    iterator of `chunks`.
    """

    def __init__(self, driver: StreamDriver, dialect: DialectName) -> None:
        self._driver = driver
        self.dialect: DialectName = dialect

    async def fetch(self, statement: Statement, /, **parameters: Any) -> Sequence[Row]:
        compiled = statement.compiled(self.dialect)
        return await self._driver.fetch(compiled, compiled.arguments(parameters))

    async def chunks(
        self, statement: Statement, size: int, /, **parameters: Any
    ) -> AsyncGenerator[Chunk]:
        """Yield the statement's rows, `size` at a time and the last ones fewer."""
        compiled = statement.compiled(self.dialect)
        arguments = compiled.arguments(parameters)
        async with aclosing(self._driver.stream(compiled, arguments, size)) as records:
            async for some in records:
                yield compiled.by_column(some)


def rows_in(chunk: Chunk) -> Iterator[dict[str, Any]]:
    """Yield a chunk's rows, each by column."""
    names = tuple(chunk)
    for cells in zip(*chunk.values(), strict=True):
        yield dict(zip(names, cells, strict=True))
