"""Disputes: funds leave when they are withdrawn, and come back when the dispute is won."""

from datetime import datetime

from gateway.billing.book import Book
from gateway.billing.flows import FlowColumn
from gateway.billing.refunds import reverse_bonus
from gateway.billing.states import DisputeFacts, DisputeState, PurchaseState
from gateway.errors import BadUserInput
from gateway.models import DisputeStatus, LedgerCause


def record_dispute(book: Book, purchase: PurchaseState, facts: DisputeFacts) -> DisputeState:
    """Add facts to a dispute, made where its reference is not known; book what they mean.

    Raises BadUserInput for an amount that is not positive, or a closed dispute without `closed_at`.
    """
    if facts.state != DisputeStatus.OPEN and facts.closed_at is None:
        raise BadUserInput("A dispute that was decided needs its time.", argument="closed_at")
    dispute = _find(book, purchase, facts) or _add(book, purchase, facts)
    dispute.withdrawn_at = dispute.withdrawn_at or facts.withdrawn_at
    if dispute.state == DisputeStatus.OPEN and facts.state != DisputeStatus.OPEN:
        dispute.state, dispute.closed_at = facts.state, facts.closed_at
    apply_dispute(book, purchase, dispute)
    return dispute


def _find(book: Book, purchase: PurchaseState, facts: DisputeFacts) -> DisputeState | None:
    name = (facts.provider, facts.reference)
    for dispute in book.disputes[purchase.key]:
        if facts.reference and (dispute.provider, dispute.provider_reference) == name:
            return dispute
    return None


def _add(book: Book, purchase: PurchaseState, facts: DisputeFacts) -> DisputeState:
    if facts.amount <= 0:
        raise BadUserInput("A dispute's amount must be positive.", argument="amount")
    dispute = DisputeState(
        account_id=purchase.account_id,
        id=book.keys.new(facts.created_at),
        purchase_id=purchase.id,
        amount_nanos=facts.amount,
        reason=facts.reason,
        provider=facts.provider,
        provider_reference=facts.reference,
        created_at=facts.created_at,
    )
    book.disputes[purchase.key].append(dispute)
    return dispute


def apply_dispute(book: Book, purchase: PurchaseState, dispute: DisputeState) -> None:
    """Book what is known of a dispute and not booked yet, if its purchase has settled."""
    if not purchase.is_settled or dispute.withdrawn_at is None:
        return
    if not dispute.debited_nanos:
        _debit(book, purchase, dispute, dispute.withdrawn_at)
    closed_at = dispute.closed_at
    if dispute.state == DisputeStatus.WON and closed_at and not dispute.credited_nanos:
        _credit(book, purchase, dispute, closed_at)
    purchase.disputed_nanos = sum(
        each.debited_nanos
        for each in book.disputes[purchase.key]
        if each.state == DisputeStatus.OPEN
    )
    purchase.update_status()
    if dispute.state == DisputeStatus.LOST and closed_at:
        reverse_bonus(book, purchase, dispute.id, closed_at)


def _debit(book: Book, purchase: PurchaseState, dispute: DisputeState, at: datetime) -> None:
    # No more can be withdrawn than is left of the purchase.
    amount = min(dispute.amount_nanos, purchase.amount_nanos - purchase.refunded_nanos)
    dispute.debited_nanos = amount
    purchase.refunded_nanos += amount
    if amount:
        _post(book, purchase, -amount, f"dispute:{dispute.id}", at)


def _credit(book: Book, purchase: PurchaseState, dispute: DisputeState, at: datetime) -> None:
    amount = dispute.credited_nanos = dispute.debited_nanos
    purchase.refunded_nanos -= amount
    if amount:
        _post(book, purchase, amount, f"dispute-won:{dispute.id}", at)


def _post(book: Book, purchase: PurchaseState, amount: int, key: str, at: datetime) -> None:
    book.post_purchase(
        purchase, LedgerCause.DISPUTE, amount, source_key=key, at=at, flow=FlowColumn.REFUNDED
    )
