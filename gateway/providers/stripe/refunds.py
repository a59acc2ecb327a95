"""Refunds: money that went back, and how much of it is credit."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from gateway.billing.book import Book
from gateway.billing.refunds import record_refund
from gateway.billing.states import PurchaseState, RefundFacts, earliest, either, final_status
from gateway.models import RefundStatus
from gateway.providers.stripe.amounts import minor_unit, money_of, total_of
from gateway.providers.stripe.events import PROVIDER, Event
from gateway.providers.stripe.releases import find_release
from gateway.providers.stripe.terms import created_at, refunds_of
from gateway.providers.stripe.texts import Json, instant_of, object_of, reference_of, words

_STATUS: Final[Mapping[str, RefundStatus]] = {
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.CANCELED,
}
_STANDS: Final = frozenset({RefundStatus.PENDING, RefundStatus.SUCCEEDED})


def record_refunds(book: Book, purchase: PurchaseState, events: Sequence[Event]) -> None:
    """Record refunds: a new one takes what is missing from the credit in all the money that went
    back, so that refunds of all the money are exactly the purchase. The rest of it is tax.

    The release of an uncaptured rest is not one.
    """
    refunds = [each for event in events for each in refunds_of(event)]
    said: defaultdict[str, set[RefundStatus]] = defaultdict(set)
    for refund in refunds:
        said[reference_of(refund)].add(_status(refund))
    status = {name: final_status(each) for name, each in said.items()}
    money = {reference_of(each): money_of(each, purchase) for each in refunds}
    recorded = {each.provider_reference for each in book.refunds[purchase.key]}
    standing = {name: each for each in refunds if status[name := reference_of(each)] in _STANDS}
    failures = _failures(events)
    released = {find_release(events, standing, purchase)} - recorded
    # First those that took nothing in the end: they make room for the others.
    for refund in sorted(refunds, key=lambda each: status[reference_of(each)] in _STANDS):
        name = reference_of(refund)
        if name not in released:
            credit = _credit(book, purchase, name, money)
            facts = _refund_facts(refund, credit, money[name] - credit, status[name])
            failed_at, failure = failures.get(name, (None, None))
            facts = replace(
                facts,
                has_succeeded=RefundStatus.SUCCEEDED in said[name],
                failed_at=failed_at,
                failure_reason=failure,
            )
            record_refund(book, purchase, facts)


def _credit(book: Book, purchase: PurchaseState, name: str, money: Mapping[str, int]) -> int:
    known = {str(each.provider_reference): each for each in book.refunds[purchase.key]}
    if name in known:
        return known[name].amount_nanos
    standing = {key: each for key, each in known.items() if each.status in _STANDS}
    back = money[name] + sum(money.get(key, 0) for key in standing)
    return _credit_in(back, purchase, sum(each.amount_nanos for each in standing.values()))


def _failures(events: Sequence[Event]) -> Mapping[str, tuple[datetime | None, str | None]]:
    """Return when and why refunds failed or were canceled, by their ids: the earliest time that an
    event says. A list says it only with the balance transaction that brought the money back.
    """
    found: dict[str, tuple[datetime | None, str | None]] = {}
    for event in events:
        for refund in refunds_of(event):
            if _status(refund) not in _STANDS:
                returned = object_of(refund.get("failure_balance_transaction"))
                said_at = None if event.is_listed else event.created_at
                at = instant_of(returned.get("created")) or said_at
                name = reference_of(refund)
                known = found.get(name, (None, None))
                reason = words(refund.get("failure_reason"))
                found[name] = earliest(known[0], at), either(known[1], reason)
    return found


def _credit_in(money: int, purchase: PurchaseState, given: int) -> int:
    """Return the credit in so much of a payment's money, less what was given: in whole minor units
    where there are any, as a credit note shows it.
    """
    share = money * purchase.amount_nanos // total_of(purchase)
    minor = minor_unit(purchase)
    rounded = share // minor * minor
    return (rounded if rounded > given else share) - given


def _status(refund: Json) -> RefundStatus:
    return _STATUS.get(str(refund.get("status")), RefundStatus.PENDING)


def _refund_facts(refund: Json, credit: int, tax: int, status: RefundStatus) -> RefundFacts:
    return RefundFacts(
        amount=credit,
        tax=tax,
        created_at=created_at(refund),
        status=status,
        reason=words(refund.get("reason")),
        provider=PROVIDER,
        reference=reference_of(refund),
    )
