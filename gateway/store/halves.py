"""Sums of any size. SQLite's sums end at 64 bits: there integers are added up in two halves, which
do not come near that, and `whole` puts the two sums together.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, cast

from sqlalchemy import ColumnElement

from gateway.store.engine.sql import DialectName
from gateway.store.engine.statement import R

HALF: Final = 32
"""Bits of the lower half."""

_HIGH: Final = "_high"

Part: TypeAlias = Callable[[ColumnElement[int]], ColumnElement[int]]
"""Returns the part of an integer that is added up in a column."""


def parts(dialect: DialectName, name: str) -> Mapping[str, Part]:
    """Return the columns that a sum is made of, the lower half first, each with its part."""
    if dialect == "postgresql":
        return {name: lambda nanos: nanos}
    return {
        name: lambda nanos: nanos.bitwise_and(2**HALF - 1),
        f"{name}{_HIGH}": lambda nanos: nanos.bitwise_rshift(HALF),
    }


def whole(row: R, *names: str) -> R:
    """Return a row with these sums put together."""
    made = dict(cast("Mapping[str, int]", row))
    for name in names:
        made[name] = int(made[name]) + (int(made.pop(f"{name}{_HIGH}", 0)) << HALF)
    return cast("R", made)
