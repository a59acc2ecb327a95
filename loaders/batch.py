"""The binding of the store's relations to one request.

What a DataLoader calls is bound to a snapshot and a principal, never to an object that holds the
loader: such a cycle would make every request's loaders garbage that only the collector frees.
"""

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

PageLoader: TypeAlias = DataLoader[Page, list[V]]
TotalsLoader: TypeAlias = DataLoader[Selection, V]


def bind(fetch: Fetch[K, V], snapshot: Snapshot, principal: Principal) -> DataLoader[K, V]:
    """Return a loader of a relation's values: keys of one moment are read together."""
    return DataLoader(load_fn=partial(fetch, snapshot, principal), max_batch_size=MAX_KEYS)
