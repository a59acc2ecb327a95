"""A settled purchase's changes of credit as they are billed: credited, refunded, disputed. Pure.

Refunds follow their documents, which never change, and disputes the replay of the ledger. So all
changes add up to the sum of the ledger, and the change of a document to the sum that it prints.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from gateway.billing.purchases.holds import Holds, Moves, Refunded, Terms
from gateway.billing.purchases.receipts import read_sums
from gateway.money import pro_rata
from gateway.store import Row


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


def credit_changes_of(purchase: Row) -> Iterator[CreditChange]:
    """Yield a settled purchase's credit, then what was taken back and given again.

    `purchase` is a row of `store.exports.purchases`, with its `refunds` and `disputes`.
    """
    yield CreditChange(
        ChangeReason.CREDIT,
        purchase["settled_at"],
        purchase["amount_nanos"],
        purchase["tax_nanos"],
        purchase["bonus_nanos"],
        _document(purchase, "receipt"),
    )
    yield from _refunded(purchase["refunds"])
    if purchase["disputes"]:
        yield from _disputed(purchase)


def _document(row: Row, name: str) -> ChangeDocument | None:
    number = row[f"{name}_number"]
    return ChangeDocument(number, row[f"{name}_seller_id"]) if number else None


def _refunded(refunds: Sequence[Row]) -> Iterator[CreditChange]:
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


def _effect(refund: Row) -> CreditChange:
    """Return what a refund takes by the ledger now: nothing, where it failed."""
    takes = -1 if refund["settled_at"] is not None else 0
    return CreditChange(
        ChangeReason.REFUND,
        refund["created_at"],
        amount=takes * refund["amount_nanos"],
        tax=takes * refund["tax_nanos"],
        bonus=takes * refund["bonus_reversed_nanos"],
    )


def _documented(refund: Row) -> Iterator[CreditChange]:
    """Yield what a refund's documents say, from the data that they are printed from."""
    reasons = {"receipt": ChangeReason.REFUND, "cancellation": ChangeReason.REFUND_FAILED}
    for name, reason in reasons.items():
        if document := _document(refund, name):
            sums = read_sums(refund[f"{name}_data"])
            yield CreditChange(reason, refund[f"{name}_issued_at"], *sums, document)


def _disputed(purchase: Row) -> Iterator[CreditChange]:
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


def _refund_of(refund: Row) -> Refunded:
    return Refunded(refund["id"], refund["created_at"], refund["amount_nanos"], _name(refund))


def _moves_of(dispute: Row) -> Moves:
    moves = [(each["moved_at"], each["amount_nanos"]) for each in dispute["movements"]]
    return Moves(dispute["id"], dispute["created_at"], _name(dispute), moves)


def _name(row: Mapping[str, Any]) -> tuple[str, str, int]:
    return row["provider"] or "", row["provider_reference"] or "", row["id"]


def _tax_beside_refunds(terms: Terms, refunds: Sequence[Row]) -> Callable[[int], int]:
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
