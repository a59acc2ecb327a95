"""Loads the times of accounts' first facts."""

from datetime import datetime
from functools import partial

from strawberry.dataloader import DataLoader

from gateway.principal import Principal
from gateway.store import Snapshot
from gateway.store.first_facts import first_facts
from loaders.batch import MAX_KEYS


def first_fact_by_account(
    snapshot: Snapshot, principal: Principal
) -> DataLoader[int, datetime | None]:
    """Return a loader of the quarter hour of an account's first fact; see `first_facts`."""
    return DataLoader(load_fn=partial(first_facts, snapshot, principal), max_batch_size=MAX_KEYS)
