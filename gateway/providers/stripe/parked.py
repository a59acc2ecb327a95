"""Payments of which something waits, as an operator reads them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Final

from gateway.errors import GatewayError
from gateway.money import format_amount
from gateway.providers.stripe.amounts import currency_of, nanos_of
from gateway.providers.stripe.events import PROVIDER, WITNESSES, Event, parse_event
from gateway.providers.stripe.inbox import UNKNOWN_ACCOUNT
from gateway.store import Reader, parked_events
from gateway.store.parked_events import ParkedEventRow

PAGE: Final = 200
"""Payments that are read at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedPayment:
    """A payment with parked events: their types, its amount with the currency (None where no event
    has it), its account or customer (None where no event names one), the reason why the latest
    event waits, and the time of the first one.
    """

    payment: str
    types: Sequence[str]
    amount: str | None
    owner: str | None
    reason: str
    since: datetime


async def parked_payments(reader: Reader) -> AsyncIterator[ParkedPayment]:
    """Yield the payments of which something is parked, by their names."""
    after = ""
    while names := await parked_events.payments(reader, PROVIDER, after=after, most=PAGE):
        rows = await parked_events.of_payments(reader, PROVIDER, names)
        for name, events in groupby(rows, itemgetter("object_id")):
            yield _payment(name, list(events))
        after = names[-1]


def _payment(name: str, rows: Sequence[ParkedEventRow]) -> ParkedPayment:
    return ParkedPayment(
        payment=name,
        types=tuple(dict.fromkeys(row["type"] for row in rows)),
        amount=_amount(rows),
        owner=_owner(rows),
        reason=rows[-1]["reason"] or UNKNOWN_ACCOUNT,
        since=min(row["received_at"] for row in rows),
    )


def _owner(rows: Sequence[ParkedEventRow]) -> str | None:
    owners = [
        *(row["owner"] for row in rows),
        *(row["external_id"] for row in rows),
        *(row["customer_id"] and f"customer {row['customer_id']}" for row in rows),
    ]
    return next((each for each in owners if each is not None), None)


def _amount(rows: Sequence[ParkedEventRow]) -> str | None:
    """Return the amount of the latest event of the payment itself, else of the latest event."""
    found = None
    for row in rows:
        with suppress(GatewayError):
            event = parse_event(row["payload"])
            currency = currency_of(event.object.get("currency"))
            text = f"{format_amount(nanos_of(_minor(event), currency), currency)} {currency}"
            found = (event.kind in WITNESSES, text) if _is_better(event, found) else found
    return found and found[1]


def _is_better(event: Event, found: tuple[bool, str] | None) -> bool:
    return found is None or event.kind in WITNESSES or not found[0]


def _minor(event: Event) -> object:
    name = "amount_total" if event.kind == "checkout.session" else "amount"
    return event.object.get(name)
