"""Refunds: what is known is merged, and booked once the refund has succeeded and its purchase
settled.
"""

from datetime import datetime

from gateway.billing.book import Book
from gateway.billing.flows import FlowColumn
from gateway.billing.receipts import issue_credit_note
from gateway.billing.states import PurchaseState, RefundFacts, RefundState
from gateway.errors import BadUserInput
from gateway.models import CreditPurchaseStatus, LedgerCause, RefundStatus
from gateway.money import pro_rata


def record_refund(book: Book, purchase: PurchaseState, facts: RefundFacts) -> RefundState:
    """Add facts to a refund, made where its reference is not known; book it once it succeeded.

    Raises BadUserInput where more would be refunded than was paid.
    """
    refund = _find(book, purchase, facts) or _add(book, purchase, facts)
    refund.raise_to(facts.status)
    refund.failure_reason = facts.failure_reason or refund.failure_reason
    if refund.status == RefundStatus.SUCCEEDED:
        apply_refund(book, purchase, refund)
    elif refund.settled_at:
        _reverse(book, purchase, refund)
    return refund


def _find(book: Book, purchase: PurchaseState, facts: RefundFacts) -> RefundState | None:
    name = (facts.provider, facts.reference)
    for refund in book.refunds[purchase.key]:
        if facts.reference and (refund.provider, refund.provider_reference) == name:
            return refund
    return None


def _add(book: Book, purchase: PurchaseState, facts: RefundFacts) -> RefundState:
    counted = (RefundStatus.PENDING, RefundStatus.SUCCEEDED)
    before = sum(each.amount_nanos for each in book.refunds[purchase.key] if each.status in counted)
    if facts.amount <= 0 or before + facts.amount > purchase.amount_nanos:
        raise BadUserInput(
            "A refund must be positive, and all of them together not more than the purchase.",
            argument="amount",
        )
    # The difference of running totals, so that the refunds' tax adds up to the purchase's.
    tax_before = pro_rata(before, purchase.amount_nanos, purchase.tax_nanos)
    tax_after = pro_rata(before + facts.amount, purchase.amount_nanos, purchase.tax_nanos)
    refund = RefundState(
        account_id=purchase.account_id,
        id=book.keys.new(facts.created_at),
        purchase_id=purchase.id,
        currency=purchase.currency,
        amount_nanos=facts.amount,
        tax_nanos=tax_after - tax_before,
        reason=facts.reason,
        provider=facts.provider,
        provider_reference=facts.reference,
        created_at=facts.created_at,
    )
    book.refunds[purchase.key].append(refund)
    return refund


def apply_refund(book: Book, purchase: PurchaseState, refund: RefundState) -> None:
    """Book a refund that succeeded, once, if its purchase has settled; else it is kept."""
    if refund.settled_at or refund.status != RefundStatus.SUCCEEDED or not purchase.is_settled:
        return
    at = refund.settled_at = refund.created_at
    purchase.refunded_nanos += refund.amount_nanos
    book.post_purchase(
        purchase,
        LedgerCause.REFUND,
        -refund.amount_nanos,
        source_key=f"refund:{refund.id}",
        at=at,
        flow=FlowColumn.REFUNDED,
    )
    purchase.update_status()
    refund.bonus_reversed_nanos = reverse_bonus(book, purchase, refund.id, at)
    issue_credit_note(book, purchase, refund)


def _reverse(book: Book, purchase: PurchaseState, refund: RefundState) -> None:
    """Give back what a refund took that the bank returned after it had succeeded."""
    refund.settled_at = None
    purchase.refunded_nanos -= refund.amount_nanos
    book.post_purchase(
        purchase,
        LedgerCause.REFUND,
        refund.amount_nanos,
        source_key=f"refund-reversal:{refund.id}",
        at=book.now,
        flow=FlowColumn.REFUNDED,
    )
    bonus, refund.bonus_reversed_nanos = refund.bonus_reversed_nanos, 0
    if bonus:
        purchase.bonus_reversed_nanos -= bonus
        book.post_purchase(
            purchase,
            LedgerCause.BONUS,
            bonus,
            source_key=f"bonus-return:{refund.id}",
            at=book.now,
            flow=FlowColumn.BONUS,
        )
    purchase.update_status()


def reverse_bonus(book: Book, purchase: PurchaseState, source_id: int, at: datetime) -> int:
    """Take the bonus back once all the money has gone back; return what was taken, in nanos."""
    left = purchase.bonus_nanos - purchase.bonus_reversed_nanos
    if purchase.status != CreditPurchaseStatus.REFUNDED or not left:
        return 0
    purchase.bonus_reversed_nanos += left
    book.post_purchase(
        purchase,
        LedgerCause.BONUS,
        -left,
        source_key=f"bonus-reversal:{source_id}",
        at=at,
        flow=FlowColumn.BONUS,
    )
    return left
