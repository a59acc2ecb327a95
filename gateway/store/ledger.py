"""The ledger's rows: appended, never changed."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, String, and_, select

from gateway.models import LedgerEntry, table_of
from gateway.store.database import Transaction
from gateway.store.statement import DialectName, Statement, batch

ENTRY: Final = table_of(LedgerEntry)

COLUMNS: Final = (
    "account_id",
    "version",
    "cause",
    "amount_nanos",
    "balance_nanos",
    "source_key",
    "purchase_id",
    "description",
    "effective_at",
    "recorded_at",
    "refund_id",
    "dispute_id",
)


def _known_sources(dialect: DialectName) -> Any:
    wanted = batch(dialect, account_id=BigInteger(), source_key=String())
    same = and_(
        ENTRY.c.account_id == wanted.c.account_id, ENTRY.c.source_key == wanted.c.source_key
    )
    return select(ENTRY.c.account_id, ENTRY.c.source_key, ENTRY.c.version).select_from(
        wanted.join(ENTRY, same)
    )


_KNOWN_SOURCES: Final = Statement(_known_sources)


async def append(transaction: Transaction, entries: Sequence[Sequence[Any]]) -> None:
    """Add entries, whose cells stand in the order of `COLUMNS`."""
    await transaction.insert(ENTRY, COLUMNS, entries)


async def known_sources(
    transaction: Transaction, sources: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], int]:
    """Return the versions of those (account, source key) that are booked."""
    if not sources:
        return {}
    accounts, keys = zip(*sources, strict=True)
    rows = await transaction.fetch(_KNOWN_SOURCES, account_id=list(accounts), source_key=list(keys))
    return {(row["account_id"], row["source_key"]): row["version"] for row in rows}
