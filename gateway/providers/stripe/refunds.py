"""Refunds: money that went back, and how much of it is credit."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from gateway.billing.book import Book
from gateway.billing.purchases.book_purchases import Purchases
from gateway.billing.purchases.purchase_state import (
    PurchaseState,
    RefundFacts,
    earliest,
    either,
    final_status,
)
from gateway.billing.purchases.refunds import record_refund
from gateway.models import RefundStatus
from gateway.money import divide_half_even
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
    """Record refunds: of its money, each takes its own share of the tax with it, so that it is the
    same in whatever order refunds arrive. The one that completes a refund of all the money takes
    all that is left.

    The release of an uncaptured rest is not one.
    """
    refunds = [each for event in events for each in refunds_of(event)]
    statuses: defaultdict[str, set[RefundStatus]] = defaultdict(set)
    for refund in refunds:
        statuses[reference_of(refund)].add(_status(refund))
    status = {name: final_status(each) for name, each in statuses.items()}
    money = {reference_of(each): money_of(each, purchase) for each in refunds}
    recorded = {each.provider_reference for each in book.part(Purchases).refunds[purchase.key]}
    standing = {name: each for each in refunds if status[name := reference_of(each)] in _STANDS}
    failures = _failures(events)
    released = {find_release(events, standing, purchase)} - recorded
    # First those that took nothing in the end: they make room for the others.
    for refund in sorted(refunds, key=lambda each: _order(each, status)):
        name = reference_of(refund)
        if name not in released:
            credit = _credit(book, purchase, name, money)
            facts = _refund_facts(refund, credit, money[name] - credit, status[name])
            failed_at, failure = failures.get(name, (None, None))
            facts = replace(
                facts,
                has_succeeded=RefundStatus.SUCCEEDED in statuses[name],
                failed_at=failed_at,
                failure_reason=failure,
            )
            record_refund(book, purchase, facts)


def _order(refund: Json, status: Mapping[str, RefundStatus]) -> tuple[bool, datetime, str]:
    name = reference_of(refund)
    return status[name] in _STANDS, created_at(refund), name


def _credit(book: Book, purchase: PurchaseState, name: str, money: Mapping[str, int]) -> int:
    """Return the credit in a refund's money, once it has succeeded as its credit note says it."""
    known = {
        str(each.provider_reference): each for each in book.part(Purchases).refunds[purchase.key]
    }
    if name in known and known[name].has_succeeded:
        return known[name].amount_nanos
    given = {key: each for key, each in known.items() if each.settled_at}
    rest = total_of(purchase) - sum(money.get(key, 0) for key in given)
    credit = purchase.amount_nanos - sum(each.amount_nanos for each in given.values())
    if money[name] == rest:
        return credit
    minor = minor_unit(purchase)
    share = divide_half_even(purchase.tax_nanos * money[name], total_of(purchase) * minor) * minor
    own = max(money[name] - share, min(money[name], minor))
    # What is left keeps some credit, and no more of it than money: rounding takes the last of none.
    least, most = credit - (rest - money[name]), credit - minor
    return own if money[name] > rest else max(min(own, most), least)


def _failures(events: Sequence[Event]) -> Mapping[str, tuple[datetime | None, str | None]]:
    """Return the time and reason of refunds that failed or were canceled, by their ids: the
    earliest time of an event. An object of a list has it only in the balance transaction that
    brought the money back.
    """
    found: dict[str, tuple[datetime | None, str | None]] = {}
    for event in events:
        for refund in refunds_of(event):
            if _status(refund) not in _STANDS:
                returned = object_of(refund.get("failure_balance_transaction"))
                event_at = None if event.is_listed else event.created_at
                at = instant_of(returned.get("created")) or event_at
                name = reference_of(refund)
                known = found.get(name, (None, None))
                reason = words(refund.get("failure_reason"))
                found[name] = earliest(known[0], at), either(known[1], reason)
    return found


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
