"""Statements written once in SQLAlchemy Core and executed straight on the driver.

A `Statement` compiles itself once per dialect. The driver then gets its text and a list of
arguments, without SQLAlchemy's execution in between: measured, that layer costs more than the
query. On Postgres the driver's types are already ours; on SQLite the columns' own processors
convert both ways.

`Statement[R]` returns rows of the type R, a `TypedDict` of its columns; `Statement[None]` returns
no rows. At run time a row is what the driver makes at no further cost: it is read by column
(`row["id"]`, `{**row}`), and nothing else of a dict can be relied on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, NamedTuple, TypeVar

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Executable,
    cast,
    func,
    literal_column,
    type_coerce,
)
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

from gateway.column_rows import ColumnRows
from gateway.store.engine.membership import LISTED
from gateway.store.engine.parameters import (
    ArrayText,
    OnlyOf,
    Processed,
    RowsOf,
    accounts_in,
    array_text,
    binder,
)
from gateway.store.engine.sql import DIALECTS, ONE_ROW, Convert, DialectName
from gateway.store.engine.sqlite_columns import ConvertAll, column_converter

R = TypeVar("R")
"""A row."""

ACCOUNTS: Final = "account_id"
"""The parameter with the accounts of a batch of keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledStatement(Generic[R]):
    """A statement's text in one dialect, and how its values go in and come out."""

    text: str
    names: tuple[str, ...]
    constants: Mapping[str, object]
    composed: Mapping[str, tuple[str, ...]]
    binders: Mapping[str, Convert]
    columns: tuple[str, ...]
    has_one_row: bool
    """Whether it returns one row at most."""
    has_scalars: bool
    """Whether no column is an array."""
    accounts: str
    """The array of the accounts in the batch of keys, as Postgres' text; empty where none are."""
    listed: str
    """The text behind an entrance that lists a person's accounts; empty where it is no other."""
    converters: tuple[tuple[str, ConvertAll], ...]

    def bind(self, parameters: Mapping[str, object]) -> "BoundStatement[R]":
        """Return the statement with its arguments; a missing parameter is a KeyError."""
        return BoundStatement(self, self.arguments(parameters))

    def arguments(self, parameters: Mapping[str, object]) -> list[object]:
        """Return the driver's positional arguments; a missing parameter is a KeyError."""
        values: Mapping[str, object] = parameters
        if self.constants or self.composed:
            values = {**self.constants, **parameters}
            for name, parts in self.composed.items():
                values[name] = _rows_of(parameters, parts)
        if not self.binders:
            return [values[name] for name in self.names]
        binders = self.binders
        return [
            binders[name](values[name]) if name in binders else values[name] for name in self.names
        ]

    def positional(
        self, columns: Sequence[str], records: Iterable[Sequence[object]]
    ) -> list[tuple[object, ...]]:
        """Return the arguments of many executions; `columns` names the cells of each record."""
        cells = dict(zip(columns, zip(*records, strict=True), strict=True))
        # Column by column, so that only what needs converting is touched.
        converted = (
            map(self.binders[name], cells[name]) if name in self.binders else cells[name]
            for name in self.names
        )
        return list(zip(*converted, strict=True))

    def by_column(self, records: Sequence[Sequence[object]]) -> dict[str, Sequence[Any]]:
        """Return a driver's records (at least one) as converted lists by column."""
        found: dict[str, Sequence[Any]] = dict(
            zip(self.columns, zip(*records, strict=True), strict=True)
        )
        for name, convert in self.converters:
            found[name] = convert(found[name])
        return found

    def rows(self, records: Sequence[Sequence[object]]) -> Sequence[R]:
        """Return SQLite's tuples as rows, converted."""
        return ColumnRows(self.by_column(records)) if records else []


class BoundStatement(NamedTuple, Generic[R]):
    """A statement with the driver's positional arguments."""

    statement: CompiledStatement[R]
    arguments: list[object]


class Statement(Generic[R]):
    """One Core statement; its parameters are named `bindparam`s.

    Where the dialects need different shapes, `build` is a function that gets the dialect's name.
    """

    # The last one is set by `typing`: the class with its row.
    __slots__ = ("__orig_class__", "_build", "_compiled")

    def __init__(self, build: ClauseElement | Callable[[DialectName], ClauseElement]) -> None:
        self._build = build
        self._compiled: dict[DialectName, CompiledStatement[R]] = {}

    def compiled(self, dialect: DialectName) -> CompiledStatement[R]:
        """Return the statement in a dialect, compiled on first use."""
        found = self._compiled.get(dialect)
        if found is None:
            build = self._build
            executable = build if isinstance(build, ClauseElement) else build(dialect)
            found = self._compiled[dialect] = _compile(executable, dialect)
        return found


def _compile(executable: ClauseElement, name: DialectName) -> CompiledStatement[R]:
    dialect = DIALECTS[name]
    compiler = executable.compile(dialect=dialect)
    assert isinstance(compiler, SQLCompiler)  # noqa: S101  # narrows for the type checker
    result = compiler._result_columns  # noqa: SLF001  # SQLAlchemy has no public name for it
    binders: dict[str, Convert] = {}
    converters: list[tuple[str, ConvertAll]] = []
    for bind, key in compiler.bind_names.items():
        if isinstance(bind.type, ArrayText):
            binders[key] = array_text
        elif isinstance(bind.type, OnlyOf):
            binders[key] = bind.type.binder(dialect)
        elif (name == "sqlite" or isinstance(bind.type, Processed)) and (
            process := binder(bind.type, dialect)
        ):
            binders[key] = process
    if name == "sqlite":
        converters.extend(
            (entry.keyname, convert)
            for entry in result
            if (convert := column_converter(entry.type, dialect))
        )
    accounts = "" if name == "sqlite" else _accounts(compiler)
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
        has_one_row=isinstance(executable, Executable)
        and bool(executable.get_execution_options().get(ONE_ROW)),
        has_scalars=not any(isinstance(entry.type, ARRAY) for entry in result),
        converters=tuple(converters),
        accounts=accounts,
        listed=_listed(executable, compiler) if accounts else "",
    )


def _accounts(compiler: SQLCompiler) -> str:
    names = compiler.positiontup or ()
    kinds = {key: bind.type for bind, key in compiler.bind_names.items()}
    if ACCOUNTS not in kinds:
        return ""
    return accounts_in(kinds[ACCOUNTS], names.index(ACCOUNTS) + 1)


def _listed(executable: ClauseElement, compiler: SQLCompiler) -> str:
    other = executable.compile(dialect=compiler.dialect, compile_kwargs={LISTED: True})
    assert isinstance(other, SQLCompiler)  # noqa: S101  # narrows for the type checker
    assert other.positiontup == compiler.positiontup  # noqa: S101  # the same arguments
    return "" if other.string == compiler.string else other.string


def _rows_of(columns: Mapping[str, Any], names: Iterable[str]) -> list[tuple[object, ...]]:
    """Return parameters that are columns as rows. `Any`: other parameters are not iterable."""
    return list(zip(*(columns[name] for name in names), strict=True))


def microseconds(instant: ColumnElement[datetime], dialect: DialectName) -> ColumnElement[int]:
    """Return an instant as the microseconds since 1970 that SQLite stores: an integer costs a
    fifth of what a driver needs for a `datetime`.

    On Postgres from a float of seconds, which is a third of a microsecond from the instant at most
    until the year 2106, and rounded: a third of what `extract` costs, which is `numeric`.
    """
    if dialect == "sqlite":
        return type_coerce(instant, BigInteger())
    seconds = func.date_part(literal_column("'epoch'"), instant)
    return cast(seconds * literal_column("1000000::float8"), BigInteger())
