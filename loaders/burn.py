"""Loads the facts behind accounts' burn rates."""

from functools import partial

from strawberry.dataloader import DataLoader

from gateway.principal import Principal
from gateway.store import Snapshot
from gateway.store.burn import BurnFacts, BurnKey, visible_burn_facts
from loaders.batch import MAX_KEYS


def burn_by_periods(snapshot: Snapshot, principal: Principal) -> DataLoader[BurnKey, BurnFacts]:
    """Return a loader of a burn rate's facts; empty without access to the account."""
    load = partial(visible_burn_facts, snapshot, principal)
    return DataLoader(load_fn=load, max_batch_size=MAX_KEYS)
