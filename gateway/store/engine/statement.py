"""Statements written once in SQLAlchemy Core and executed straight on the driver.

A `Statement` compiles itself once per dialect. The driver then gets its text and a list of
arguments, without SQLAlchemy's execution in between: measured, that layer costs more than the
query. On Postgres the driver's types are already ours; on SQLite the columns' own processors
convert both ways.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeVar

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
    extract,
    func,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgresql_dialect
from sqlalchemy.dialects.sqlite.aiosqlite import dialect as sqlite_dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement, FromClause
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean, NullType, TypeDecorator, TypeEngine

from gateway.models.base import Instant, Quantity, microseconds_from_instant
from gateway.store.engine.stored_json import dumps

DialectName = Literal["postgresql", "sqlite"]
Row = Mapping[str, Any]
"""One result row: values by column name."""

_DIALECTS: Final[Mapping[DialectName, Dialect]] = {
    "postgresql": postgresql_dialect(),  # type: ignore[no-untyped-call]  # SQLAlchemy's, untyped
    "sqlite": sqlite_dialect(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledStatement:
    """A statement's text in one dialect, and how its values go in and come out."""

    text: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]
    composed: Mapping[str, tuple[str, ...]]
    binders: Mapping[str, Callable[[Any], Any]]
    columns: tuple[str, ...]
    converters: tuple[tuple[str, Callable[[Any], Any]], ...]

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        """Return the driver's positional arguments; a missing parameter is a KeyError."""
        values: Mapping[str, Any] = parameters
        if self.constants or self.composed:
            values = {**self.constants, **parameters}
            for name, parts in self.composed.items():
                values[name] = list(zip(*(parameters[part] for part in parts), strict=True))
        if not self.binders:
            return [values[name] for name in self.names]
        binders = self.binders
        return [
            binders[name](values[name]) if name in binders else values[name] for name in self.names
        ]

    def positional(
        self, columns: Sequence[str], records: Iterable[Sequence[Any]]
    ) -> list[tuple[Any, ...]]:
        """Return the arguments of many executions; `columns` names the cells of each record."""
        cells = dict(zip(columns, zip(*records, strict=True), strict=True))
        # Column by column, so that only what needs converting is touched.
        converted = (
            map(self.binders[name], cells[name]) if name in self.binders else cells[name]
            for name in self.names
        )
        return list(zip(*converted, strict=True))

    def by_column(self, records: Sequence[Sequence[Any]]) -> dict[str, Sequence[Any]]:
        """Return a driver's records (at least one) as converted lists by column. Equal values are
        converted once and share one object.
        """
        found: dict[str, Sequence[Any]] = dict(
            zip(self.columns, zip(*records, strict=True), strict=True)
        )
        for name, convert in self.converters:
            made = {value: convert(value) for value in set(found[name])}
            found[name] = [made[value] for value in found[name]]
        return found

    def rows(self, records: Iterable[Sequence[Any]]) -> Sequence[Row]:
        """Return SQLite's tuples as rows, converted."""
        columns, converters = self.columns, self.converters
        rows = [dict(zip(columns, record, strict=True)) for record in records]
        for row in rows:
            for name, convert in converters:
                row[name] = convert(row[name])
        return rows


class Statement:
    """One Core statement; its parameters are named `bindparam`s.

    Where the dialects need different shapes, `build` is a function that gets the dialect's name.
    """

    __slots__ = ("_build", "_compiled")

    def __init__(self, build: ClauseElement | Callable[[DialectName], ClauseElement]) -> None:
        self._build = build
        self._compiled: dict[DialectName, CompiledStatement] = {}

    def compiled(self, dialect: DialectName) -> CompiledStatement:
        """Return the statement in a dialect, compiled on first use."""
        found = self._compiled.get(dialect)
        if found is None:
            build = self._build
            executable = build if isinstance(build, ClauseElement) else build(dialect)
            found = self._compiled[dialect] = _compile(executable, dialect)
        return found


def _compile(executable: ClauseElement, name: DialectName) -> CompiledStatement:
    dialect = _DIALECTS[name]
    compiler = executable.compile(dialect=dialect)
    assert isinstance(compiler, SQLCompiler)  # noqa: S101  # narrows for the type checker
    result = compiler._result_columns  # noqa: SLF001  # SQLAlchemy has no public name for it
    binders: dict[str, Callable[[Any], Any]] = {}
    converters: list[tuple[str, Callable[[Any], Any]]] = []
    for bind, key in compiler.bind_names.items():
        if isinstance(bind.type, ArrayText):
            binders[key] = array_text
        elif (name == "sqlite" or isinstance(bind.type, Processed)) and (
            process := _binder(bind.type, dialect)
        ):
            binders[key] = process
    if name == "sqlite":
        converters.extend(
            (entry.keyname, convert)
            for entry in result
            if (convert := _converter(entry.type, dialect))
        )
    return CompiledStatement(
        text=compiler.string,
        names=tuple(compiler.positiontup or ()),
        constants={
            key: bind.effective_value
            for bind, key in compiler.bind_names.items()
            if not bind.required
        },
        composed={
            key: tuple(bind.type.columns)
            for bind, key in compiler.bind_names.items()
            if isinstance(bind.type, RowsOf)
        },
        binders=binders,
        columns=tuple(entry.keyname for entry in result),
        converters=tuple(converters),
    )


def _binder(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """Return the fastest converter from a value to SQLite's."""
    if isinstance(kind, Boolean):
        return None  # the driver takes them as they are
    if isinstance(kind, Instant):
        return microseconds_from_instant
    if isinstance(kind, Quantity):
        return str
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _converter(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """Return what makes SQLite's value ours."""
    if isinstance(kind, Quantity):
        return int
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def microseconds(instant: ColumnElement[datetime], dialect: DialectName) -> ColumnElement[int]:
    """Return an instant as the microseconds since 1970 that SQLite stores: an integer costs a
    fifth of what a driver needs for a `datetime`.
    """
    if dialect == "sqlite":
        return type_coerce(instant, BigInteger())
    return cast(extract("epoch", instant) * literal_column("1000000"), BigInteger())


class ListOf(TypeDecorator[Sequence[Any]]):
    """A list bound as one parameter: an array on Postgres, a JSON text on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(self.item.dialect_impl(dialect)))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        if dialect.name == "postgresql" or value is None:
            return value
        bind = _binder(self.item, dialect)
        return dumps([bind(item) for item in value] if bind else list(value))


T = TypeVar("T")


class Processed(TypeDecorator[T]):
    """A value that is bound by `process_bind_param` on Postgres too."""

    impl = Text
    cache_ok = True


class ArrayText(TypeDecorator[Sequence[Any]]):
    """A list of integers bound as the text of an array, on Postgres."""

    impl = Text
    cache_ok = True


def array_text(values: Sequence[int | None]) -> str:
    """Return integers as the text of an array of Postgres."""
    return f"{{{dumps(values)[1:-1]}}}"


class RowsOf(TypeDecorator[Sequence[tuple[Any, ...]]]):
    """Several lists of one length bound as one parameter: a JSON list of rows, on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, columns: Mapping[str, TypeEngine[Any]]) -> None:
        super().__init__()
        self.columns = tuple(columns)
        self.kinds = tuple(columns.values())

    def process_bind_param(
        self, value: Sequence[tuple[Any, ...]] | None, dialect: Dialect
    ) -> str | None:
        if value is None:
            return None
        binds = [_binder(kind, dialect) for kind in self.kinds]
        return dumps(
            [
                [bind(cell) if bind else cell for bind, cell in zip(binds, row, strict=True)]
                for row in value
            ]
        )


class _Keys(FunctionElement[Any]):
    inherit_cache = True
    name = "keys"


@compiles(_Keys, "postgresql")
def _keys_on_postgresql(element: _Keys, compiler: SQLCompiler, **kw: Any) -> str:
    return f"unnest({compiler.process(element.clauses, **kw)})"


@compiles(_Keys, "sqlite")
def _keys_on_sqlite(element: _Keys, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


def keys(name: str, item: TypeEngine[Any] | None = None) -> FromClause:
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
def _any_of_on_postgresql(element: _AnyOf, compiler: SQLCompiler, **kw: Any) -> str:
    subject, items = element.clauses
    return f"{compiler.process(subject, **kw)} = ANY({compiler.process(items, **kw)})"


@compiles(_AnyOf, "sqlite")
def _any_of_on_sqlite(element: _AnyOf, compiler: SQLCompiler, **kw: Any) -> str:
    subject, items = element.clauses
    return (
        f"{compiler.process(subject, **kw)} IN "
        f"(SELECT value FROM json_each({compiler.process(items, **kw)}))"
    )


def any_of(subject: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Return whether `subject` is in the list that the parameter `name` holds (not an expanding IN,
    which would have to be compiled for every length).
    """
    return _AnyOf(subject, bindparam(name, type_=ListOf(subject.type)))


def batch(dialect: DialectName, **columns: TypeEngine[Any]) -> FromClause:
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


def written_batch(dialect: DialectName, **columns: TypeEngine[Any]) -> FromClause:
    """Return `batch` for rows that are written: on Postgres integers are bound as texts, because
    the driver looks at each item of an array, which costs more than all else of it.

    Of such columns Postgres does not know how many rows there are, so a join needs another one.
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


def _unnest(
    lists: Sequence[ColumnElement[Any]], columns: Mapping[str, TypeEngine[Any]]
) -> FromClause:
    table = func.unnest(*lists).table_valued(
        *(column(name, kind) for name, kind in columns.items()), with_ordinality="n"
    )
    return table.render_derived(name="batch")
