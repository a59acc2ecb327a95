"""Receipts and their numbers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, String, bindparam, select
from sqlalchemy.sql import Select

from gateway.models import Account, Receipt, ReceiptSequence, table_of
from gateway.principal import Principal
from gateway.store import sellers
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.statement import DialectName, Row, Statement, any_of, batch
from gateway.store.engine.write import Upsert
from gateway.store.tenancy import Scoped, Visible

RECEIPT: Final = table_of(Receipt)
SEQUENCE: Final = table_of(ReceiptSequence)
_ACCOUNT: Final = table_of(Account)


class IssuedReceipt(NamedTuple):
    """A new document's cells, except for the seller. `data` is the JSON of the document."""

    account_id: int
    id: int
    number: str
    year: int
    sequence: int
    purchase_id: int
    refund_id: int | None
    cancels_id: int | None
    currency: str
    total_nanos: int
    tax_nanos: int
    issued_at: datetime
    data: str


COLUMNS: Final = (*IssuedReceipt._fields, "seller_id")


def _document(visible: Visible) -> Select[Any]:
    """Select the account with this receipt prefix, and the data of one of its receipts; a credit
    note names its receipt.
    """
    key = _ACCOUNT.c.account_id
    original = RECEIPT.alias("original")
    names = ("number", "refund_id", "cancels_id", "data", "seller_id")
    columns = [RECEIPT.c[name] for name in names]
    return (
        select(
            visible.role(key).label("role"), *columns, original.c.number.label("original_number")
        )
        .select_from(_ACCOUNT)
        .outerjoin(
            RECEIPT,
            (RECEIPT.c.account_id == key)
            & (RECEIPT.c.number == bindparam("number", type_=String())),
        )
        .outerjoin(
            original,
            (original.c.account_id == key)
            & (original.c.purchase_id == RECEIPT.c.purchase_id)
            & original.c.refund_id.is_(None)
            & RECEIPT.c.refund_id.is_not(None),
        )
        .where(visible(key), _ACCOUNT.c.receipt_prefix == bindparam("prefix", type_=String()))
    )


def _of_refunds(dialect: DialectName) -> Any:
    wanted = batch(dialect, account_id=BigInteger(), refund_id=BigInteger())
    same = (RECEIPT.c.account_id == wanted.c.account_id) & (
        RECEIPT.c.refund_id == wanted.c.refund_id
    )
    names = ("account_id", "refund_id", "cancels_id", "id", "number", "total_nanos", "tax_nanos")
    columns = [RECEIPT.c[name] for name in (*names, "issued_at")]
    return select(*columns).select_from(wanted.join(RECEIPT, same))


_DOCUMENT: Final = Scoped(_document)
_OF_REFUNDS: Final = Statement(_of_refunds)
_SEQUENCES: Final = Statement(select(SEQUENCE).where(any_of(SEQUENCE.c.account_id, "account_ids")))
_SAVE_SEQUENCE: Final = Upsert(SEQUENCE, ("account_id", "year", "last_sequence"))


async def sequences(reader: Reader, account_ids: Sequence[int]) -> dict[tuple[int, int], int]:
    """Return the last numbers used, by (account, year)."""
    rows = await reader.fetch(_SEQUENCES, account_ids=list(account_ids))
    return {(row["account_id"], row["year"]): row["last_sequence"] for row in rows}


async def of_refunds(reader: Reader, refunds: Sequence[tuple[int, int]]) -> Sequence[Row]:
    """Return the documents of refunds (account, id), without what they are printed from."""
    if not refunds:
        return []
    accounts, ids = zip(*refunds, strict=True)
    return await reader.fetch(_OF_REFUNDS, account_id=list(accounts), refund_id=list(ids))


async def append(
    transaction: Transaction,
    receipts: Sequence[IssuedReceipt],
    last_sequences: Sequence[tuple[int, int, int]],
) -> None:
    """Add receipts, issued by the seller with the details in force, and keep the last numbers used:
    (account, year, number).
    """
    if receipts:
        seller_id = await sellers.newest_id(transaction)
        cells = [(*each, seller_id) for each in receipts]
        await transaction.insert(RECEIPT, COLUMNS, cells)
    await transaction.upsert(_SAVE_SEQUENCE, last_sequences)


async def find_document(
    reader: Reader, principal: Principal, prefix: str, number: str
) -> Row | None:
    """Return the principal's `role` in the account with the receipt prefix `prefix`, and the data
    of one of its receipts.

    None where they may not read the account; the receipt's columns are null for a missing receipt.
    """
    rows = await _DOCUMENT.fetch(reader, principal, prefix=prefix, number=number)
    return rows[0] if rows else None
