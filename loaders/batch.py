"""Loads the values of keys in batches.

The function that a loader calls must not be bound to an object that holds the loader: such a cycle
would make every request's loaders garbage that only the collector frees.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, TypeAlias, TypeVar

from strawberry.dataloader import DataLoader

from gateway.principal import Principal
from gateway.store import Page, Selection, Snapshot
from gateway.store.relation import Fetch

MAX_KEYS: Final = 1_000
"""Keys of one statement; more are loaded in several."""

K = TypeVar("K")
V = TypeVar("V")


class Loader(DataLoader[K, V]):
    """Loads a relation's values: keys that are requested in one turn of the event loop are read
    together.

    `load` is the DataLoader's. `load_all` takes a column of keys, without a future for each key.
    A caller that is cancelled ends its own wait alone.
    """

    def __init__(self, fetch: Callable[[list[K]], Awaitable[list[V]]]) -> None:
        super().__init__(load_fn=fetch, max_batch_size=MAX_KEYS)
        self._fetch = fetch
        self._columns: dict[K, asyncio.Task[dict[K, V | Exception]]] = {}
        self._next: list[K] = []

    def load(self, key: K) -> Awaitable[V]:
        """Return the value of one key, which a column may have loaded before."""
        if key in self._columns:
            return self._value(key)
        return asyncio.shield(super().load(key))

    def load_all(self, keys: Sequence[K]) -> Awaitable[list[V | Exception]]:
        """Return the value of each key, in their order, or the exception that its load raised.

        The load begins in the next turn of the event loop, with all keys that are requested before.
        """
        known, following = self._columns, self._next
        kept = self.cache_map
        wanted = (key for key in dict.fromkeys(keys) if key not in known)
        if new := [key for key in wanted if kept.get(key) is None]:
            task = known[following[0]] if following else asyncio.create_task(self._read_next())
            following += new
            known.update(dict.fromkeys(new, task))
        return self._values(keys)

    async def _value(self, key: K) -> V:
        found = (await asyncio.shield(self._columns[key]))[key]
        if isinstance(found, Exception):
            raise found
        return found

    async def _values(self, keys: Sequence[K]) -> list[V | Exception]:
        found: dict[K, V | Exception] = {}
        for task in dict.fromkeys([self._columns.get(key) for key in keys]):
            if task is not None:
                found |= await asyncio.shield(task)
        for key in keys:
            if key not in found:
                found[key] = await self.load(key)
        return [found[key] for key in keys]

    async def _read_next(self) -> dict[K, V | Exception]:
        keys, self._next = self._next, []
        found: dict[K, V | Exception] = {}
        for start in range(0, len(keys), MAX_KEYS):
            batch = keys[start : start + MAX_KEYS]
            try:
                found |= zip(batch, await self._fetch(batch), strict=True)
            except Exception as error:
                found |= dict.fromkeys(batch, error)
        return found


PageLoader: TypeAlias = Loader[Page, list[V]]
TotalsLoader: TypeAlias = Loader[Selection, V]


def bind(fetch: Fetch[K, V], snapshot: Snapshot, principal: Principal) -> Loader[K, V]:
    """Return a loader of a relation's values in a snapshot, as a principal may see them."""
    return Loader(partial(fetch, snapshot, principal))
