"""Relations: how rows are read for one parent or for many, in one statement.

A relation has a key, an order, columns, conditions and totals, and reads the values of many keys at
once, in the order of the keys: a `Keyed` the one row of each key, a `Listing` a page or the totals
of each selection. It knows nothing of who batches the keys: a DataLoader binds its `fetch` to one
request.
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar, cast

from sqlalchemy import BigInteger, ColumnElement, FromClause, Table, and_, select, true

from gateway.principal import Principal
from gateway.store.engine.database import Reader
from gateway.store.engine.sql import Expression, Query, one_row
from gateway.store.engine.statement import R
from gateway.store.tenancy import Batched, HasCells, Visible

K = TypeVar("K")
"""The key of a relation."""
K_contra = TypeVar("K_contra", contravariant=True)

V = TypeVar("V")
"""The result for a key: a row, None, rows, totals or a figure."""

Fetch: TypeAlias = Callable[[Reader, Principal, Sequence[K]], Awaitable[list[V]]]
"""Reads the values of keys, in the order of the keys, that a principal may see."""

Key: TypeAlias = tuple[int, ...]
"""The values of a `Keyed`'s key columns."""

Columns: TypeAlias = Callable[[Visible, FromClause], Sequence[Expression]]
"""Returns the columns of a row, of a table or its alias."""


Wanted: TypeAlias = frozenset[str] | None
"""Names of the columns that rows have, or None for all of them. They are the schema's, never a
client's text: each set takes a statement of its own.
"""

STATEMENTS: Final = 256
"""Most statements that a relation keeps; the one that was not used for longest goes first."""


def only(columns: Columns, wanted: Wanted) -> Columns:
    """Return the wanted ones of some columns. Where none is wanted, the first one is: SQLite reads
    no rows without columns.

    Raises KeyError for a name that is none of theirs.
    """
    if wanted is None:
        return columns

    def some(visible: Visible, rows: FromClause) -> Sequence[Expression]:
        named = {column.key: column for column in columns(visible, rows)}
        if unknown := wanted - named.keys():
            raise KeyError(*sorted(unknown))
        found = [column for name, column in named.items() if name in wanted]
        return found or [*named.values()][:1]

    return some


class NarrowFetch(Protocol[K_contra, V]):
    """A `Fetch` that can read some columns only."""

    def __call__(
        self,
        reader: Reader,
        principal: Principal,
        keys: Sequence[K_contra],
        /,
        columns: Wanted = None,
    ) -> Coroutine[Any, Any, list[V]]: ...


class _Numbered(Protocol):
    """A row found for a key: `n` is the key's position in its batch, from 1. Rows for one key need
    none.
    """

    def __getitem__(self, name: str, /) -> int: ...


def position(row: object) -> int:
    """Return the index of the key that a row of a batch belongs to."""
    return cast("_Numbered", row)["n"] - 1


def one_by_position(rows: Sequence[R], count: int) -> list[R | None]:
    """Return the row of each of `count` keys; None where there is none."""
    if count == 1:
        return [rows[0] if rows else None]
    found: list[R | None] = [None] * count
    for row, numbered in zip(rows, _numbered(rows), strict=True):
        found[numbered["n"] - 1] = row
    return found


def by_position(rows: Sequence[R], count: int) -> Sequence[Sequence[R]]:
    """Return the rows of each of `count` keys, in the order they have."""
    if count == 1:
        return [rows]
    grouped: list[list[R]] = [[] for _ in range(count)]
    for row, numbered in zip(rows, _numbered(rows), strict=True):
        grouped[numbered["n"] - 1].append(row)
    return grouped


def _numbered(rows: Sequence[object]) -> Sequence[_Numbered]:
    return cast("Sequence[_Numbered]", rows)


class Keyed(Generic[R]):
    """A table's rows R by key columns that name at most one row: 64-bit integers, the account
    first. `columns` are what a row has (default: the table's).
    """

    def __init__(
        self,
        table: Table,
        *key: str,
        columns: Columns = lambda _, rows: list(rows.c),
        condition: ColumnElement[bool] | None = None,
    ) -> None:
        self.table: Final = table
        self.key: Final = key
        self.columns: Final = columns
        self.condition: Final = true() if condition is None else condition
        self._cells = [(name, itemgetter(index)) for index, name in enumerate(key)]
        self._statement = lru_cache(STATEMENTS)(self._make_statement)

    def _make_statement(self, wanted: Wanted) -> Batched[R]:
        columns = only(self.columns, wanted)
        return Batched[R](lambda visible: self._build(visible, columns))

    def _build(self, visible: Visible, columns: Columns) -> Query:
        kinds = dict.fromkeys(self.key, BigInteger())
        rows = select(*columns(visible, self.table)).where(self.condition)
        if key := visible.only_key(**kinds):
            return one_row(rows.where(self._has(key), key.seen))
        keys = visible.keys(**kinds)
        return rows.add_columns(keys.c.n).join_from(keys, self.table, self._has(keys))

    def _has(self, keys: HasCells) -> ColumnElement[bool]:
        """Return whether a row has a key."""
        return and_(*(self.table.c[name] == keys.c[name] for name in self.key))

    async def fetch(
        self,
        reader: Reader,
        principal: Principal,
        keys: Sequence[Key],
        columns: Wanted = None,
    ) -> list[R | None]:
        """Return the row of each key; None where the principal sees no such row."""
        values = {name: [*map(cell, keys)] for name, cell in self._cells}
        rows = await self._statement(columns).fetch(reader, principal, values)
        return one_by_position(rows, len(keys))
