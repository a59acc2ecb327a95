"""Names for what SQLAlchemy makes statements of. Its types are generic over the Python types of
columns, which no statement here relies on: a `Statement[R]` says what its rows are.
"""

from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import ColumnElement, Dialect, Integer, Select, literal_column
from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgresql_dialect
from sqlalchemy.dialects.sqlite.aiosqlite import dialect as sqlite_dialect
from sqlalchemy.types import TypeEngine

DialectName: TypeAlias = Literal["postgresql", "sqlite"]

DIALECTS: Final[dict[DialectName, Dialect]] = {
    "postgresql": postgresql_dialect(),  # type: ignore[no-untyped-call]  # SQLAlchemy's, untyped
    "sqlite": sqlite_dialect(),
}

Query: TypeAlias = Select[Any]
"""A SELECT."""

Expression: TypeAlias = ColumnElement[Any]
"""A column, or what is computed of columns."""

ColumnType: TypeAlias = TypeEngine[Any]

Convert: TypeAlias = Callable[[Any], Any]
"""Makes a value the driver's, or the driver's value ours: SQLAlchemy's processors are untyped."""

ONE_ROW: Final = "one_row"
"""The execution option of a query that returns one row at most."""


def one_row(query: Query) -> Query:
    """Return a query of which it is known that it returns one row at most."""
    return query.execution_options(**{ONE_ROW: True})


BARRIER: Final = literal_column("0", Integer)
"""The OFFSET of a subquery that the planner of Postgres must not merge with the query around it. A
number would be a parameter.
"""
