"""Rows that are kept by the column, as drivers return them and plans read them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeAlias, TypeVar, cast, final, overload

from gateway.dicts import dict_maker

R_co = TypeVar("R_co", covariant=True)
"""A row."""

Cells: TypeAlias = Sequence[Any]
"""The values of one column."""

Name: TypeAlias = str | int
"""The name of a column; in rows that are tuples, its position."""


@final
class ColumnRows(Sequence[R_co]):
    """Rows kept as a list for each column: a row is made when it is looked at. All are of one kind:
    of what `make` returns for the cells of a row; by default dicts. As the value of a field, all
    are of the field's type.
    """

    __slots__ = ("_converted", "_length", "_make", "_rows", "columns")

    def __init__(
        self, columns: Mapping[Any, Cells], make: Callable[..., R_co] | None = None
    ) -> None:
        self.columns = columns
        self._make = make
        self._length = len(next(iter(columns.values()), ()))
        self._rows: list[R_co] | None = None
        self._converted: dict[Any, Cells] = {}

    @property
    def names(self) -> Sequence[str]:
        """The names of the columns of rows that are dicts."""
        return [*self.columns]

    def column(self, name: Name) -> Cells:
        """Return a column's cells."""
        return self.columns[name]

    def converted(self, name: Name, convert: Callable[[Cells], Cells]) -> Cells:
        """Return a column's converted cells; a column is converted by one function, and once."""
        found = self._converted.get(name)
        if found is None:
            found = self._converted[name] = convert(self.columns[name])
        return found

    def take(self, positions: Sequence[int]) -> "ColumnRows[R_co]":
        """Return the rows at some positions."""
        columns = {
            name: [cells[position] for position in positions]
            for name, cells in self.columns.items()
        }
        return ColumnRows(columns, self._make)

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, place: int) -> R_co: ...
    @overload
    def __getitem__(self, place: slice) -> "ColumnRows[R_co]": ...
    def __getitem__(self, place: int | slice) -> "R_co | ColumnRows[R_co]":
        if isinstance(place, slice):
            columns = {name: cells[place] for name, cells in self.columns.items()}
            return ColumnRows(columns, self._make)
        if self._rows is not None:
            return self._rows[place]
        if self._make is not None:
            return self._make(*(cells[place] for cells in self.columns.values()))
        return cast("R_co", {name: cells[place] for name, cells in self.columns.items()})

    def __iter__(self) -> Iterator[R_co]:
        if self._rows is None:
            columns = self.columns
            make = self._make or cast("Callable[..., R_co]", dict_maker(columns))
            self._rows = list(map(make, *columns.values())) if columns else []
        return iter(self._rows)


@final
class SparseRows(Sequence[R_co | None]):
    """Rows at some positions; None at all others."""

    __slots__ = ("_length", "positions", "rows")

    def __init__(self, rows: ColumnRows[R_co], positions: Sequence[int], length: int) -> None:
        self.rows = rows
        self.positions = positions
        self._length = length

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, place: int) -> R_co | None: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[R_co | None]: ...
    def __getitem__(self, place: int | slice) -> R_co | Sequence[R_co | None] | None:
        if isinstance(place, int):
            return [*self][place]
        taken = {at: index for index, at in enumerate(range(self._length)[place])}
        mine = [index for index, at in enumerate(self.positions) if at in taken]
        positions = [taken[self.positions[index]] for index in mine]
        return SparseRows(self.rows.take(mine), positions, len(taken))

    def __iter__(self) -> Iterator[R_co | None]:
        found: list[R_co | None] = [None] * self._length
        for position, row in zip(self.positions, self.rows, strict=True):
            found[position] = row
        return iter(found)


def present(rows: ColumnRows[R_co], cells: Cells) -> ColumnRows[R_co] | SparseRows[R_co]:
    """Return the rows of which the cell is not None; None in place of all others."""
    if None not in cells:
        return rows
    positions = [position for position, cell in enumerate(cells) if cell is not None]
    return SparseRows(rows.take(positions), positions, len(cells))


def split(rows: Sequence[Any], prefix: str) -> tuple[Sequence[Any], ColumnRows[Any]]:
    """Return rows without the columns that have a prefix, where that makes them smaller, and the
    rows of those columns, named without it.
    """
    names = rows.names if type(rows) is ColumnRows else [*rows[0].keys()] if rows else []
    mine = [name for name in names if name.startswith(prefix)]
    part = ColumnRows[Any]({name.removeprefix(prefix): column(rows, name) for name in mine})
    if type(rows) is not ColumnRows:
        return rows, part
    others = [name for name in names if not name.startswith(prefix)]
    return ColumnRows({name: rows.column(name) for name in others}), part


def converted_column(rows: Sequence[Any], name: Name, convert: Callable[[Cells], Cells]) -> Cells:
    """Return a column's converted cells of rows; those of rows by the column are kept."""
    if type(rows) is ColumnRows:
        return rows.converted(name, convert)
    return convert([row[name] for row in rows])


def column(rows: Sequence[Any], name: Name) -> Cells:
    """Return a column's cells of rows."""
    return rows.columns[name] if type(rows) is ColumnRows else [row[name] for row in rows]


def attribute(rows: Sequence[Any], name: str) -> Cells:
    """Return an attribute of each row; the name may have dots."""
    if type(rows) is not ColumnRows:
        return [*map(attrgetter(name), rows)]
    first, _, inner = name.partition(".")
    cells = rows.columns[first]
    return [*map(attrgetter(inner), cells)] if inner else cells
