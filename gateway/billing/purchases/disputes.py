"""Disputes: money that the provider withdraws, and returns in whole or in part."""

from gateway.billing.book import Book
from gateway.billing.purchases.book_purchases import Purchases
from gateway.billing.purchases.dispute_state import DisputeFacts, DisputeState
from gateway.billing.purchases.purchase_state import PurchaseState, either
from gateway.billing.purchases.reversals import posting_changes
from gateway.errors import BadUserInput
from gateway.models import DisputeStatus


def record_dispute(book: Book, purchase: PurchaseState, facts: DisputeFacts) -> DisputeState:
    """Add facts to a dispute and post the changes; a new reference makes a new dispute.

    Only movements move money. The dispute's state decides whether its hold is final. Raises
    BadUserInput for an amount that is not positive, or a closed dispute without `closed_at`.
    """
    if facts.amount <= 0:
        raise BadUserInput("A dispute's amount must be positive.", argument="amount")
    if (facts.state == DisputeStatus.OPEN) != (facts.closed_at is None):
        raise BadUserInput(
            "A dispute must have a closing time if and only if it is decided.", argument="closed_at"
        )
    with posting_changes(book, purchase):
        dispute = _find(book, purchase, facts) or _add(book, purchase, facts)
        dispute.reason = either(dispute.reason, facts.reason)
        dispute.amount_nanos = facts.amount
        dispute.move(facts.movements)
        if facts.closed_at is not None:
            dispute.decide(facts.state, facts.closed_at)
    return dispute


def _find(book: Book, purchase: PurchaseState, facts: DisputeFacts) -> DisputeState | None:
    name = (facts.provider, facts.reference)
    for dispute in book.part(Purchases).disputes[purchase.key]:
        if facts.reference and (dispute.provider, dispute.provider_reference) == name:
            return dispute
    return None


def _add(book: Book, purchase: PurchaseState, facts: DisputeFacts) -> DisputeState:
    dispute = DisputeState(
        account_id=purchase.account_id,
        id=book.keys.new(),
        purchase_id=purchase.id,
        amount_nanos=facts.amount,
        provider=facts.provider,
        provider_reference=facts.reference,
        created_at=facts.created_at,
    )
    book.part(Purchases).disputes[purchase.key].append(dispute)
    return dispute
