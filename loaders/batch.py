"""Loads the values of keys in batches.

The function that a loader calls must not be bound to an object that holds the loader: such a cycle
would make every request's loaders garbage that only the collector frees.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from functools import partial
from typing import Any, Final, Generic, TypeAlias, TypeVar

from strawberry.dataloader import DataLoader

from gateway.principal import Principal
from gateway.store import Page, Selection, Snapshot
from gateway.store.relation import Fetch
from gateway.waves import Promise, Wave

MAX_KEYS: Final = 1_000
"""Keys of one statement; more are loaded in several."""

K = TypeVar("K")
V = TypeVar("V")


class Loader(Generic[K, V]):
    """Loads a relation's values: keys that are requested in one wave, or else in one turn of the
    event loop, are read together.

    Outside a wave `load` is a DataLoader's. `load_all` takes a column of keys, without a future
    for each key. A caller that is cancelled ends its own wait alone.
    """

    def __init__(
        self, fetch: Callable[[list[K]], Awaitable[list[V]]], wave: Wave | None = None
    ) -> None:
        self._fetch = fetch
        self._wave = wave or Wave()
        self._columns: dict[K, _Read[K, V]] = {}
        self._kept: list[tuple[Sequence[K], Sequence[V]]] = []
        self._alone: DataLoader[K, V] | None = None
        self._next: list[K] = []
        self._reading: _Read[K, V] | None = None

    def begin(self, key: K) -> None:
        """Begin the load of one key."""
        self._read_of(key, begins=True)

    def load(self, key: K) -> Awaitable[V]:
        """Return the value of one key, which a column may have loaded before."""
        if self._wave.is_alone:
            return self._load_at_once(key)
        read = self._read_of(key, begins=self._wave.running)
        return self._load_alone(key) if read is None else _Value(read, key)

    def _read_of(self, key: K, *, begins: bool) -> "_Read[K, V] | None":
        """Return the read of a key, which begins if it `begins`; None for a key that is not read,
        or alone. To look a key up costs about as much as all else here.
        """
        if self._kept:
            self._note_kept()
        read = self._columns.get(key)
        if read is None and begins and not self._is_loaded_alone(key):
            read = self._columns[key] = self._following()
            self._next.append(key)
        return read

    async def _load_at_once(self, key: K) -> V:
        """Return the value of a key that no other is read with."""
        read = self._read_of(key, begins=False)
        if read is not None:
            return await _Value(read, key)
        values = await self._fetch([key])
        self.keep([key], values)
        return values[0]

    def _load_alone(self, key: K) -> Awaitable[V]:
        if self._alone is None:
            self._alone = DataLoader(load_fn=self._fetch, max_batch_size=MAX_KEYS)
        return asyncio.shield(self._alone.load(key))

    def _is_loaded_alone(self, key: K) -> bool:
        return self._alone is not None and self._alone.cache_map.get(key) is not None

    def load_all(self, keys: Sequence[K]) -> Awaitable[Sequence[V | Exception]]:
        """Return the value of each key, in their order, or the exception that its load raised.

        The load begins later, with all keys that are requested before.
        """
        self._request(keys)
        return self._values(keys)

    def _request(self, keys: Sequence[K]) -> None:
        if self._kept:
            self._note_kept()
        known = self._columns
        new = [key for key in dict.fromkeys(keys) if key not in known]
        if self._alone is not None:
            new = [key for key in new if not self._is_loaded_alone(key)]
        if new:
            read = self._following()
            self._next += new
            known.update(dict.fromkeys(new, read))

    def _following(self) -> "_Read[K, V]":
        """Return the read that begins next, which takes the keys of `_next`."""
        in_wave = self._wave.running
        read = self._reading
        if not self._next or read is None or isinstance(read, Promise) is not in_wave:
            self._next = []
            work = partial(self._read, self._next)
            read = self._wave.put_off(work) if in_wave else asyncio.create_task(work())
            self._reading = read
        return read

    def keep(self, keys: Sequence[K], values: Sequence[V]) -> None:
        """Take the values of keys that were read with rows of another relation."""
        self._kept.append((keys, values))

    def kept(self, keys: Sequence[K]) -> Sequence[V] | None:
        """Return the values of keys that were kept, in their order; None where there are others."""
        for known, values in self._kept:
            if known[: len(keys)] == keys:  # of a page that was read to one row more
                return values if len(known) == len(keys) else values[: len(keys)]
        return None

    def _note_kept(self) -> None:
        """Note the kept values by their keys, for requests of other keys."""
        kept, self._kept = self._kept, []
        for keys, values in kept:
            read: Promise[dict[K, V | Exception]] = Promise(self._wave)
            read.keep(dict(zip(keys, values, strict=True)))
            new = [key for key in keys if key not in self._columns]
            self._columns.update(dict.fromkeys(new, read))

    async def _values(self, keys: Sequence[K]) -> list[V | Exception]:
        found: dict[K, V | Exception] = {}
        for read in dict.fromkeys([self._columns.get(key) for key in keys]):
            if read is not None:
                found |= await _shielded(read)
        for key in keys:
            if key not in found:
                found[key] = await self.load(key)
        return [found[key] for key in keys]

    async def _read(self, keys: list[K]) -> dict[K, V | Exception]:
        if self._next is keys:
            self._next = []
        found: dict[K, V | Exception] = {}
        for start in range(0, len(keys), MAX_KEYS):
            batch = keys[start : start + MAX_KEYS]
            try:
                found |= zip(batch, await self._fetch(batch), strict=True)
            except Exception as error:
                found |= dict.fromkeys(batch, error)
        return found


_Read: TypeAlias = asyncio.Task[dict[K, V | Exception]] | Promise[dict[K, V | Exception]]
"""The values of keys that are read together."""


class _Value(Generic[K, V]):
    """Awaits the value of one key."""

    __slots__ = ("_key", "_read")

    def __init__(self, read: _Read[K, V], key: K) -> None:
        self._read = read
        self._key = key

    def __await__(self) -> Generator[Any, Any, V]:
        read = self._read
        done = read if isinstance(read, Promise) else asyncio.shield(read)
        found = (yield from done.__await__())[self._key]
        if isinstance(found, Exception):
            raise found
        return found


def _shielded(read: _Read[K, V]) -> Awaitable[dict[K, V | Exception]]:
    """Return an awaitable that may be cancelled without an end of the read."""
    return read if isinstance(read, Promise) else asyncio.shield(read)


PageLoader: TypeAlias = Loader[Page, Sequence[V]]
TotalsLoader: TypeAlias = Loader[Selection, V]


def bind(fetch: Fetch[K, V], snapshot: Snapshot, principal: Principal) -> Loader[K, V]:
    """Return a loader of a relation's values in a snapshot, as a principal may see them."""
    return Loader(partial(fetch, snapshot, principal), snapshot.wave)
