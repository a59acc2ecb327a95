"""The credit changes of a settled purchase, as FOCUS files list them. Pure.

The changes of a refund have the sums of its documents, which never change; those of disputes follow
the replay of the ledger. So all changes add up to the sum of the ledger, and the change of a
document is the sum that it prints.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from gateway.billing.purchases.holds import DisputeMovements, EffectiveRefund, Holds, PurchaseTerms
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
    """Yield a settled purchase's credit, then the changes by its refunds and its disputes."""
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
    """Yield the sums of each credit note, and of its cancellation where the refund failed.

    The bonus may be on the note of another refund than the one that took it, so a last change
    makes the sum of all bonuses right.
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
    """Return the credit that a refund takes by the ledger now: 0 where it failed."""
    takes = -1 if refund["settled_at"] is not None else 0
    return CreditChange(
        ChangeReason.REFUND,
        refund["created_at"],
        amount=takes * refund["amount_nanos"],
        tax=takes * refund["tax_nanos"],
        bonus=takes * refund["bonus_reversed_nanos"],
    )


def _documented(refund: ExportedRefund) -> Iterator[CreditChange]:
    """Yield the sums of a refund's documents, read from the data that they are printed from."""
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
    """Yield the changes of credit and tax by disputes, oldest first."""
    refunds = [each for each in purchase["refunds"] if each["settled_at"] is not None]
    terms = PurchaseTerms(purchase["amount_nanos"], purchase["tax_nanos"], purchase["currency"])
    holds = Holds(terms, [_movements_of(each) for each in purchase["disputes"]])
    tax_on, held, empty_since = _tax_after_refunds(terms, refunds), 0, None
    for step in holds.steps([_effective_refund(each) for each in refunds]):
        taken, empty_since = step.held - held, step.empty_since
        reason = ChangeReason.DISPUTE if taken > 0 else ChangeReason.DISPUTE_RETURNED
        yield CreditChange(reason, step.at, -taken, tax_on(held) - tax_on(step.held))
        held = step.held
    # The dispute that took the last of the credit also took the bonus that no refund took.
    by_refunds = sum(each["bonus_reversed_nanos"] for each in purchase["refunds"])
    if empty_since is not None:
        bonus = by_refunds - purchase["bonus_reversed_nanos"]
        yield CreditChange(ChangeReason.DISPUTE, empty_since, amount=0, bonus=bonus)


def _effective_refund(refund: ExportedRefund) -> EffectiveRefund:
    return EffectiveRefund(
        refund["id"], refund["created_at"], refund["amount_nanos"], _sort_key(refund)
    )


def _movements_of(dispute: ExportedDispute) -> DisputeMovements:
    movements = [(each["moved_at"], each["amount_nanos"]) for each in dispute["movements"]]
    return DisputeMovements(dispute["id"], dispute["created_at"], _sort_key(dispute), movements)


def _sort_key(row: ExportedRefund | ExportedDispute) -> tuple[str, str, int]:
    return row["provider"] or "", row["provider_reference"] or "", row["id"]


def _tax_after_refunds(
    terms: PurchaseTerms, refunds: Sequence[ExportedRefund]
) -> Callable[[int], int]:
    """Return a function that gives the tax on a part of the credit that disputes hold.

    Refunds keep the tax of their credit notes, so disputes share the rest: with the whole rest of
    the credit goes the whole rest of the tax.
    """
    amount = terms.amount - sum(each["amount_nanos"] for each in refunds)
    tax = terms.tax - sum(each["tax_nanos"] for each in refunds)
    if not amount:
        # Disputes hold nothing now. Credit that they held before the refunds had its pro rata tax.
        amount, tax = terms.amount, terms.tax
    return lambda held: pro_rata(held, amount, tax)
