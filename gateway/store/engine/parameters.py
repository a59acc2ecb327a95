"""Lists bound as one parameter, and tables made of them: one statement answers many keys.

A list is an array on Postgres and a JSON text on SQLite, so that the text of a statement does not
depend on how many keys there are.
"""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, TypeVar

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Dialect,
    Integer,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import FromClause
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean, NullType, TypeDecorator

from gateway.models.base import Instant, Quantity, microseconds_from_instant
from gateway.store.engine.sql import ColumnType, Convert, DialectName, Expression
from gateway.store.engine.stored_json import dumps


def binder(kind: ColumnType, dialect: Dialect) -> Convert | None:
    """Return the fastest converter from a value to SQLite's."""
    if isinstance(kind, Boolean):
        return None  # the driver takes them as they are
    if isinstance(kind, Instant):
        return microseconds_from_instant
    if isinstance(kind, Quantity):
        return str
    return kind.dialect_impl(dialect).bind_processor(dialect)


class ListOf(TypeDecorator[Sequence[object]]):
    """A list bound as one parameter: an array on Postgres, a JSON text on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, item: ColumnType) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> ColumnType:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(self.item.dialect_impl(dialect)))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Sequence[object] | None, dialect: Dialect) -> object:
        if dialect.name == "postgresql" or value is None:
            return value
        bind = binder(self.item, dialect)
        return dumps([bind(item) for item in value] if bind else list(value))


T = TypeVar("T")

_first: Final = itemgetter(0)


class Processed(TypeDecorator[T]):
    """A value that is bound by `process_bind_param` on Postgres too."""

    impl = Text
    cache_ok = True


class ArrayText(TypeDecorator[Sequence[object]]):
    """A list of integers bound as the text of an array, on Postgres."""

    impl = Text
    cache_ok = True


def array_text(values: Sequence[int | None]) -> str:
    """Return integers as the text of an array of Postgres."""
    return f"{{{dumps(values)[1:-1]}}}"


class OnlyOf(TypeDecorator[Sequence[object]]):
    """A list of one value, bound as that value."""

    impl = NullType
    cache_ok = True

    def __init__(self, item: ColumnType) -> None:
        super().__init__()
        self.item = item

    def binder(self, dialect: Dialect) -> Convert:
        """Return the converter from the list to the driver's value."""
        bind = binder(self.item, dialect) if dialect.name == "sqlite" else None
        if bind is None:
            return _first
        return lambda values: bind(values[0])


class RowsOf(TypeDecorator[Sequence[tuple[object, ...]]]):
    """Several lists of one length bound as one parameter: a JSON list of rows, on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, columns: Mapping[str, ColumnType]) -> None:
        super().__init__()
        self.columns = tuple(columns)
        self.kinds = tuple(columns.values())

    def process_bind_param(
        self, value: Sequence[tuple[object, ...]] | None, dialect: Dialect
    ) -> str | None:
        if value is None:
            return None
        binds = [binder(kind, dialect) for kind in self.kinds]
        return dumps(
            [
                [bind(cell) if bind else cell for bind, cell in zip(binds, row, strict=True)]
                for row in value
            ]
        )


class _Keys(FunctionElement[object]):
    inherit_cache = True
    name = "keys"


@compiles(_Keys, "postgresql")
def _keys_on_postgresql(element: _Keys, compiler: SQLCompiler, **kw: object) -> str:
    return f"unnest({compiler.process(element.clauses, **kw)})"


@compiles(_Keys, "sqlite")
def _keys_on_sqlite(element: _Keys, compiler: SQLCompiler, **kw: object) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


def keys(name: str, item: ColumnType | None = None) -> FromClause:
    """Return the parameter `name`, a list, as a table with the column `value`.

    Its alias is `value` too, because an `unnest` without column names is called as its alias is: so
    one statement can hold one such table.
    """
    parameter = bindparam(name, type_=ListOf(item or BigInteger()))
    return _Keys(parameter).table_valued("value", name="value")


class _AnyOf(FunctionElement[Any]):
    inherit_cache = True
    name = "any_of"
    # A Boolean would be compared with 1 on SQLite, and `x IN (…) = 1` reads no index.
    type = NullType()


@compiles(_AnyOf, "postgresql")
def _any_of_on_postgresql(element: _AnyOf, compiler: SQLCompiler, **kw: object) -> str:
    subject, items = element.clauses
    return f"{compiler.process(subject, **kw)} = ANY({compiler.process(items, **kw)})"


@compiles(_AnyOf, "sqlite")
def _any_of_on_sqlite(element: _AnyOf, compiler: SQLCompiler, **kw: object) -> str:
    subject, items = element.clauses
    return (
        f"{compiler.process(subject, **kw)} IN "
        f"(SELECT value FROM json_each({compiler.process(items, **kw)}))"
    )


def any_of(subject: Expression, name: str) -> ColumnElement[bool]:
    """Return whether `subject` is in the list that the parameter `name` holds (not an expanding IN,
    which would have to be compiled for every length).
    """
    return _AnyOf(subject, bindparam(name, type_=ListOf(subject.type)))


def batch(dialect: DialectName, **columns: ColumnType) -> FromClause:
    """Return parameters, lists of one length, as a table `batch` with a row for each position.

    Its columns are those named, and `n`, the position from 1. So one statement answers many keys
    that have several parts.
    """
    if dialect == "postgresql":
        lists = [bindparam(name, type_=ListOf(kind)) for name, kind in columns.items()]
        return _unnest(lists, columns)
    rows = bindparam("batch", type_=RowsOf(columns))
    each = func.json_each(rows).table_valued("key", "value", name="each")
    return select(
        (each.c.key + 1).label("n"),
        *(
            type_coerce(func.json_extract(each.c.value, f"$[{position}]"), kind).label(name)
            for position, (name, kind) in enumerate(columns.items())
        ),
    ).subquery("batch")


def batch_of_texts(dialect: DialectName, **columns: ColumnType) -> FromClause:
    """Return `batch` for statements that run often or have many rows: on Postgres integers are
    bound as texts, because the driver looks at each item of an array, which costs more than all
    else of it.

    Of such columns Postgres does not know how many rows there are, not even in a plan for one
    execution; a join that depends on their number needs another column.
    """
    if dialect == "sqlite":
        return batch(dialect, **columns)
    lists = [
        cast(bindparam(name, type_=ArrayText()), ARRAY(kind))
        if isinstance(kind, Integer)
        else bindparam(name, type_=ListOf(kind))
        for name, kind in columns.items()
    ]
    return _unnest(lists, columns)


def only_of(dialect: DialectName, name: str, kind: ColumnType) -> Expression:
    """Return the value of the parameter `name`, a list of one; SQLite needs no type of it."""
    value = bindparam(name, type_=OnlyOf(kind))
    return value if dialect == "sqlite" else cast(value, kind)


def accounts_in(kind: ColumnType, place: int) -> str:
    """Return the array of the accounts that a parameter of Postgres is, by its type and its place;
    nothing for a type of other parameters.
    """
    match kind:
        case OnlyOf():
            return f"ARRAY[CAST(${place} AS BIGINT)]"
        case ArrayText():
            return f"CAST(${place}::VARCHAR AS BIGINT[])"
        case ListOf():
            return f"${place}::BIGINT[]"
    return ""


def _unnest(lists: Sequence[Expression], columns: Mapping[str, ColumnType]) -> FromClause:
    table = func.unnest(*lists).table_valued(
        *(column(name, kind) for name, kind in columns.items()), with_ordinality="n"
    )
    return table.render_derived(name="batch")
