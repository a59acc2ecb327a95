"""Records refunds: merges facts, and posts a refund when it succeeded and its purchase settled."""

from gateway.billing.book import Book
from gateway.billing.purchases.book_purchases import Purchases
from gateway.billing.purchases.purchase_state import (
    PurchaseState,
    RefundFacts,
    RefundState,
    earliest,
    either,
)
from gateway.billing.purchases.reversals import posting_changes
from gateway.errors import BadUserInput
from gateway.models import RefundStatus


def record_refund(book: Book, purchase: PurchaseState, facts: RefundFacts) -> RefundState:
    """Add facts to a refund and post the changes; a new reference makes a new refund.

    A refund of an unsettled purchase takes effect when the purchase settles. A refund may arrive
    before its purchase: the caller then keeps the message under the purchase's reference, and
    records the refund again after `record_purchase`. A refund that succeeded and failed later has a
    credit note and its cancellation, in whatever order the facts arrived. Raises BadUserInput where
    refunds would exceed the payment.
    """
    with posting_changes(book, purchase):
        refund = _find(book, purchase, facts) or _add(book, purchase, facts)
        if not refund.has_succeeded:
            refund.amount_nanos = facts.amount
        refund.raise_to(facts.status)
        refund.has_succeeded |= facts.has_succeeded or facts.status == RefundStatus.SUCCEEDED
        refund.failed_at = earliest(refund.failed_at, facts.failed_at)
        refund.stated_tax = facts.tax
        refund.reason = either(refund.reason, facts.reason)
        refund.failure_reason = either(refund.failure_reason, facts.failure_reason)
    return refund


def _find(book: Book, purchase: PurchaseState, facts: RefundFacts) -> RefundState | None:
    name = (facts.provider, facts.reference)
    for refund in book.part(Purchases).refunds[purchase.key]:
        if facts.reference and (refund.provider, refund.provider_reference) == name:
            return refund
    return None


def _add(book: Book, purchase: PurchaseState, facts: RefundFacts) -> RefundState:
    if facts.amount <= 0:
        raise BadUserInput("A refund's amount must be positive.", argument="amount")
    refund = RefundState(
        account_id=purchase.account_id,
        id=book.keys.new(),
        purchase_id=purchase.id,
        currency=purchase.currency,
        amount_nanos=facts.amount,
        provider=facts.provider,
        provider_reference=facts.reference,
        created_at=facts.created_at,
    )
    book.part(Purchases).refunds[purchase.key].append(refund)
    return refund
