"""A payment, told to the books from all of its events."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import structlog

from gateway.billing.book import Book, Reference
from gateway.billing.disputes import record_dispute
from gateway.billing.purchases import load_purchases, record_purchase
from gateway.billing.refunds import record_refund
from gateway.billing.states import (
    DisputeFacts,
    PurchaseFacts,
    PurchaseState,
    RefundFacts,
    final_status,
)
from gateway.errors import BadUserInput
from gateway.models import CreditPurchaseKind, DisputeStatus, RefundStatus
from gateway.money import from_minor_units, minor_digits
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
    status_of,
    text_of,
    words,
)

_REFUND_STATUS: Final[Mapping[str, RefundStatus]] = {
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.CANCELED,
}
log = structlog.get_logger(__name__)

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

    The others wait: refunds and disputes for the settlement, the charge for the other witnesses,
    and what the books refuse of an attempt for what comes after it. `events` are ordered by their
    own time. Raises BadUserInput for what the books refuse of a payment that went through.
    """
    name = (account_id, PROVIDER, payment)
    await load_purchases(book, [name])
    purchase = _settle(book, name, events)
    if purchase is None:
        return [event.id for event in events if _attempted(book, event, account_id, payment)]
    _take_refunds(book, purchase, events)
    _take_disputes(book, purchase, events)
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


def _attempted(book: Book, event: Event, account_id: int, payment: str) -> bool:
    """Record what an event says of a purchase that has not settled; say whether that is all that
    it has to say.
    """
    try:
        facts = _attempt(event, account_id, payment)
        if facts is not None:
            record_purchase(book, facts)
    except BadUserInput as error:
        log.warning("stripe: event kept, not applied", event_id=event.id, reason=error.message)
        return False
    return _says_enough_alone(event)


def _says_enough_alone(event: Event) -> bool:
    if event.kind == "charge":
        return not is_captured(event.object)
    return event.kind not in {"refund", "dispute"}


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
    waits = status_of(event.object) in {"requires_payment_method", "requires_source"}
    return event.type == "payment_intent.payment_failed" or bool(error and waits)


def _take_refunds(book: Book, purchase: PurchaseState, events: Sequence[Event]) -> None:
    """Record refunds: a new one takes what is missing from the credit in all the money that went
    back, so that refunds of all the money are exactly the purchase. The rest of it is tax.
    """
    refunds = [each for event in events for each in _refunds(event)]
    money = {_reference(each): _money(each, purchase) for each in refunds}
    said: defaultdict[str, set[RefundStatus]] = defaultdict(set)
    for refund in refunds:
        said[_reference(refund)].add(_status(refund))
    status = {name: final_status(each) for name, each in said.items()}
    # First those that took nothing in the end: they make room for the others.
    for refund in sorted(refunds, key=lambda each: status[_reference(each)] in _STANDS):
        name = _reference(refund)
        known = {str(each.provider_reference): each for each in book.refunds[purchase.key]}
        if name in known:
            credit = known[name].amount_nanos
        else:
            standing = {key: each for key, each in known.items() if each.status in _STANDS}
            back = money[name] + sum(money.get(key, 0) for key in standing)
            given = sum(each.amount_nanos for each in standing.values())
            credit = _credit_in(back, purchase, given)
        facts = _refund_facts(refund, credit, money[name] - credit, status[name])
        record_refund(book, purchase, facts)


def _credit_in(money: int, purchase: PurchaseState, given: int) -> int:
    """Return the credit in so much of a payment's money, less what was given: in whole minor units
    where there are any, as a credit note shows it.
    """
    share = money * purchase.amount_nanos // _total(purchase)
    minor = _minor_unit(purchase)
    rounded = share // minor * minor
    return (rounded if rounded > given else share) - given


def _minor_unit(purchase: PurchaseState) -> int:
    return from_minor_units(1, minor_digits(purchase.currency))


def _total(purchase: PurchaseState) -> int:
    return purchase.amount_nanos + purchase.tax_nanos


def _money(subject: Json, purchase: PurchaseState) -> int:
    currency = currency_of(subject.get("currency"))
    if currency != purchase.currency:
        raise BadUserInput(f"The payment was in {purchase.currency}.", argument="currency")
    return nanos_of(subject.get("amount"), currency)


def _refunds(event: Event) -> Iterator[Json]:
    if event.kind == "refund":
        yield event.object
    for charge in charges_of(event):
        yield from items_of(charge.get("refunds"))


def _status(refund: Json) -> RefundStatus:
    return _REFUND_STATUS.get(str(refund.get("status")), RefundStatus.PENDING)


def _refund_facts(refund: Json, credit: int, tax: int, status: RefundStatus) -> RefundFacts:
    return RefundFacts(
        amount=credit,
        tax=tax,
        created_at=created_at(refund),
        status=status,
        reason=words(refund.get("reason")),
        failure_reason=words(refund.get("failure_reason")),
        provider=PROVIDER,
        reference=_reference(refund),
    )


def _take_disputes(book: Book, purchase: PurchaseState, events: Sequence[Event]) -> None:
    disputes = [event for event in events if event.kind == "dispute"]
    decisions: dict[str, tuple[DisputeStatus, datetime]] = {}
    for event in _deciding(disputes):
        name, state, at = _reference(event.object), _state(event), _closed_at(event)
        # What is said again was decided when it was first said; anything else is a new decision.
        if name not in decisions or decisions[name][0] != state:
            decisions[name] = state, at
    for event in disputes:
        decision = decisions.get(_reference(event.object), (DisputeStatus.OPEN, None))
        record_dispute(book, purchase, _dispute_facts(event, purchase, *decision))


def _deciding(disputes: Sequence[Event]) -> Iterator[Event]:
    """Yield the events that say how a dispute was decided. A list says so only where no event does:
    an event knows when.
    """
    decided = [event for event in disputes if _state(event) != DisputeStatus.OPEN]
    told = {_reference(event.object) for event in decided if not event.is_listed}
    for event in decided:
        if not (event.is_listed and _reference(event.object) in told):
            yield event


def _state(event: Event) -> DisputeStatus:
    """Return how a dispute stands. Money that came back after it was lost, or before anything is
    said, means that it was won.
    """
    state = _DISPUTE_STATE.get(str(event.object.get("status")), DisputeStatus.OPEN)
    moves = [amount for _, amount in _moves(event.object)]
    is_returned = bool(moves) and max(moves) > 0 and sum(moves) >= 0
    if event.type == "charge.dispute.funds_reinstated" or (
        state == DisputeStatus.LOST and is_returned
    ):
        return DisputeStatus.WON
    return state


def _dispute_facts(
    event: Event, purchase: PurchaseState, state: DisputeStatus, closed_at: datetime | None
) -> DisputeFacts:
    dispute = event.object
    is_withdrawal = event.type == "charge.dispute.funds_withdrawn"
    # Rounded up, because a dispute takes no more than is left: none of a whole payment stays.
    minor = _minor_unit(purchase)
    share = _money(dispute, purchase) * purchase.amount_nanos
    credit = -(-share // (_total(purchase) * minor)) * minor
    return DisputeFacts(
        amount=credit,
        created_at=created_at(dispute),
        state=state,
        reason=words(dispute.get("reason")),
        withdrawn_at=_moved_at(dispute, -1) or (event.created_at if is_withdrawal else None),
        closed_at=closed_at,
        provider=PROVIDER,
        reference=_reference(dispute),
    )


def _closed_at(event: Event) -> datetime:
    """Return when a dispute was decided: when the money came back, or when Stripe said so. A list
    does not say when one was lost; the money was gone since it was withdrawn.
    """
    dispute = event.object
    returned_at = _moved_at(dispute, 1) if _state(event) == DisputeStatus.WON else None
    if returned_at or not event.is_listed:
        return returned_at or event.created_at
    return _moved_at(dispute, -1) or created_at(dispute)


def _moved_at(dispute: Json, sign: int) -> datetime | None:
    """Return when a dispute first moved the balance at Stripe, out (-1) or back (1)."""
    instants = (at for at, amount in _moves(dispute) if amount * sign > 0)
    return min(filter(None, instants), default=None)


def _moves(dispute: Json) -> Iterator[tuple[datetime | None, int]]:
    """Yield when a dispute moved the balance at Stripe, and by how much."""
    moves = dispute.get("balance_transactions")
    for move in map(object_of, moves if isinstance(moves, list) else ()):
        amount = move.get("amount")
        if isinstance(amount, int):
            yield instant_of(move.get("created")), amount


def _reference(subject: Json) -> str:
    reference = id_of(subject.get("id"))
    if reference is None:
        raise BadUserInput("An object must have an id.", argument="id")
    return reference
