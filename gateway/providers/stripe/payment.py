"""Records a payment in the books from all of its events."""

from collections.abc import Sequence
from typing import Final

from gateway.billing.book import Book
from gateway.billing.purchases.book_purchases import Purchases, Reference
from gateway.billing.purchases.purchase_state import PurchaseFacts, PurchaseState
from gateway.billing.purchases.recording import load_purchases, record_purchase
from gateway.errors import BadUserInput
from gateway.models import CreditPurchaseKind, CreditPurchaseStatus
from gateway.providers.stripe.attempts import record_attempts
from gateway.providers.stripe.disputes import record_disputes
from gateway.providers.stripe.events import PROVIDER, Event
from gateway.providers.stripe.refunds import record_refunds
from gateway.providers.stripe.terms import Settlement, charges_of, find_settlement, is_captured

LATE: Final = "Waiting for the payment to settle."


async def record_payment(
    book: Book, account_id: int, payment: str, events: Sequence[Event]
) -> dict[str, str | None]:
    """Record what all events of a payment say, ordered by their own time. Return the reason why
    each waits, by its id; None where it took effect.

    Refunds and disputes wait for the settlement, a captured charge waits for the events that are
    missing to settle, and a refused attempt for a later event. Raises BadUserInput for what
    the books refuse of a payment that went through.
    """
    name = (account_id, PROVIDER, payment)
    await load_purchases(book, [name])
    purchase, missing = _settle(book, name, events)
    if purchase is None:
        refused = record_attempts(book, account_id, payment, events)
        known = book.part(Purchases).by_reference.get(name)
        is_canceled = known is not None and known.status == CreditPurchaseStatus.CANCELED
        waits = _waits(events, missing, is_canceled=is_canceled)
        return {event.id: refused.get(event.id) or waits.get(event.id) for event in events}
    record_refunds(book, purchase, events)
    record_disputes(book, purchase, events)
    return dict.fromkeys(event.id for event in events)


def _settle(
    book: Book, name: Reference, events: Sequence[Event]
) -> tuple[PurchaseState | None, str]:
    """Settle the purchase if its events allow it. Return the purchase, or the reason why it waits.
    A settled purchase keeps its terms, whatever later events contain.
    """
    known = book.part(Purchases).by_reference.get(name)
    settled = known if known is not None and known.is_settled else None
    try:
        found = find_settlement(events, name[2])
        if isinstance(found, Settlement):
            return record_purchase(book, _settled(found, account_id=name[0], payment=name[2])), ""
    except BadUserInput:
        if settled is None:
            raise
        found = ""
    return settled, found


def _waits(events: Sequence[Event], missing: str, *, is_canceled: bool) -> dict[str, str]:
    """Return the events of a payment that has not settled which wait, by their ids, and for what.

    Of a payment that was canceled no refund waits: what was authorised is released, which early
    versions of the API call a refund.
    """
    captured = [event for event in events if any(map(is_captured, charges_of(event)))]
    waits = {event.id: missing for event in captured}
    late = [event for event in events if event.kind in {"refund", "dispute"}]
    return waits if is_canceled else waits | {event.id: LATE for event in late}


def _settled(settlement: Settlement, *, account_id: int, payment: str) -> PurchaseFacts:
    return PurchaseFacts(
        account_id=account_id,
        kind=CreditPurchaseKind.CARD,
        amount=settlement.amount,
        tax=settlement.tax,
        taxes=settlement.taxes,
        bonus=settlement.bonus,
        currency=settlement.currency,
        created_at=settlement.created_at,
        description=settlement.description,
        payment_method=settlement.method,
        provider=PROVIDER,
        reference=payment,
        succeeded_at=settlement.succeeded_at,
    )
