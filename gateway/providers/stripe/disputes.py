"""Disputes: how they stand, and what they moved at Stripe."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from gateway.billing.book import Book
from gateway.billing.disputes import record_dispute
from gateway.billing.states import DisputeFacts, PurchaseState
from gateway.models import DisputeStatus
from gateway.providers.stripe.amounts import minor_unit, money_of, total_of
from gateway.providers.stripe.events import PROVIDER, Event
from gateway.providers.stripe.terms import created_at
from gateway.providers.stripe.texts import Json, instant_of, object_of, reference_of, words

_STATE: Final[Mapping[str, DisputeStatus]] = {
    "won": DisputeStatus.WON,
    "warning_closed": DisputeStatus.WON,
    "prevented": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
}


def record_disputes(book: Book, purchase: PurchaseState, events: Sequence[Event]) -> None:
    disputes = [event for event in events if event.kind == "dispute"]
    decisions: dict[str, tuple[DisputeStatus, datetime]] = {}
    for event in _deciding(disputes):
        name, state, at = reference_of(event.object), _state(event), _closed_at(event)
        # What is said again was decided when it was first said; anything else is a new decision.
        if name not in decisions or decisions[name][0] != state:
            decisions[name] = state, at
    for event in disputes:
        decision = decisions.get(reference_of(event.object), (DisputeStatus.OPEN, None))
        record_dispute(book, purchase, _dispute_facts(event, purchase, *decision))


def _deciding(disputes: Sequence[Event]) -> Iterator[Event]:
    """Yield the events that say how a dispute was decided. A list says so only where no event does:
    an event knows when.
    """
    decided = [event for event in disputes if _state(event) != DisputeStatus.OPEN]
    told = {reference_of(event.object) for event in decided if not event.is_listed}
    for event in decided:
        if not (event.is_listed and reference_of(event.object) in told):
            yield event


def _state(event: Event) -> DisputeStatus:
    """Return how a dispute stands. Money that came back after it was lost, or before anything is
    said, means that it was won.
    """
    state = _STATE.get(str(event.object.get("status")), DisputeStatus.OPEN)
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
    minor = minor_unit(purchase)
    share = money_of(dispute, purchase) * purchase.amount_nanos
    credit = -(-share // (total_of(purchase) * minor)) * minor
    return DisputeFacts(
        amount=credit,
        created_at=created_at(dispute),
        state=state,
        reason=words(dispute.get("reason")),
        withdrawn_at=_moved_at(dispute, -1) or (event.created_at if is_withdrawal else None),
        closed_at=closed_at,
        provider=PROVIDER,
        reference=reference_of(dispute),
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
