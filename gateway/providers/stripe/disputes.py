"""Disputes: how they stand, and the money that they moved at Stripe.

Money follows a dispute's balance transactions alone, each once by its id. An event's type moves
nothing, and an inquiry (a status `warning_…`) neither moves nor decides anything.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from gateway.billing.book import Book
from gateway.billing.purchases.dispute_state import DisputeFacts, DisputeMovement
from gateway.billing.purchases.disputes import record_dispute
from gateway.billing.purchases.purchase_state import PurchaseState
from gateway.models import DisputeStatus
from gateway.providers.stripe.amounts import money_of
from gateway.providers.stripe.events import PROVIDER, Event
from gateway.providers.stripe.movements import Conversion, Move
from gateway.providers.stripe.terms import created_at
from gateway.providers.stripe.texts import Json, object_of, reference_of, words

_DECISIONS: Final[Mapping[str, DisputeStatus]] = {
    "won": DisputeStatus.WON,
    "prevented": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
}
_INQUIRY: Final = "warning_"


def record_disputes(book: Book, purchase: PurchaseState, events: Sequence[Event]) -> None:
    """Record each dispute once, by all that its events say."""
    disputes: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.kind == "dispute":
            disputes[reference_of(event.object)].append(event)
    for pictures in disputes.values():
        record_dispute(book, purchase, _facts(pictures, purchase))


def _facts(pictures: Sequence[Event], purchase: PurchaseState) -> DisputeFacts:
    """Return the facts of one dispute, by all its pictures."""
    pictures = sorted(pictures, key=_state_time)
    dispute = pictures[-1].object
    amount = money_of(dispute, purchase)
    begun_at = min(created_at(event.object) for event in pictures)
    read = [Move.of(each, purchase.currency) for event in pictures for each in _moves(event.object)]
    moves = {each.reference: each for each in read}
    conversion = Conversion([*moves.values()], amount, purchase.currency)
    movements = tuple(
        DisputeMovement(reference=name, amount=conversion.money_of(each), at=each.at)
        for name, each in moves.items()
    )
    state = _decision(pictures)
    is_open = state == DisputeStatus.OPEN
    reasons = (words(event.object.get("reason")) for event in pictures)
    return DisputeFacts(
        amount=amount,
        created_at=begun_at,
        state=state,
        reason=max(filter(None, reasons), default=None),
        closed_at=None if is_open else max([begun_at, *(each.at for each in movements)]),
        movements=movements,
        provider=PROVIDER,
        reference=reference_of(dispute),
    )


def _state_time(event: Event) -> datetime:
    """Return the time of an object's state. An object of a list has none: it is as late as the last
    movement of money in it.
    """
    if not event.is_listed:
        return event.created_at
    moved_at = (created_at(each) for each in _moves(event.object))
    return max(moved_at, default=event.created_at)


def _decision(pictures: Sequence[Event]) -> DisputeStatus:
    """Return the latest decision; OPEN where there is none."""
    statuses = (str(event.object.get("status")) for event in pictures)
    decisions = [_DECISIONS[status] for status in statuses if status in _DECISIONS]
    return decisions[-1] if decisions else DisputeStatus.OPEN


def _moves(dispute: Json) -> Iterator[Json]:
    """Yield the balance transactions of a dispute that is no inquiry."""
    found = dispute.get("balance_transactions")
    if isinstance(found, list) and not str(dispute.get("status")).startswith(_INQUIRY):
        yield from map(object_of, found)
