"""The base of all tables: one metadata with named constraints, and the column types of quantities
and time.

Money is a signed 64-bit integer of nanos (10⁻⁹ of a unit), a quantity one of up to 38 digits; a
column that holds them ends in `_nanos`. Instants end in `_at`.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import repeat
from operator import add, mul
from typing import Any, Final, overload

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    MetaData,
    Numeric,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import SQLModel

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Model(SQLModel):
    """Base of every table."""

    metadata = metadata


class Instant(TypeDecorator[datetime]):
    """A UTC instant: `timestamptz` on Postgres, microseconds since 1970 on SQLite, which has no
    type.

    Naive values are refused; values come back in UTC.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        on_sqlite = dialect.name == "sqlite"
        return dialect.type_descriptor(BigInteger() if on_sqlite else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | int | None:
        if dialect.name == "sqlite":
            return microseconds_from_instant(value)
        if value is not None and value.tzinfo is None:
            raise TypeError("an instant must have a UTC offset")
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None or dialect.name != "sqlite":
            return value  # type: ignore[no-any-return]  # the driver's datetime, in UTC
        return instant_from_microseconds(value)


class Quantity(TypeDecorator[int]):
    """An integer of up to 38 digits: `numeric(38, 0)` on Postgres, its digits as text on SQLite,
    where integers have 64 bits.

    Nanos are counted, not units with nine decimals: integers are exact everywhere, in Python
    faster than decimals, and a bigint becomes one without being scaled.
    """

    impl = Numeric(38, 0)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind = Text() if dialect.name == "sqlite" else Numeric(38, 0)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | str | None:
        return str(value) if dialect.name == "sqlite" and value is not None else value

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        return None if value is None else int(value)


@overload
def microseconds_from_instant(value: datetime) -> int: ...


@overload
def microseconds_from_instant(value: None) -> None: ...


def microseconds_from_instant(value: datetime | None) -> int | None:
    """Return microseconds since 1970, as SQLite stores an instant. TypeError for a naive one."""
    return None if value is None else (value - _EPOCH) // _MICROSECOND


def instant_from_microseconds(value: int) -> datetime:
    """Return the instant that SQLite stores as `value`."""
    return _EPOCH + _MICROSECOND * value  # in half the time of `timedelta(…)`


def instants_from_microseconds(values: Iterable[int]) -> list[datetime]:
    """Return the instant of each value, as `instant_from_microseconds` does."""
    return [*map(add, repeat(_EPOCH), map(mul, repeat(_MICROSECOND), values))]


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """Return a constraint that holds a text column to an enumeration's values."""
    allowed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=f"{column}_known")


def table_of(model: type[SQLModel]) -> Table:
    """Return a model's table, over which statements are written."""
    table: Table = model.__table__  # type: ignore[attr-defined]  # set by SQLModel's metaclass
    return table
