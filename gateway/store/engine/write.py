"""Statements that insert or update many rows at once."""

from collections.abc import Callable, Collection, Mapping, Sequence
from operator import add
from typing import Any, Final, Generic, NamedTuple, TypeVar

from sqlalchemy import (
    ColumnElement,
    Table,
    bindparam,
    case,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import KeyedColumnElement

from gateway.store.engine.parameters import batch_of_texts
from gateway.store.engine.sql import ColumnType, DialectName, Expression
from gateway.store.engine.statement import Statement

W = TypeVar("W", bound=NamedTuple)
"""A row that is written: its cells, each named as its column."""

PIECE: Final = 256
"""Most rows prepared at once: one or two milliseconds without a turn for the event loop."""

# SQLite adds up integers that do not fit to a float; its abs() of the least one is an error.
_INTEGER: Final[ColumnElement[str]] = literal_column("'integer'")
_OVERFLOW: Final[ColumnElement[int]] = literal_column("abs(-9223372036854775807 - 1)")


def columns_of(records: Sequence[W]) -> dict[str, list[object]]:
    """Return rows by column: the lists that are the parameters of a `batch`."""
    return dict(zip(records[0]._fields, map(list, zip(*records, strict=True)), strict=True))


class Insert(Generic[W]):
    """Inserts rows of the type W into a table."""

    def __init__(self, table: Table, shape: type[W]) -> None:
        self.table = table
        self.columns = shape._fields
        self.kinds: Mapping[str, ColumnType] = {name: table.c[name].type for name in self.columns}
        self.statement: Final = Statement[None](self._build)

    def _build(self, dialect: DialectName) -> ClauseElement:
        kinds = self.kinds
        if dialect == "postgresql":
            rows = batch_of_texts(dialect, **kinds)
            chosen = select(*(rows.c[name] for name in kinds))
            return insert(self.table).from_select(list(kinds), chosen, include_defaults=False)
        return insert(self.table).values(
            {name: bindparam(name, type_=kind) for name, kind in kinds.items()}
        )


class Upsert(Generic[W]):
    """Inserts rows of the type W; a row with a stored primary key is updated instead.

    What is in `added` is added to what is there, other columns replace it; `kept` columns are not
    changed. A sum that does not fit 64 bits is BadUserInput.
    """

    def __init__(
        self,
        table: Table,
        shape: type[W],
        *,
        added: Collection[str] = (),
        kept: Collection[str] = (),
    ) -> None:
        self._table = table
        self.columns = shape._fields
        self._added = frozenset(added)
        self._key = [column.name for column in table.primary_key.columns]
        self._changed = [
            name for name in self.columns if name not in self._key and name not in kept
        ]
        self.statement: Final = Statement[None](self._build)

    def _build(self, dialect: DialectName) -> ClauseElement:
        table = self._table
        kinds = {name: table.c[name].type for name in self.columns}
        if dialect == "postgresql":
            rows = batch_of_texts(dialect, **kinds)
            on_postgresql = postgresql.insert(table).from_select(
                list(kinds), select(*(rows.c[name] for name in kinds))
            )
            return on_postgresql.on_conflict_do_update(
                index_elements=self._key, set_=self._changes(on_postgresql.excluded, add)
            )
        on_sqlite = sqlite.insert(table).values(
            {name: bindparam(name, type_=kind) for name, kind in kinds.items()}
        )
        return on_sqlite.on_conflict_do_update(
            index_elements=self._key, set_=self._changes(on_sqlite.excluded, _add_on_sqlite)
        )

    def _changes(
        self,
        excluded: ReadOnlyColumnCollection[str, KeyedColumnElement[Any]],
        add: Callable[[ColumnElement[int], ColumnElement[int]], Expression],
    ) -> dict[str, Expression]:
        there = self._table.c
        return {
            name: add(there[name], excluded[name]) if name in self._added else excluded[name]
            for name in self._changed
        }


def _add_on_sqlite(there: ColumnElement[int], more: ColumnElement[int]) -> Expression:
    """Add as Postgres does: a sum that does not fit is an error."""
    total = there + more
    return case((func.typeof(total) == _INTEGER, total), else_=_OVERFLOW)
