"""Orders, fills and splits batched reads for all loaders.

A loader states its key and its statement: a `Keyed` for each key's one row, a `Listing` for each
key's page and totals. What a DataLoader calls is bound to a snapshot and a principal, never to an
object that holds the loader: such a cycle would make every request's loaders garbage that only the
collector frees.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final, Protocol, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Select, Table, and_, select, true
from strawberry.dataloader import DataLoader

from gateway.principal import Principal
from gateway.store import Page, Reader, Row, Scoped, Selection, Snapshot, Visible, batch
from gateway.store.listing import Columns

MAX_KEYS: Final = 1_000
"""Keys of one statement; more are loaded in several."""

Key: TypeAlias = tuple[int, ...]
PageLoader: TypeAlias = DataLoader[Page, list[Row]]
TotalsLoader: TypeAlias = DataLoader[Selection, Row]


class Paged(Protocol):
    """Rows in a fixed order by key, a page or the totals of many keys at a time: a `Listing`."""

    async def fetch_pages(
        self, reader: Reader, principal: Principal, pages: Sequence[Page], /
    ) -> list[list[Row]]: ...

    async def fetch_totals(
        self, reader: Reader, principal: Principal, selections: Sequence[Selection], /
    ) -> list[Row]: ...


class Keyed:
    """A table's rows by key columns that name at most one row: 64-bit integers, the account first.

    `columns` are what a row has (default: the table's) beside its position `n` in the batch.
    """

    def __init__(
        self,
        table: Table,
        *key: str,
        columns: Columns = lambda _, rows: list(rows.c),
        condition: ColumnElement[bool] | None = None,
    ) -> None:
        self._table = table
        self._key = key
        self._columns = columns
        self._condition = true() if condition is None else condition
        self._statement = Scoped(self._build)

    def _build(self, visible: Visible) -> Select[Any]:
        keys = visible.of(batch(visible.dialect, **{name: BigInteger() for name in self._key}))
        found = and_(*(self._table.c[name] == keys.c[name] for name in self._key))
        return (
            select(*self._columns(visible, self._table), keys.c.n)
            .join_from(keys, self._table, found)
            .where(self._condition)
        )

    def loader(self, snapshot: Snapshot, principal: Principal) -> DataLoader[Key, Row | None]:
        """Return a loader of rows by key; None for missing rows and for rows without access."""
        return DataLoader(load_fn=partial(self.fetch, snapshot, principal), max_batch_size=MAX_KEYS)

    async def fetch(
        self, snapshot: Snapshot, principal: Principal, keys: Sequence[Key]
    ) -> list[Row | None]:
        """Return the rows of keys, at most `MAX_KEYS`, in one statement."""
        values = {name: [key[index] for key in keys] for index, name in enumerate(self._key)}
        found: list[Row | None] = [None] * len(keys)
        for row in await self._statement.fetch(snapshot, principal, **values):
            found[row["n"] - 1] = row
        return found


def page_loader(listing: Paged, snapshot: Snapshot, principal: Principal) -> PageLoader:
    """Return a loader of pages; a page of an account that is not the principal's is empty."""
    return DataLoader(
        load_fn=partial(listing.fetch_pages, snapshot, principal), max_batch_size=MAX_KEYS
    )


def totals_loader(listing: Paged, snapshot: Snapshot, principal: Principal) -> TotalsLoader:
    """Return a loader of the count and the totals over a selection."""
    return DataLoader(
        load_fn=partial(listing.fetch_totals, snapshot, principal), max_batch_size=MAX_KEYS
    )


def by_position(rows: Sequence[Row], count: int) -> list[list[Row]]:
    """Return the rows of each of `count` keys, by their `n` (from 1) and in the order they have."""
    grouped: list[list[Row]] = [[] for _ in range(count)]
    for row in rows:
        grouped[row["n"] - 1].append(row)
    return grouped
