"""SQLite's columns as Python's values, converted a column at a time."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache, partial
from typing import Any, Final, TypeAlias

from sqlalchemy import Date, Dialect

from gateway.models.base import (
    Instant,
    Quantity,
    instant_from_microseconds,
    instants_from_microseconds,
)
from gateway.store.engine.sql import ColumnType, Convert

ConvertAll: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]
"""Converts a column's cells."""

_KEPT: Final = 64
"""Columns of days in memory: charts of the same window have the same days."""
_MANY: Final = range(32, 1_000)
"""Lengths of the columns of days that are kept."""


def column_converter(kind: ColumnType, dialect: Dialect) -> ConvertAll | None:
    """Return the converter of a column's cells; None where they are Python's already."""
    match kind:
        case Quantity():
            return partial(_converted, int, _numbers)
        case Instant():
            return partial(_converted, instant_from_microseconds, instants_from_microseconds)
        case Date():
            return partial(_converted, date.fromisoformat, _days)
    convert = kind.dialect_impl(dialect).result_processor(dialect, None)
    return None if convert is None else partial(_different_converted, convert)


def _converted(convert: Convert, convert_all: ConvertAll, cells: Sequence[Any]) -> Sequence[Any]:
    try:
        return convert_all(cells)
    except TypeError:  # NULL is one to them
        return [None if cell is None else convert(cell) for cell in cells]


def _different_converted(convert: Convert, cells: Sequence[Any]) -> Sequence[Any]:
    """Convert equal cells once."""
    made = {cell: convert(cell) for cell in set(cells)}
    return [*map(made.__getitem__, cells)]


def _numbers(cells: Sequence[str]) -> Sequence[int]:
    return [*map(int, cells)]


def _days(cells: Sequence[str]) -> Sequence[date]:
    return _kept_days(tuple(cells)) if len(cells) in _MANY else _read_days(cells)


def _read_days(cells: Sequence[str]) -> Sequence[date]:
    return tuple(map(date.fromisoformat, cells))


_kept_days: Final = lru_cache(_KEPT)(_read_days)
