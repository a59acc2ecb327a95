"""A payment, told to the books from all of its events."""

from collections.abc import Sequence

from gateway.billing.book import Book, Reference
from gateway.billing.purchases import load_purchases, record_purchase
from gateway.billing.states import PurchaseFacts, PurchaseState
from gateway.errors import BadUserInput
from gateway.models import CreditPurchaseKind
from gateway.providers.stripe.attempts import record_attempt
from gateway.providers.stripe.disputes import record_disputes
from gateway.providers.stripe.events import PROVIDER, Event
from gateway.providers.stripe.refunds import record_refunds
from gateway.providers.stripe.terms import Settlement, find_settlement


async def tell_payment(
    book: Book, account_id: int, payment: str, events: Sequence[Event]
) -> list[str]:
    """Record what all events of a payment say; return the ids of those that took effect.

    The others wait: refunds and disputes for the settlement, the charge for the other witnesses,
    and what the books refuse of an attempt for what comes after it. `events` are ordered by their
    own time. Raises BadUserInput for what the books refuse of a payment that went through.
    """
    name = (account_id, PROVIDER, payment)
    await load_purchases(book, [name])
    purchase = _settle(book, name, events)
    if purchase is None:
        return [event.id for event in events if record_attempt(book, event, account_id, payment)]
    record_refunds(book, purchase, events)
    record_disputes(book, purchase, events)
    return [event.id for event in events]


def _settle(book: Book, name: Reference, events: Sequence[Event]) -> PurchaseState | None:
    """Return the purchase if it has settled, now or before: then its terms are those it settled
    with, whatever a later picture says.
    """
    known = book.references.get(name)
    is_settled = known is not None and known.is_settled
    try:
        settlement = find_settlement(events)
        if settlement is not None:
            return record_purchase(book, _settled(settlement, account_id=name[0], payment=name[2]))
    except BadUserInput:
        if not is_settled:
            raise
    return known if is_settled else None


def _settled(settlement: Settlement, *, account_id: int, payment: str) -> PurchaseFacts:
    return PurchaseFacts(
        account_id=account_id,
        kind=CreditPurchaseKind.CARD,
        amount=settlement.amount,
        tax=settlement.tax,
        bonus=settlement.bonus,
        currency=settlement.currency,
        created_at=settlement.created_at,
        description=settlement.description,
        payment_method=settlement.method,
        provider=PROVIDER,
        reference=payment,
        succeeded_at=settlement.succeeded_at,
    )
