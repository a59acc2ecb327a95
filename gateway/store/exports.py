"""All rows of an export, in chunks, oldest first, each with its related rows.

One statement runs for the rows, and a few keyed ones for each chunk: no plan has to guess how many
rows there are, and memory does not grow with them. On SQLite each chunk of usage is a statement.
"""

from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Final, TypedDict

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Table,
    and_,
    bindparam,
    select,
)

from gateway.models import (
    Dispute,
    DisputeMovement,
    Receipt,
    Refund,
    table_of,
)
from gateway.principal import Principal
from gateway.store.engine.parameters import any_of
from gateway.store.engine.sql import Expression, Query
from gateway.store.engine.stream import Chunk, Stream
from gateway.store.purchase_listing import CREDIT_PURCHASES
from gateway.store.rows import (
    CreditPurchaseRow,
    DisputeMovementRow,
    DisputeRow,
    RefundRow,
)
from gateway.store.selection import Selection
from gateway.store.tenancy import Scoped, Visible

PURCHASES: Final = 150
"""Rows of a chunk: as many as are written in some 5 ms at most, for so long does nothing else run.
"""

_REFUND: Final = table_of(Refund)
_DISPUTE: Final = table_of(Dispute)
_MOVEMENT: Final = table_of(DisputeMovement)
_RECEIPT: Final = table_of(Receipt)


class ExportedRefund(RefundRow):
    """A refund with its credit note and the document that cancels that; null where there is none.
    Their `data` is what they are printed from.
    """

    receipt_number: str | None
    receipt_issued_at: datetime | None
    receipt_seller_id: int | None
    receipt_data: str | None
    cancellation_number: str | None
    cancellation_issued_at: datetime | None
    cancellation_seller_id: int | None
    cancellation_data: str | None


class ExportedDispute(DisputeRow):
    """A dispute with its movements."""

    movements: Sequence[DisputeMovementRow]


class ExportedPurchase(CreditPurchaseRow):
    """A purchase with its receipt (null until it has settled), its refunds in every status and its
    disputes, the oldest first.
    """

    receipt_number: str | None
    receipt_issued_at: datetime | None
    receipt_seller_id: int | None
    refunds: Sequence[ExportedRefund]
    disputes: Sequence[ExportedDispute]


class _Receipt(TypedDict):
    purchase_id: int
    number: str
    issued_at: datetime
    seller_id: int | None


def of_account(table: Table, key: str, *columns: Expression) -> Callable[[Visible], Query]:
    """Return the builder of a statement of an account's rows by the parameter `keys`."""

    def build(visible: Visible) -> Query:
        return select(*columns).where(
            table.c.account_id == bindparam("account_id", type_=BigInteger()),
            visible(table.c.account_id),
            any_of(table.c[key], "keys"),
        )

    return build


def _refunds(visible: Visible) -> Query:
    documents = {"receipt": _RECEIPT.alias("note"), "cancellation": _RECEIPT.alias("cancellation")}
    labels = [
        document.c[column].label(f"{name}_{column}")
        for name, document in documents.items()
        for column in ("number", "issued_at", "seller_id", "data")
    ]
    note, cancellation = documents.values()
    statement = of_account(_REFUND, "purchase_id", *_REFUND.c, *labels)(visible)
    joined = _REFUND.outerjoin(note, _is_of_refund(note) & note.c.cancels_id.is_(None)).outerjoin(
        cancellation, _is_of_refund(cancellation) & cancellation.c.cancels_id.is_not(None)
    )
    return statement.select_from(joined).order_by(_REFUND.c.created_at, _REFUND.c.id)


def _is_of_refund(document: FromClause) -> ColumnElement[bool]:
    same_account = document.c.account_id == _REFUND.c.account_id
    return and_(same_account, document.c.refund_id == _REFUND.c.id)


def _disputes(visible: Visible) -> Query:
    disputes = of_account(_DISPUTE, "purchase_id", *_DISPUTE.c)
    return disputes(visible).order_by(_DISPUTE.c.created_at, _DISPUTE.c.id)


def _receipts(visible: Visible) -> Query:
    names = ("purchase_id", "number", "issued_at", "seller_id")
    columns = [_RECEIPT.c[name] for name in names]
    receipts = of_account(_RECEIPT, "purchase_id", *columns)
    return receipts(visible).where(_RECEIPT.c.refund_id.is_(None))


_REFUNDS: Final = Scoped[ExportedRefund](_refunds)
_DISPUTES: Final = Scoped[DisputeRow](_disputes)
_MOVEMENTS: Final = Scoped[DisputeMovementRow](of_account(_MOVEMENT, "dispute_id", *_MOVEMENT.c))
_RECEIPTS: Final = Scoped[_Receipt](_receipts)


async def count_purchases(stream: Stream, principal: Principal, selection: Selection) -> int:
    """Return how many purchases `purchases` yields."""
    (row,) = await CREDIT_PURCHASES.fetch_totals(stream, principal, [selection])
    return row["total_count"]


async def purchases(
    stream: Stream, principal: Principal, selection: Selection
) -> AsyncGenerator[Chunk[ExportedPurchase]]:
    """Yield an account's selected purchases."""
    account_id = selection.scope[0]
    rows = CREDIT_PURCHASES.chunks(stream, principal, selection, PURCHASES)
    async with aclosing(rows) as chunks:
        async for chunk in chunks:
            ids: Sequence[int] = chunk.column("id")
            keys = list(ids)
            refunds = await _refunds_of(stream, principal, account_id, keys)
            disputes = await _disputes_of(stream, principal, account_id, keys)
            rows_of = await _RECEIPTS.fetch(stream, principal, account_id=account_id, keys=keys)
            receipts = {row["purchase_id"]: row for row in rows_of}
            found = [receipts.get(each) for each in ids]
            yield Chunk(
                {
                    **chunk.columns,
                    "receipt_number": [row and row["number"] for row in found],
                    "receipt_issued_at": [row and row["issued_at"] for row in found],
                    "receipt_seller_id": [row and row["seller_id"] for row in found],
                    "refunds": [refunds.get(each, ()) for each in ids],
                    "disputes": [disputes.get(each, ()) for each in ids],
                }
            )


async def _refunds_of(
    stream: Stream, principal: Principal, account_id: int, purchases: list[int]
) -> Mapping[int, Sequence[ExportedRefund]]:
    """Return purchases' refunds by purchase, the oldest first."""
    found: defaultdict[int, list[ExportedRefund]] = defaultdict(list)
    for row in await _REFUNDS.fetch(stream, principal, account_id=account_id, keys=purchases):
        found[row["purchase_id"]].append(row)
    return found


async def _disputes_of(
    stream: Stream, principal: Principal, account_id: int, purchases: list[int]
) -> Mapping[int, Sequence[ExportedDispute]]:
    """Return purchases' disputes with their movements, by purchase and the oldest first."""
    found: defaultdict[int, list[ExportedDispute]] = defaultdict(list)
    rows = await _DISPUTES.fetch(stream, principal, account_id=account_id, keys=purchases)
    if not rows:
        return found
    moved: defaultdict[int, list[DisputeMovementRow]] = defaultdict(list)
    keys = [row["id"] for row in rows]
    for each in await _MOVEMENTS.fetch(stream, principal, account_id=account_id, keys=keys):
        moved[each["dispute_id"]].append(each)
    for row in rows:
        found[row["purchase_id"]].append({**row, "movements": moved[row["id"]]})
    return found
