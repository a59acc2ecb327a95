"""Receipts and their numbers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple, NotRequired, TypedDict, cast

from sqlalchemy import BigInteger, String, bindparam, select

from gateway.models import Account, Receipt, ReceiptSequence, table_of
from gateway.principal import Principal
from gateway.store import sellers
from gateway.store.buyers import Buyer
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.parameters import any_of, batch
from gateway.store.engine.sql import DialectName, Query
from gateway.store.engine.statement import Statement
from gateway.store.engine.stored_json import loads
from gateway.store.engine.write import Insert, Upsert
from gateway.store.taxes import PrintedTax
from gateway.store.tenancy import Scoped, Visible

RECEIPT: Final = table_of(Receipt)
SEQUENCE: Final = table_of(ReceiptSequence)
_ACCOUNT: Final = table_of(Account)


class IssuedReceipt(NamedTuple):
    """A receipt's cells; `data` is what its document is printed from, as JSON."""

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
    seller_id: int | None = None


class ReceiptMethod(TypedDict):
    """The payment method on a receipt; receipts of earlier versions lack `displayName`."""

    type: NotRequired[str | None]
    brand: NotRequired[str | None]
    last4: NotRequired[str | None]
    label: NotRequired[str | None]
    displayName: NotRequired[str | None]


class ReceiptPurchase(TypedDict):
    """The purchase's details on a receipt."""

    kind: str
    description: str | None
    createdAt: str
    paymentMethod: ReceiptMethod


class ReceiptLine(TypedDict):
    """A line: its kind, and an exact decimal."""

    kind: str
    amount: str


class ReceiptRefund(TypedDict):
    """The refund's details on a credit note."""

    createdAt: str
    reason: str | None


class CanceledNote(TypedDict):
    """The credit note that a document cancels, and why its refund failed."""

    number: str
    reason: str | None


class ReceiptData(TypedDict):
    """The data that a document is printed from: instants are ISO 8601, amounts exact decimals."""

    format: int
    number: str
    issuedAt: str
    timeZone: str
    currency: str
    buyer: Buyer
    purchase: ReceiptPurchase
    lines: list[ReceiptLine]
    net: str
    tax: str
    total: str
    taxes: NotRequired[list[PrintedTax]]
    refund: NotRequired[ReceiptRefund]
    cancels: NotRequired[CanceledNote]


def parse_data(data: str) -> ReceiptData:
    """Return the content of a receipt's `data`."""
    return cast("ReceiptData", loads(data))


class LastSequence(NamedTuple):
    """The last number used in an account's year."""

    account_id: int
    year: int
    last_sequence: int


class RefundDocumentRow(TypedDict):
    """A document of a refund, without its printed data."""

    account_id: int
    refund_id: int
    cancels_id: int | None
    id: int
    number: str
    total_nanos: int
    tax_nanos: int
    issued_at: datetime


class DocumentRow(TypedDict):
    """The principal's role in the account of a receipt's number, and what its document is printed
    from: null where there is no such receipt. `original_number` is that of the receipt that a
    credit note takes back.
    """

    role: str
    number: str | None
    refund_id: int | None
    cancels_id: int | None
    data: str | None
    seller_id: int | None
    original_number: str | None


class _Sequence(TypedDict):
    account_id: int
    year: int
    last_sequence: int


def _document(visible: Visible) -> Query:
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


def _of_refunds(dialect: DialectName) -> Query:
    wanted = batch(dialect, account_id=BigInteger(), refund_id=BigInteger())
    same = (RECEIPT.c.account_id == wanted.c.account_id) & (
        RECEIPT.c.refund_id == wanted.c.refund_id
    )
    names = ("account_id", "refund_id", "cancels_id", "id", "number", "total_nanos", "tax_nanos")
    columns = [RECEIPT.c[name] for name in (*names, "issued_at")]
    return select(*columns).select_from(wanted.join(RECEIPT, same))


_DOCUMENT: Final = Scoped[DocumentRow](_document)
_OF_REFUNDS: Final = Statement[RefundDocumentRow](_of_refunds)
_SEQUENCES: Final = Statement[_Sequence](
    select(SEQUENCE).where(any_of(SEQUENCE.c.account_id, "account_ids"))
)
_ADD: Final = Insert(RECEIPT, IssuedReceipt)
_SAVE_SEQUENCE: Final = Upsert(SEQUENCE, LastSequence)


async def sequences(reader: Reader, account_ids: Sequence[int]) -> dict[tuple[int, int], int]:
    """Return the last numbers used, by (account, year)."""
    rows = await reader.fetch(_SEQUENCES, account_ids=list(account_ids))
    return {(row["account_id"], row["year"]): row["last_sequence"] for row in rows}


async def of_refunds(
    reader: Reader, refunds: Sequence[tuple[int, int]]
) -> Sequence[RefundDocumentRow]:
    """Return the documents of refunds (account, id), without their printed data."""
    if not refunds:
        return []
    accounts, ids = zip(*refunds, strict=True)
    return await reader.fetch(_OF_REFUNDS, account_id=list(accounts), refund_id=list(ids))


async def append(
    transaction: Transaction,
    receipts: Sequence[IssuedReceipt],
    last_sequences: Sequence[LastSequence],
) -> None:
    """Add receipts, issued by the current seller, and keep the last numbers
    used.
    """
    if receipts:
        seller_id = await sellers.newest_id(transaction)
        await transaction.insert(_ADD, [each._replace(seller_id=seller_id) for each in receipts])
    await transaction.upsert(_SAVE_SEQUENCE, last_sequences)


async def find_document(
    reader: Reader, principal: Principal, prefix: str, number: str
) -> DocumentRow | None:
    """Return the receipt of a number in the account of a prefix; None where
    the principal may not read the account.
    """
    rows = await _DOCUMENT.fetch(reader, principal, prefix=prefix, number=number)
    return rows[0] if rows else None
