"""Tables: columns with a type, read off the chunks of an export."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from gateway.store.engine.stream import ColumnChunk

Values: TypeAlias = Callable[[ColumnChunk], Sequence[Any]]
"""The cells of a column, by its kind; None is an empty cell."""


class Kind(Enum):
    """The types of a column's cells."""

    TEXT = auto()
    INSTANT = auto()
    """Microseconds since 1970."""
    DAY = auto()
    """A `date`."""
    DECIMAL = auto()
    """Nanos: money, or a quantity of up to 38 digits."""
    INTEGER = auto()
    BOOLEAN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its title for people, its name for programs. Amounts are shown with at least
    `digits` decimals.
    """

    title: str
    name: str
    kind: Kind
    values: Values
    digits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The columns of a file; people read its instants in a zone."""

    title: str
    zone: ZoneInfo
    columns: Sequence[Column]
