"""A payment, told to the books from all of its events."""

from collections.abc import Iterator, Mapping, Sequence
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
    charges_of,
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
_STANDS: Final = frozenset({RefundStatus.PENDING, RefundStatus.SUCCEEDED})
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
    _take_refunds(book, purchase, settlement, events)
    for event in _disputes(events):
        record_dispute(book, purchase, _dispute_facts(event, settlement))
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


def _take_refunds(
    book: Book, purchase: PurchaseState, settlement: Settlement, events: Sequence[Event]
) -> None:
    """Record refunds: a new one takes what is missing from the credit in all the money that went
    back, so that refunds of all the money are exactly the purchase.
    """
    refunds = [each for event in events for each in _refunds(event)]
    money = {_reference(each): _money(each, settlement) for each in refunds}
    for refund in refunds:
        name = _reference(refund)
        known = {str(each.provider_reference): each for each in book.refunds[purchase.key]}
        if name in known:
            credit = known[name].amount_nanos
        else:
            standing = {key: each for key, each in known.items() if each.status in _STANDS}
            back = money[name] + sum(money.get(key, 0) for key in standing)
            given = sum(each.amount_nanos for each in standing.values())
            credit = back * settlement.amount // settlement.total - given
        record_refund(book, purchase, _refund_facts(refund, credit))


def _money(subject: Json, settlement: Settlement) -> int:
    currency = currency_of(subject.get("currency"))
    if currency != settlement.currency:
        raise BadUserInput(f"The payment was in {settlement.currency}.", argument="currency")
    return nanos_of(subject.get("amount"), currency)


def _refunds(event: Event) -> Iterator[Json]:
    if event.kind == "refund":
        yield event.object
    for charge in charges_of(event):
        yield from items_of(charge.get("refunds"))


def _refund_facts(refund: Json, credit: int) -> RefundFacts:
    return RefundFacts(
        amount=credit,
        created_at=created_at(refund),
        status=_REFUND_STATUS.get(str(refund.get("status")), RefundStatus.PENDING),
        reason=words(refund.get("reason")),
        failure_reason=words(refund.get("failure_reason")),
        provider=PROVIDER,
        reference=_reference(refund),
    )


def _disputes(events: Sequence[Event]) -> Iterator[Event]:
    """Yield the events of disputes. That one was decided, a list says only where no event does: an
    event knows when.
    """
    disputes = [event for event in events if event.kind == "dispute"]
    decided = {
        _reference(event.object)
        for event in disputes
        if not event.is_listed and _state(event) != DisputeStatus.OPEN
    }
    for event in disputes:
        if not (event.is_listed and _reference(event.object) in decided):
            yield event


def _state(event: Event) -> DisputeStatus:
    state = _DISPUTE_STATE.get(str(event.object.get("status")), DisputeStatus.OPEN)
    if state == DisputeStatus.OPEN and event.type == "charge.dispute.funds_reinstated":
        return DisputeStatus.WON
    return state


def _dispute_facts(event: Event, settlement: Settlement) -> DisputeFacts:
    dispute, state = event.object, _state(event)
    is_withdrawal = event.type == "charge.dispute.funds_withdrawn"
    # Rounded up, because a dispute takes no more than is left: none of a whole payment stays.
    credit = -(-_money(dispute, settlement) * settlement.amount // settlement.total)
    return DisputeFacts(
        amount=credit,
        created_at=created_at(dispute),
        state=state,
        reason=words(dispute.get("reason")),
        withdrawn_at=_moved_at(dispute, -1) or (event.created_at if is_withdrawal else None),
        closed_at=None if state == DisputeStatus.OPEN else _closed_at(event, state),
        provider=PROVIDER,
        reference=_reference(dispute),
    )


def _closed_at(event: Event, state: DisputeStatus) -> datetime:
    """Return when a dispute was decided: when the money came back, or when Stripe said so. A list
    does not say when one was lost; the money was gone since it was withdrawn.
    """
    dispute = event.object
    returned_at = _moved_at(dispute, 1) if state == DisputeStatus.WON else None
    if returned_at or not event.is_listed:
        return returned_at or event.created_at
    return _moved_at(dispute, -1) or created_at(dispute)


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
