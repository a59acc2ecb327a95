"""What all tables share: one metadata with named constraints, and the two column types of time.

Money and quantities are signed 64-bit integers of nanos (10⁻⁹ of a unit); a column that holds them
ends in `_nanos`. Instants end in `_at`.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Dialect, MetaData, Table
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import SQLModel

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

# An instant is in this century, so neither `infinity` nor year 0 can be
# stored.
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2101, 1, 1, tzinfo=UTC)

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

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if dialect.name == "sqlite":
            return microseconds_from_instant(value)
        if value is not None and value.tzinfo is None:
            raise TypeError("an instant needs an offset")
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None or dialect.name != "sqlite":
            return value  # type: ignore[no-any-return]  # the driver's datetime, in UTC
        return instant_from_microseconds(value)


def microseconds_from_instant(value: datetime | None) -> int | None:
    """Return what SQLite stores for an instant. A naive value is a TypeError."""
    return None if value is None else (value - _EPOCH) // _MICROSECOND


def instant_from_microseconds(value: int) -> datetime:
    """Return the instant that SQLite stores as `value`."""
    return _EPOCH + timedelta(microseconds=value)


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """Return a constraint that holds a text column to an enumeration's values."""
    allowed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=f"{column}_known")


def table_of(model: type[SQLModel]) -> Table:
    """Return a model's table, over which statements are written."""
    table: Table = model.__table__  # type: ignore[attr-defined]  # set by SQLModel's metaclass
    return table
