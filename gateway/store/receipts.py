"""Receipts and their numbers."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select

from gateway.models import Receipt, ReceiptSequence, table_of
from gateway.store.database import Transaction
from gateway.store.statement import Statement, any_of
from gateway.store.write import Upsert

RECEIPT: Final = table_of(Receipt)
SEQUENCE: Final = table_of(ReceiptSequence)

COLUMNS: Final = (
    "account_id",
    "id",
    "number",
    "year",
    "sequence",
    "purchase_id",
    "refund_id",
    "currency",
    "total_nanos",
    "tax_nanos",
    "issued_at",
    "data",
)

_SEQUENCES: Final = Statement(select(SEQUENCE).where(any_of(SEQUENCE.c.account_id, "account_ids")))
_SAVE_SEQUENCE: Final = Upsert(SEQUENCE, ("account_id", "year", "last_sequence"))


async def sequences(
    transaction: Transaction, account_ids: Sequence[int]
) -> dict[tuple[int, int], int]:
    """Return the last numbers used, by (account, year)."""
    rows = await transaction.fetch(_SEQUENCES, account_ids=list(account_ids))
    return {(row["account_id"], row["year"]): row["last_sequence"] for row in rows}


async def append(
    transaction: Transaction,
    receipts: Sequence[Sequence[Any]],
    last_sequences: Sequence[tuple[int, int, int]],
) -> None:
    """Add receipts, cells in the order of `COLUMNS`, and keep the last numbers used."""
    await transaction.insert(RECEIPT, COLUMNS, receipts)
    await transaction.upsert(_SAVE_SEQUENCE, last_sequences)
