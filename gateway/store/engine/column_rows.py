"""Rows that a driver returns by the column."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar, cast, overload

from gateway.dicts import dict_maker

R_co = TypeVar("R_co", covariant=True)
"""A row."""

Cells: TypeAlias = Sequence[Any]
"""The values of one column."""


class ColumnRows(Sequence[R_co]):
    """Rows kept as a list for each column: a dict for each row is made when a row is looked at."""

    __slots__ = ("_columns", "_converted", "_rows")

    def __init__(self, columns: Mapping[str, Cells]) -> None:
        self._columns = columns
        self._rows: list[R_co] | None = None
        self._converted: dict[str, Cells] = {}

    @property
    def names(self) -> Sequence[str]:
        """The names of the columns."""
        return [*self._columns]

    def column(self, name: str) -> Cells:
        """Return a column's cells."""
        return self._columns[name]

    def converted(self, name: str, convert: Callable[[Cells], Cells]) -> Cells:
        """Return a column's converted cells; a column is converted by one function, and once."""
        found = self._converted.get(name)
        if found is None:
            found = self._converted[name] = convert(self._columns[name])
        return found

    @property
    def _made(self) -> list[R_co]:
        if self._rows is None:
            columns = self._columns
            made = map(dict_maker(columns), *columns.values())
            self._rows = cast("list[R_co]", list(made))
        return self._rows

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    @overload
    def __getitem__(self, place: int) -> R_co: ...
    @overload
    def __getitem__(self, place: slice) -> "ColumnRows[R_co]": ...
    def __getitem__(self, place: int | slice) -> "R_co | ColumnRows[R_co]":
        if isinstance(place, int):
            return self._made[place]
        return ColumnRows({name: cells[place] for name, cells in self._columns.items()})

    def __iter__(self) -> Iterator[R_co]:
        return iter(self._made)


def split(rows: Sequence[Any], prefix: str) -> tuple[Sequence[Any], "ColumnRows[Any]"]:
    """Return rows without the columns that have a prefix, where that makes them smaller, and the
    rows of those columns, named without it.
    """
    names = rows.names if isinstance(rows, ColumnRows) else [*rows[0].keys()] if rows else []
    mine = [name for name in names if name.startswith(prefix)]
    part = ColumnRows[Any]({name.removeprefix(prefix): column(rows, name) for name in mine})
    if not isinstance(rows, ColumnRows):
        return rows, part
    others = [name for name in names if not name.startswith(prefix)]
    return ColumnRows({name: rows.column(name) for name in others}), part


def converted_column(rows: Sequence[Any], name: str, convert: Callable[[Cells], Cells]) -> Cells:
    """Return a column's converted cells of rows; those of rows by the column are kept."""
    if isinstance(rows, ColumnRows):
        return rows.converted(name, convert)
    return convert([row[name] for row in rows])


def column(rows: Sequence[Any], name: str) -> Cells:
    """Return a column's cells of rows."""
    if isinstance(rows, ColumnRows):
        return rows.column(name)
    return [row[name] for row in rows]
