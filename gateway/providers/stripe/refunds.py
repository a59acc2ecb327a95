"""Refunds: money that went back, and how much of it is credit."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from gateway.billing.book import Book
from gateway.billing.refunds import record_refund
from gateway.billing.states import PurchaseState, RefundFacts, final_status
from gateway.models import RefundStatus
from gateway.providers.stripe.amounts import minor_unit, money_of, total_of
from gateway.providers.stripe.events import PROVIDER, Event
from gateway.providers.stripe.releases import find_release
from gateway.providers.stripe.terms import created_at, refunds_of
from gateway.providers.stripe.texts import Json, reference_of, words

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
    released = {find_release(events, standing, purchase)} - recorded
    # First those that took nothing in the end: they make room for the others.
    for refund in sorted(refunds, key=lambda each: status[reference_of(each)] in _STANDS):
        name = reference_of(refund)
        if name not in released:
            credit = _credit(book, purchase, name, money)
            facts = _refund_facts(refund, credit, money[name] - credit, status[name])
            record_refund(book, purchase, facts)


def _credit(book: Book, purchase: PurchaseState, name: str, money: Mapping[str, int]) -> int:
    known = {str(each.provider_reference): each for each in book.refunds[purchase.key]}
    if name in known:
        return known[name].amount_nanos
    standing = {key: each for key, each in known.items() if each.status in _STANDS}
    back = money[name] + sum(money.get(key, 0) for key in standing)
    return _credit_in(back, purchase, sum(each.amount_nanos for each in standing.values()))


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
        failure_reason=words(refund.get("failure_reason")),
        provider=PROVIDER,
        reference=reference_of(refund),
    )
