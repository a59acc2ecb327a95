"""The database's current time, the same for processes with different clocks."""

from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, ColumnElement, bindparam, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from gateway.models.base import Instant


class _Later(FunctionElement[datetime]):
    """The database's current time plus a number of milliseconds."""

    inherit_cache = True
    name = "later"
    type = Instant()


@compiles(_Later, "postgresql")
def _later_on_postgresql(element: _Later, compiler: SQLCompiler, **kw: object) -> str:
    milliseconds = compiler.process(element.clauses, **kw)
    return f"(statement_timestamp() + {milliseconds} * interval '1 millisecond')"


@compiles(_Later, "sqlite")
def _later_on_sqlite(element: _Later, compiler: SQLCompiler, **kw: object) -> str:
    milliseconds = compiler.process(element.clauses, **kw)
    seconds, fraction = "strftime('%s', 'now')", "CAST(substr(strftime('%f', 'now'), 4) AS INTEGER)"
    return f"(({seconds} * 1000 + {fraction} + {milliseconds}) * 1000)"


NOW: Final[ColumnElement[datetime]] = _Later(literal_column("0"))
"""The instant at which the statement began."""


def now_and(name: str) -> ColumnElement[datetime]:
    """Return the instant that comes as many milliseconds after now as the parameter `name` says."""
    return _Later(bindparam(name, type_=BigInteger()))
