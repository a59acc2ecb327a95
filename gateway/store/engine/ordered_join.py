"""Joins that SQLite makes in the order in which they are written."""

from sqlalchemy import Join
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


class OrderedJoin(Join):
    """A join from the few rows of the left to those of a large table. Without an order SQLite may
    read all of the table, and look each of its rows up among the few.
    """

    inherit_cache = True


@compiles(OrderedJoin, "sqlite")
def _on_sqlite(element: OrderedJoin, compiler: SQLCompiler, **kw: object) -> str:
    kw["asfrom"] = True
    left, right = (compiler.process(each, **kw) for each in (element.left, element.right))
    kw.pop("asfrom")
    kw.pop("from_linter", None)
    assert element.onclause is not None  # noqa: S101  # narrows: the constructor takes one
    return f"{left} CROSS JOIN {right} ON {compiler.process(element.onclause, **kw)}"
