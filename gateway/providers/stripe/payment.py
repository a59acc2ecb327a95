"""A payment, told to the books from all of its events."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from gateway.billing.book import Book
from gateway.billing.disputes import record_dispute
from gateway.billing.purchases import load_purchases, record_purchase
from gateway.billing.refunds import record_refund
from gateway.billing.states import DisputeFacts, PurchaseFacts, PurchaseState, RefundFacts
from gateway.errors import BadUserInput
from gateway.models import CreditPurchaseKind, DisputeStatus, RefundStatus
from gateway.providers.stripe.amounts import currency_of, nanos_of
from gateway.providers.stripe.events import PROVIDER, Event
from gateway.providers.stripe.methods import method_of
from gateway.providers.stripe.terms import (
    Settlement,
    bonus_of,
    created_at,
    find_settlement,
    is_captured,
    own_tax,
)
from gateway.providers.stripe.texts import (
    Json,
    id_of,
    instant_of,
    items_of,
    object_of,
    text_of,
    words,
)

_REFUND_STATUS: Final[Mapping[str, RefundStatus]] = {
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.CANCELED,
}
_DISPUTE_STATE: Final[Mapping[str, DisputeStatus]] = {
    "won": DisputeStatus.WON,
    "warning_closed": DisputeStatus.WON,
    "prevented": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
}


async def tell_payment(
    book: Book, account_id: int, payment: str, events: Sequence[Event]
) -> list[str]:
    """Record what all events of a payment say; return the ids of those that took effect.

    The others wait: refunds and disputes for the settlement, the charge for the other witnesses.
    `events` are ordered by their own time. Raises BadUserInput for what the books refuse.
    """
    name = (account_id, PROVIDER, payment)
    await load_purchases(book, [name])
    settlement = find_settlement(events)
    for event in events:
        facts = _attempt(event, account_id, payment)
        if facts is not None:
            record_purchase(book, facts)
    if settlement is None:
        return [event.id for event in events if _says_enough_alone(event)]
    purchase = record_purchase(book, _settled(settlement, account_id, payment))
    for event in events:
        _take_back(book, purchase, settlement, event)
    return [event.id for event in events]


def _says_enough_alone(event: Event) -> bool:
    if event.kind == "charge":
        return not is_captured(event.object)
    return event.kind not in {"refund", "dispute"}


def _settled(settlement: Settlement, account_id: int, payment: str) -> PurchaseFacts:
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


def _attempt(event: Event, account_id: int, payment: str) -> PurchaseFacts | None:
    """Return what an event says of a purchase that may not have settled yet."""
    subject = event.object
    if event.kind == "payment_intent":
        error = object_of(subject.get("last_payment_error"))
        failed_at = event.created_at if _has_failed(event, error) else None
        method = method_of(error.get("payment_method")) if failed_at else None
        code, reason = error.get("decline_code") or error.get("code"), error.get("message")
    elif event.kind == "charge" and subject.get("status") == "failed":
        failed_at, method = created_at(subject), method_of(subject.get("payment_method_details"))
        declined = object_of(subject.get("outcome")).get("reason")
        code, reason = declined or subject.get("failure_code"), subject.get("failure_message")
    else:
        return None
    currency = currency_of(subject.get("currency"))
    total, tax = nanos_of(subject.get("amount"), currency), own_tax(subject, currency)
    return PurchaseFacts(
        account_id=account_id,
        kind=CreditPurchaseKind.CARD,
        amount=total - tax,
        tax=tax,
        bonus=bonus_of(subject),
        currency=currency,
        created_at=created_at(subject),
        payment_method=method,
        provider=PROVIDER,
        reference=payment,
        requires_action=subject.get("status") == "requires_action",
        failed_at=failed_at,
        failure_code=text_of(code, 100) if failed_at else None,
        failure_reason=text_of(reason, 2000) if failed_at else None,
        canceled=subject.get("status") == "canceled",
    )


def _has_failed(event: Event, error: Json) -> bool:
    waits = event.object.get("status") in {"requires_payment_method", "requires_source"}
    return event.type == "payment_intent.payment_failed" or bool(error and waits)


def _take_back(book: Book, purchase: PurchaseState, settlement: Settlement, event: Event) -> None:
    def credit(subject: Json) -> int:
        return _credit(settlement, subject)

    for refund in _refunds(event):
        record_refund(book, purchase, _refund_facts(refund, credit))
    if event.kind == "dispute":
        record_dispute(book, purchase, _dispute_facts(event, credit))


def _credit(settlement: Settlement, subject: Json) -> int:
    """Return the credit in an amount of money: without its share of the tax, rounded down, so that
    refunds together are never more than the purchase.
    """
    currency = currency_of(subject.get("currency"))
    if currency != settlement.currency:
        raise BadUserInput(f"The payment was in {settlement.currency}.", argument="currency")
    return nanos_of(subject.get("amount"), currency) * settlement.amount // settlement.total


def _refunds(event: Event) -> Iterator[Json]:
    if event.kind == "refund":
        yield event.object
    elif event.kind == "charge":
        yield from items_of(event.object.get("refunds"))


def _refund_facts(refund: Json, credit: Callable[[Json], int]) -> RefundFacts:
    return RefundFacts(
        amount=credit(refund),
        created_at=created_at(refund),
        status=_REFUND_STATUS.get(str(refund.get("status")), RefundStatus.PENDING),
        reason=words(refund.get("reason")),
        failure_reason=words(refund.get("failure_reason")),
        provider=PROVIDER,
        reference=_reference(refund),
    )


def _dispute_facts(event: Event, credit: Callable[[Json], int]) -> DisputeFacts:
    dispute = event.object
    state = _DISPUTE_STATE.get(str(dispute.get("status")), DisputeStatus.OPEN)
    is_withdrawal = event.type == "charge.dispute.funds_withdrawn"
    withdrawn_at = _moved_at(dispute, -1) or (event.created_at if is_withdrawal else None)
    closed_at = None
    if state != DisputeStatus.OPEN:
        closed_at = (_moved_at(dispute, 1) if state == DisputeStatus.WON else None) or (
            event.created_at
        )
    return DisputeFacts(
        amount=credit(dispute),
        created_at=created_at(dispute),
        state=state,
        reason=words(dispute.get("reason")),
        withdrawn_at=withdrawn_at,
        closed_at=closed_at,
        provider=PROVIDER,
        reference=_reference(dispute),
    )


def _moved_at(dispute: Json, sign: int) -> datetime | None:
    """Return when a dispute first moved the balance at Stripe, out (-1) or back (1)."""
    moves = dispute.get("balance_transactions")
    moved = [object_of(each) for each in moves] if isinstance(moves, list) else []
    instants = (
        instant_of(each.get("created"))
        for each in moved
        if isinstance(each.get("amount"), int) and each["amount"] * sign > 0
    )
    return min(filter(None, instants), default=None)


def _reference(subject: Json) -> str:
    reference = id_of(subject.get("id"))
    if reference is None:
        raise BadUserInput("An object must have an id.", argument="id")
    return reference
