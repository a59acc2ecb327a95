"""A settled purchase's changes of credit as they are billed: credited, refunded, disputed. Pure.

Refunds follow their documents, which never change, and disputes the replay of the ledger. So all
changes add up to the sum of the ledger, and the change of a document to the sum that it prints.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from gateway.billing.purchases.holds import Holds, Moves, Refunded, Terms
from gateway.billing.purchases.receipts import read_sums
from gateway.money import pro_rata
from gateway.store.exports import ExportedDispute, ExportedPurchase, ExportedRefund


class ChangeReason(StrEnum):
    """Why a purchase's credit changed."""

    CREDIT = "CREDIT"
    REFUND = "REFUND"
    REFUND_FAILED = "REFUND_FAILED"
    DISPUTE = "DISPUTE"
    DISPUTE_RETURNED = "DISPUTE_RETURNED"


class ChangeDocument(NamedTuple):
    """A change's document, and the version of the seller's details that it names."""

    number: str
    seller_id: int | None


class CreditChange(NamedTuple):
    """Nanos of credit, of the tax on it and of bonus; negative where they are taken back."""

    reason: ChangeReason
    at: datetime
    amount: int
    tax: int = 0
    bonus: int = 0
    document: ChangeDocument | None = None


def credit_changes_of(purchase: ExportedPurchase, settled_at: datetime) -> Iterator[CreditChange]:
    """Yield a settled purchase's credit, then what was taken back and given again."""
    yield CreditChange(
        ChangeReason.CREDIT,
        settled_at,
        purchase["amount_nanos"],
        purchase["tax_nanos"],
        purchase["bonus_nanos"],
        _document(purchase["receipt_number"], purchase["receipt_seller_id"]),
    )
    yield from _refunded(purchase["refunds"])
    if purchase["disputes"]:
        yield from _disputed(purchase)


def _document(number: str | None, seller_id: int | None) -> ChangeDocument | None:
    return ChangeDocument(number, seller_id) if number else None


def _refunded(refunds: Sequence[ExportedRefund]) -> Iterator[CreditChange]:
    """Yield what each credit note says, and what cancels it where its refund failed.

    The bonus need not be on the note of the refund that it went with, nor on what cancels that: it
    is compared in sum.
    """
    bonus, instants = 0, []
    for refund in refunds:
        effect = _effect(refund)
        changes = [*_documented(refund)] or [effect]
        yield from changes
        bonus += effect.bonus - sum(each.bonus for each in changes)
        instants += [each.at for each in changes]
    if bonus:
        reason = ChangeReason.REFUND_FAILED if bonus > 0 else ChangeReason.REFUND
        yield CreditChange(reason, max(instants), amount=0, bonus=bonus)


def _effect(refund: ExportedRefund) -> CreditChange:
    """Return what a refund takes by the ledger now: nothing, where it failed."""
    takes = -1 if refund["settled_at"] is not None else 0
    return CreditChange(
        ChangeReason.REFUND,
        refund["created_at"],
        amount=takes * refund["amount_nanos"],
        tax=takes * refund["tax_nanos"],
        bonus=takes * refund["bonus_reversed_nanos"],
    )


def _documented(refund: ExportedRefund) -> Iterator[CreditChange]:
    """Yield what a refund's documents say, from the data that they are printed from."""
    if number := refund["receipt_number"]:
        document = ChangeDocument(number, refund["receipt_seller_id"])
        at, data = refund["receipt_issued_at"], refund["receipt_data"]
        assert at is not None and data is not None  # noqa: PT018, S101  # it has a number
        yield CreditChange(ChangeReason.REFUND, at, *read_sums(data), document)
    if number := refund["cancellation_number"]:
        document = ChangeDocument(number, refund["cancellation_seller_id"])
        at, data = refund["cancellation_issued_at"], refund["cancellation_data"]
        assert at is not None and data is not None  # noqa: PT018, S101  # it has a number
        yield CreditChange(ChangeReason.REFUND_FAILED, at, *read_sums(data), document)


def _disputed(purchase: ExportedPurchase) -> Iterator[CreditChange]:
    """Yield what disputes took and gave back, oldest first, with what that changes of the tax."""
    refunds = [each for each in purchase["refunds"] if each["settled_at"] is not None]
    terms = Terms(purchase["amount_nanos"], purchase["tax_nanos"], purchase["currency"])
    holds = Holds(terms, [_moves_of(each) for each in purchase["disputes"]])
    tax_with, held, gone_since = _tax_beside_refunds(terms, refunds), 0, None
    for step in holds.steps([_refund_of(each) for each in refunds]):
        taken, gone_since = step.held - held, step.gone_since
        reason = ChangeReason.DISPUTE if taken > 0 else ChangeReason.DISPUTE_RETURNED
        yield CreditChange(reason, step.at, -taken, tax_with(held) - tax_with(step.held))
        held = step.held
    # What no refund took of the bonus went with the dispute that took the last of the money.
    by_refunds = sum(each["bonus_reversed_nanos"] for each in purchase["refunds"])
    if gone_since is not None:
        bonus = by_refunds - purchase["bonus_reversed_nanos"]
        yield CreditChange(ChangeReason.DISPUTE, gone_since, amount=0, bonus=bonus)


def _refund_of(refund: ExportedRefund) -> Refunded:
    return Refunded(refund["id"], refund["created_at"], refund["amount_nanos"], _name(refund))


def _moves_of(dispute: ExportedDispute) -> Moves:
    moves = [(each["moved_at"], each["amount_nanos"]) for each in dispute["movements"]]
    return Moves(dispute["id"], dispute["created_at"], _name(dispute), moves)


def _name(row: ExportedRefund | ExportedDispute) -> tuple[str, str, int]:
    return row["provider"] or "", row["provider_reference"] or "", row["id"]


def _tax_beside_refunds(terms: Terms, refunds: Sequence[ExportedRefund]) -> Callable[[int], int]:
    """Return a function that gives the tax on a part of the credit that disputes hold.

    Refunds keep the tax of their credit notes, so disputes share the rest: with the whole rest of
    the credit goes the whole rest of the tax.
    """
    amount = terms.amount - sum(each["amount_nanos"] for each in refunds)
    tax = terms.tax - sum(each["tax_nanos"] for each in refunds)
    if not amount:
        # Disputes hold nothing now; what they held before the refunds came had its plain share.
        amount, tax = terms.amount, terms.tax
    return lambda held: pro_rata(held, amount, tax)
