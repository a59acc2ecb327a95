"""Compares purchases, their refunds, disputes and documents with their facts."""

from collections.abc import Mapping, Sequence
from typing import Final, TypedDict

from sqlalchemy import ColumnElement, Table, and_, case, func, or_, select

from gateway.models import (
    CreditPurchase,
    Dispute,
    DisputeMovement,
    LedgerEntry,
    Receipt,
    ReceiptSequence,
    Refund,
    RefundStatus,
    table_of,
)
from gateway.store.engine.sql import Expression, Query
from gateway.store.engine.statement import Statement
from gateway.store.engine.stream import Stream
from gateway.store.reconciliation.shapes import (
    KEY,
    DifferenceRow,
    difference,
    numbered,
    sums,
    total,
)

_ENTRY: Final = table_of(LedgerEntry)
_PURCHASE: Final = table_of(CreditPurchase)
_REFUND: Final = table_of(Refund)
_DISPUTE: Final = table_of(Dispute)
_MOVEMENT: Final = table_of(DisputeMovement)
_RECEIPT: Final = table_of(Receipt)
_SEQUENCE: Final = table_of(ReceiptSequence)


def _purchase_entries() -> Query:
    entries = sums(_ENTRY, "purchase_id", _ENTRY.c.amount_nanos)
    purchase = _PURCHASE.c
    gained = purchase.amount_nanos + purchase.bonus_nanos
    credited = gained - purchase.refunded_nanos - purchase.bonus_reversed_nanos
    settled = purchase.settled_at.is_not(None)
    return (
        difference(purchase.id, case((settled, credited), else_=0), total(entries))
        .select_from(_PURCHASE.outerjoin(entries, entries.c.key == purchase.id))
        .where(purchase.account_id == KEY)
    )


def _refunded() -> Query:
    refunds = sums(
        _REFUND, "purchase_id", _REFUND.c.amount_nanos, _REFUND.c.settled_at.is_not(None)
    )
    disputes = sums(_DISPUTE, "purchase_id", _DISPUTE.c.held_nanos)
    return (
        difference(_PURCHASE.c.id, total(refunds) + total(disputes), _PURCHASE.c.refunded_nanos)
        .select_from(
            _PURCHASE.outerjoin(refunds, refunds.c.key == _PURCHASE.c.id).outerjoin(
                disputes, disputes.c.key == _PURCHASE.c.id
            )
        )
        .where(_PURCHASE.c.account_id == KEY)
    )


def _disputed() -> Query:
    moved = sums(_MOVEMENT, "dispute_id", -_MOVEMENT.c.amount_nanos)
    of_account = _DISPUTE.c.account_id == KEY
    withdrawn = (
        select(
            _DISPUTE.c.purchase_id,
            func.sum(_DISPUTE.c.held_nanos).label("held_nanos"),
            func.sum(case((total(moved) > 0, total(moved)), else_=0)).label("withdrawn_nanos"),
        )
        .select_from(_DISPUTE.outerjoin(moved, moved.c.key == _DISPUTE.c.id))
        .where(of_account)
        .group_by(_DISPUTE.c.purchase_id)
        .subquery()
    )
    refunds = sums(
        _REFUND, "purchase_id", _REFUND.c.amount_nanos, _REFUND.c.settled_at.is_not(None)
    )
    names = ("id", "amount_nanos", "tax_nanos", "currency")
    return (
        select(
            *(_PURCHASE.c[name] for name in names),
            total(refunds).label("refunded_nanos"),
            withdrawn.c.withdrawn_nanos,
            withdrawn.c.held_nanos,
        )
        .select_from(
            _PURCHASE.join(withdrawn, withdrawn.c.purchase_id == _PURCHASE.c.id).outerjoin(
                refunds, refunds.c.key == _PURCHASE.c.id
            )
        )
        .where(_PURCHASE.c.account_id == KEY, _PURCHASE.c.settled_at.is_not(None))
    )


def _documents(
    table: Table, key: str, total: Expression, due: ColumnElement[bool], *same: ColumnElement[bool]
) -> Query:
    """Return a statement of purchases and refunds that lack a due document, have one of another
    total, or have one though their purchase has no receipt.
    """
    of_it = and_(_RECEIPT.c.account_id == KEY, _RECEIPT.c[key] == table.c.id, *same)
    purchase = _PURCHASE.alias("documented")
    of_purchase = purchase.c.id == (table.c.id if table is _PURCHASE else table.c.purchase_id)
    expected = case((purchase.c.receipted, total))
    return (
        select(
            table.c.id.label("place"),
            expected.label("expected"),
            _RECEIPT.c.total_nanos.label("found"),
        )
        .select_from(
            table.join(purchase, and_(purchase.c.account_id == KEY, of_purchase)).outerjoin(
                _RECEIPT, of_it
            )
        )
        .where(
            table.c.account_id == KEY,
            due,
            expected.is_distinct_from(_RECEIPT.c.total_nanos),
        )
    )


def _receipts() -> Query:
    total = _PURCHASE.c.amount_nanos + _PURCHASE.c.tax_nanos
    due = _PURCHASE.c.settled_at.is_not(None)
    return _documents(_PURCHASE, "purchase_id", total, due, _RECEIPT.c.refund_id.is_(None))


def _credit_notes() -> Query:
    total = -_REFUND.c.amount_nanos - _REFUND.c.tax_nanos
    due = _REFUND.c.has_succeeded.is_(True)
    return _documents(_REFUND, "refund_id", total, due, _RECEIPT.c.cancels_id.is_(None))


def _cancellations() -> Query:
    """Return credit notes of failed refunds without a cancellation to 0, and cancellations of
    succeeded refunds.
    """
    note, cancellation = _RECEIPT.alias("note"), _RECEIPT.alias("cancellation")
    of_note = and_(cancellation.c.account_id == KEY, cancellation.c.cancels_id == note.c.id)
    undone = or_(
        _REFUND.c.status == RefundStatus.FAILED.value,
        _REFUND.c.status == RefundStatus.CANCELED.value,
    )
    expected = case((undone, -note.c.total_nanos))
    found = cancellation.c.total_nanos
    same = and_(_REFUND.c.account_id == KEY, _REFUND.c.id == note.c.refund_id)
    return (
        select(note.c.number.label("place"), expected.label("expected"), found.label("found"))
        .select_from(note.join(_REFUND, same).outerjoin(cancellation, of_note))
        .where(
            note.c.account_id == KEY,
            note.c.cancels_id.is_(None),
            expected.is_distinct_from(found),
        )
    )


def _receipt_numbers() -> Query:
    receipts = numbered(_RECEIPT, "sequence", "year")
    return difference(receipts.c.number, receipts.c.n, receipts.c.sequence)


def _receipt_sequences() -> Query:
    receipts = (
        select(_RECEIPT.c.year, func.max(_RECEIPT.c.sequence).label("last"))
        .where(_RECEIPT.c.account_id == KEY)
        .group_by(_RECEIPT.c.year)
        .subquery()
    )
    last = func.coalesce(receipts.c.last, 0)
    return (
        difference(_SEQUENCE.c.year, last, _SEQUENCE.c.last_sequence)
        .select_from(_SEQUENCE.outerjoin(receipts, receipts.c.year == _SEQUENCE.c.year))
        .where(_SEQUENCE.c.account_id == KEY)
    )


class DisputedPurchase(TypedDict):
    """A settled purchase that was disputed: what its refunds took, the money that its disputes
    withdrew, and the credit that they hold.
    """

    id: int
    amount_nanos: int
    tax_nanos: int
    currency: str
    refunded_nanos: int
    withdrawn_nanos: int
    held_nanos: int


_DISPUTED: Final = Statement[DisputedPurchase](_disputed())
PURCHASE_CHECKS: Final[Mapping[str, Statement[DifferenceRow]]] = {
    "purchase's ledger entries": Statement[DifferenceRow](_purchase_entries()),
    "purchase's refunded sum": Statement[DifferenceRow](_refunded()),
    "receipt's total": Statement[DifferenceRow](_receipts()),
    "credit note's total": Statement[DifferenceRow](_credit_notes()),
    "credit note's cancellation": Statement[DifferenceRow](_cancellations()),
    "receipt's number": Statement[DifferenceRow](_receipt_numbers()),
    "last receipt's number": Statement[DifferenceRow](_receipt_sequences()),
}


async def disputed(stream: Stream, account_id: int) -> Sequence[DisputedPurchase]:
    """Return the settled purchases that were disputed."""
    return await stream.fetch(_DISPUTED, account_id=account_id)
