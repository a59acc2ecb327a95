"""Order, misses and chunking of batched reads, written once.

A loader states its key and its statement: a `Keyed` for each key's one row, a `Listing`
(`gateway.store`) for each key's page. The functions here are bound to a snapshot and a principal,
never to an object that holds the loader: such a cycle would make every request's loaders garbage
that only the collector frees.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

from sqlalchemy import BigInteger, FromClause, Select
from strawberry.dataloader import DataLoader

from gateway.principal import Principal
from gateway.store import Row, Scoped, Snapshot, Visible, batch

MAX_KEYS: Final = 1_000
"""Keys of one statement; more are loaded in several."""

Key: TypeAlias = tuple[int, ...]


class Keyed:
    """One statement for many keys: `build(visible, keys)` selects at most one row for each of
    `keys`, with its position `keys.c.n`.

    `keys` has the columns named, all 64-bit integers, and `visible` must filter what is read.
    """

    def __init__(self, *columns: str, build: Callable[[Visible, FromClause], Select[Any]]) -> None:
        self._columns = columns
        self._statement = Scoped(
            lambda visible: build(
                visible, batch(visible.dialect, **{name: BigInteger() for name in columns})
            )
        )

    def loader(self, snapshot: Snapshot, principal: Principal) -> DataLoader[Key, Row | None]:
        """Return a loader of rows by key; None for what is not there, or not the principal's."""
        return DataLoader(load_fn=partial(self._load, snapshot, principal), max_batch_size=MAX_KEYS)

    async def _load(
        self, snapshot: Snapshot, principal: Principal, keys: Sequence[Key]
    ) -> list[Row | None]:
        columns = dict(zip(self._columns, map(list, zip(*keys, strict=True)), strict=True))
        found: list[Row | None] = [None] * len(keys)
        for row in await self._statement.fetch(snapshot, principal, **columns):
            found[row["n"] - 1] = row
        return found


def by_position(rows: Sequence[Row], count: int) -> list[list[Row]]:
    """Return the rows of each of `count` keys, by their `n` (from 1) and in the order they have."""
    grouped: list[list[Row]] = [[] for _ in range(count)]
    for row in rows:
        grouped[row["n"] - 1].append(row)
    return grouped
