"""Rows in the binary form in which Postgres's COPY takes them, made column by column: so they are
made while the connection is busy with earlier ones, and equal cells are made once.

See "Binary Format" of COPY in Postgres' manual. A cell is its length and its bytes.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain, repeat
from struct import Struct, error
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    String,
)
from sqlalchemy.types import TypeDecorator

from gateway.store.engine import numeric
from gateway.store.engine.sql import ColumnType

_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"

_NULL: Final = b"\xff\xff\xff\xff"
_SHORT: Final = 256
_length: Final = Struct("!i").pack
_LENGTHS: Final = tuple(map(_length, range(_SHORT)))
_count: Final = Struct("!h").pack

_FIRST_DAY: Final = date(2000, 1, 1).toordinal()
_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

Cells: TypeAlias = Iterable[bytes]
Encode: TypeAlias = Callable[[Sequence[Any]], Cells]
"""Makes a column's cells."""


class BinaryRows(NamedTuple):
    """Rows, and their columns in the order in which the rows have them."""

    columns: Sequence[str]
    data: bytes


class RowEncoder:
    """Encodes rows with columns of some types. Raises what `struct` and `datetime` raise for a
    value that is not of its column's type.
    """

    def __init__(self, kinds: Mapping[str, ColumnType]) -> None:
        self._encoders = {name: _encoder(kind) for name, kind in kinds.items()}

    async def encode(self, rows: Sequence[Sequence[object]]) -> BinaryRows:
        """Return rows (at least one). Others have their turn after each column."""
        # The cells that all rows have in common are the beginning of each row.
        shared: dict[str, bytes] = {}
        cells: dict[str, Cells] = {}
        for (name, encode), values in zip(
            self._encoders.items(), zip(*rows, strict=True), strict=True
        ):
            first = values[0]
            if first == values[-1] and values.count(first) == len(values):
                (shared[name],) = encode(values[:1])
            else:
                cells[name] = encode(values)
            await asyncio.sleep(0)
        start = b"".join((_count(len(shared) + len(cells)), *shared.values()))
        parts = zip(repeat(start, len(rows)), *cells.values(), strict=True)
        data = b"".join((_HEAD, *chain.from_iterable(parts), _END))
        return BinaryRows([*shared, *cells], data)


_BOOLEANS: Final = {None: _NULL, False: _length(1) + b"\0", True: _length(1) + b"\1"}
_pack_eight: Final = Struct("!iq").pack
_pack_four: Final = Struct("!ii").pack


def _integers(cell: Struct) -> Encode:
    size, pack = cell.size - len(_NULL), cell.pack

    def encode(values: Sequence[int | None]) -> Cells:
        try:
            return [*map(pack, repeat(size), values)]
        except error:  # there is a null
            return [_NULL if value is None else pack(size, value) for value in values]

    return encode


def _texts(values: Sequence[str | None]) -> Cells:
    different = set(values)
    if len(different) > len(values) // 2:
        return [*map(_text, values)]
    made = {value: _text(value) for value in different}
    return map(made.__getitem__, values)


def _text(value: str | None) -> bytes:
    return _NULL if value is None else _bytes(value.encode())


def _bytes(value: bytes | None) -> bytes:
    if value is None:
        return _NULL
    size = len(value)
    return (_LENGTHS[size] if size < _SHORT else _length(size)) + value


def _quantities(values: Sequence[int | None]) -> Cells:
    return [_NULL if value is None else _bytes(numeric.encode(value)) for value in values]


def _instants(values: Sequence[datetime | None]) -> Iterator[bytes]:
    last, cell = None, _NULL
    for value in values:
        if value is not last:  # those that follow one another are often the same
            last = value
            cell = _NULL if value is None else _pack_eight(8, (value - _FIRST) // _MICROSECOND)
        yield cell


def _day(value: date | None) -> bytes:
    return _NULL if value is None else _pack_four(4, value.toordinal() - _FIRST_DAY)


_ENCODERS: Final[Mapping[type[ColumnType], Encode]] = {
    DateTime: _instants,
    Date: lambda values: map(_day, values),
    String: _texts,
    LargeBinary: lambda values: map(_bytes, values),
    Boolean: lambda values: map(_BOOLEANS.__getitem__, values),
    SmallInteger: _integers(Struct("!ih")),
    BigInteger: _integers(Struct("!iq")),
    Integer: _integers(Struct("!ii")),
    Numeric: _quantities,
}
"""Of a class before the classes that it is a kind of."""


def _encoder(kind: ColumnType) -> Encode:
    plain = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    return next(encode for each, encode in _ENCODERS.items() if isinstance(plain, each))
