"""The rows of a query as one row of Postgres, each column one value: integers and days side by side
in bytes, which cost Postgres less than the elements of an array, and the driver next to nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from struct import unpack
from typing import Any, Final

from sqlalchemy import BigInteger, Date, FromClause, LargeBinary, func, literal_column, select

from gateway.column_rows import ColumnRows
from gateway.store.engine.sql import ColumnType, Expression, Query, one_row

_NOTHING: Final = literal_column("''::bytea", LargeBinary())
_INTEGER_BYTES: Final = 8
_DAY_BYTES: Final = 4
_DAY_ZERO: Final = date(2000, 1, 1).toordinal()
_KEPT: Final = 64
"""Columns of days in memory: charts of the same window have the same days."""


def packed(rows: FromClause) -> Query:
    """Return the rows, in their order, as one row. No value of theirs may be null."""
    columns = (_packed(column).label(column.key) for column in rows.c)
    return one_row(select(*columns).select_from(rows))


def _packed(column: Expression) -> Expression:
    match column.type:
        case BigInteger():
            return func.string_agg(func.int8send(column), _NOTHING)
        case Date():
            return func.string_agg(func.date_send(column), _NOTHING)
    return func.array_agg(column)


def unpacked(found: Sequence[Any], kinds: Mapping[str, ColumnType]) -> ColumnRows[Any]:
    """Return the rows of `packed`, from the one row that it found, by the types of their columns.
    `Any`: that row has other types than theirs.
    """
    cells: Mapping[str, Any] = found[0] if found else {}
    return ColumnRows({name: _unpacked(cells.get(name), kind) for name, kind in kinds.items()})


def _unpacked(value: Any, kind: ColumnType) -> Sequence[Any]:
    if value is None:
        return []
    match kind:
        case BigInteger():
            return unpack(f"!{len(value) // _INTEGER_BYTES}q", value)
        case Date():
            return _days(value)
    found: Sequence[Any] = value
    return found


@lru_cache(_KEPT)
def _days(value: bytes) -> Sequence[date]:
    numbers = unpack(f"!{len(value) // _DAY_BYTES}i", value)
    return [date.fromordinal(_DAY_ZERO + number) for number in numbers]
