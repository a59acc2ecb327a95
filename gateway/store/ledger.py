"""The ledger's rows: appended, never changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypedDict

from sqlalchemy import BigInteger, String, and_, select

from gateway.models import LedgerEntry, table_of
from gateway.store.engine.database import Transaction
from gateway.store.engine.parameters import batch
from gateway.store.engine.sql import DialectName, Query
from gateway.store.engine.statement import Statement
from gateway.store.engine.write import Insert

ENTRY: Final = table_of(LedgerEntry)


class Posting(NamedTuple):
    """A new entry's cells."""

    account_id: int
    version: int
    cause: str
    amount_nanos: int
    balance_nanos: int
    source_key: str
    purchase_id: int | None
    refund_id: int | None
    dispute_id: int | None
    description: str | None
    effective_at: datetime
    recorded_at: datetime
    earliest_at: datetime | None = None


class _BookedKey(TypedDict):
    account_id: int
    source_key: str
    version: int


def _booked_keys(dialect: DialectName) -> Query:
    wanted = batch(dialect, account_id=BigInteger(), source_key=String())
    same = and_(
        ENTRY.c.account_id == wanted.c.account_id, ENTRY.c.source_key == wanted.c.source_key
    )
    return select(ENTRY.c.account_id, ENTRY.c.source_key, ENTRY.c.version).select_from(
        wanted.join(ENTRY, same)
    )


_ADD: Final = Insert(ENTRY, Posting)
_BOOKED_KEYS: Final = Statement[_BookedKey](_booked_keys)


async def append(transaction: Transaction, postings: Sequence[Posting]) -> None:
    """Add entries."""
    await transaction.insert(_ADD, postings)


async def booked_keys(
    transaction: Transaction, source_keys: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], int]:
    """Return the version of each (account, source key) that the ledger has."""
    if not source_keys:
        return {}
    accounts, keys = zip(*source_keys, strict=True)
    rows = await transaction.fetch(_BOOKED_KEYS, account_id=list(accounts), source_key=list(keys))
    return {(row["account_id"], row["source_key"]): row["version"] for row in rows}
