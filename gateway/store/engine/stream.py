"""Reading more rows than memory should hold: some at a time, off the server's cursor."""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Generic, Protocol, cast

from gateway.store.engine.sql import DialectName
from gateway.store.engine.statement import CompiledStatement, R, Statement


class ColumnChunk:
    """Some rows by column: lists of one length. There is at least one row."""

    __slots__ = ("columns",)

    # Python has no type for the columns of a row's type.
    def __init__(self, columns: Mapping[str, Sequence[Any]]) -> None:
        self.columns = columns

    def __len__(self) -> int:
        """The number of rows."""
        return len(next(iter(self.columns.values())))

    def column(self, name: str) -> Sequence[Any]:
        """Return one column's cells."""
        return self.columns[name]

    def zip(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """Yield each row's cells of some columns."""
        return zip(*(self.columns[name] for name in names), strict=True)


class Chunk(ColumnChunk, Generic[R]):
    """Some rows of the type R, by column."""

    __slots__ = ()

    def rows(self) -> Iterator[R]:
        """Yield the rows."""
        names = tuple(self.columns)
        for cells in zip(*self.columns.values(), strict=True):
            yield cast("R", dict(zip(names, cells, strict=True)))


class StreamDriver(Protocol):
    """The interface of a driver's connection for streams."""

    async def fetch(
        self, statement: CompiledStatement[R], arguments: list[object]
    ) -> Sequence[R]: ...

    def stream(
        self, statement: CompiledStatement[R], arguments: list[object], size: int
    ) -> AsyncGenerator[Sequence[Sequence[object]]]:
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

    async def fetch(self, statement: Statement[R], /, **parameters: object) -> Sequence[R]:
        compiled = statement.compiled(self.dialect)
        return await self._driver.fetch(compiled, compiled.arguments(parameters))

    async def chunks(
        self, statement: Statement[R], size: int, /, **parameters: object
    ) -> AsyncGenerator[Chunk[R]]:
        """Yield the statement's rows, `size` at a time and the last ones fewer."""
        compiled = statement.compiled(self.dialect)
        arguments = compiled.arguments(parameters)
        async with aclosing(self._driver.stream(compiled, arguments, size)) as records:
            async for some in records:
                yield Chunk[R](compiled.by_column(some))
