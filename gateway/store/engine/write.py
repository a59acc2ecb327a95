"""Statements that insert or update many rows at once."""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache
from operator import add
from typing import Any, Final, TypeAlias

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

from gateway.store.engine.statement import DialectName, Statement, written_batch

Rows: TypeAlias = Sequence[Sequence[Any]] | Iterator[Sequence[Any]]
"""Many rows' cells; an iterator is read while they are written."""

PIECE: Final = 256
"""Most rows prepared at once: one or two milliseconds without a turn for the event loop."""

# SQLite adds up integers that do not fit to a float; its abs() of the least one is an error.
_INTEGER: Final[ColumnElement[str]] = literal_column("'integer'")
_OVERFLOW: Final[ColumnElement[int]] = literal_column("abs(-9223372036854775807 - 1)")


@cache
def insert_statement(table: Table, columns: tuple[str, ...]) -> Statement:
    """Return an insert of one row, a parameter for each column."""
    return Statement(
        insert(table).values({name: bindparam(name, type_=table.c[name].type) for name in columns})
    )


class Upsert:
    """Inserts rows of `columns`; a row with an existing primary key is updated instead.

    `columns` gives the order of the cells. Columns in `added` are added to the stored values,
    `kept` columns are not changed, and all others are replaced. A sum that does not fit 64 bits is
    BadUserInput.
    """

    def __init__(
        self,
        table: Table,
        columns: Collection[str],
        *,
        added: Collection[str] = (),
        kept: Collection[str] = (),
    ) -> None:
        self._table = table
        self.columns = tuple(columns)
        self._added = frozenset(added)
        self._key = [column.name for column in table.primary_key.columns]
        self._changed = [
            name for name in self.columns if name not in self._key and name not in kept
        ]
        self.statement = Statement(self._build)

    def _build(self, dialect: DialectName) -> ClauseElement:
        table = self._table
        kinds = {name: table.c[name].type for name in self.columns}
        if dialect == "postgresql":
            rows = written_batch(dialect, **kinds)
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
        self, excluded: Any, add: Callable[[ColumnElement[int], ColumnElement[int]], Any]
    ) -> dict[str, Any]:
        there = self._table.c
        return {
            name: add(there[name], excluded[name]) if name in self._added else excluded[name]
            for name in self._changed
        }


def _add_on_sqlite(there: ColumnElement[int], more: ColumnElement[int]) -> ColumnElement[Any]:
    """Add as Postgres does: a sum that does not fit is an error."""
    total = there + more
    return case((func.typeof(total) == _INTEGER, total), else_=_OVERFLOW)
