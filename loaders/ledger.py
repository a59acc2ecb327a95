"""Loads ledger rows by key: the version of their first entry."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from strawberry.dataloader import DataLoader

from gateway.models import LedgerDay, LedgerEntry, table_of
from gateway.principal import Principal
from gateway.store import Row, Snapshot
from gateway.store.ledger_listing import day_columns, entry_columns, is_move, whole_entry
from loaders.batch import MAX_KEYS, Key, Keyed

_ENTRY = table_of(LedgerEntry)

_ENTRIES: Final = Keyed(
    _ENTRY, "account_id", "version", columns=entry_columns, condition=is_move(_ENTRY)
)
_DAYS: Final = Keyed(table_of(LedgerDay), "account_id", "first_version", columns=day_columns)


def ledger_row_by_id(snapshot: Snapshot, principal: Principal) -> DataLoader[Key, Row | None]:
    """Return a loader of rows by (account, key); None for any other version, and without access.
    Two statements for a batch.
    """
    return DataLoader(load_fn=partial(_load, snapshot, principal), max_batch_size=MAX_KEYS)


async def _load(snapshot: Snapshot, principal: Principal, keys: Sequence[Key]) -> list[Row | None]:
    entries = await _ENTRIES.fetch(snapshot, principal, keys)
    days = await _DAYS.fetch(snapshot, principal, keys)
    return [whole_entry(entry) if entry else day for entry, day in zip(entries, days, strict=True)]
