"""The settlement of a payment: its instant and terms, read from all of its events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.billing.purchases.purchase_state import PaymentMethod
from gateway.billing.purchases.taxes import share_of
from gateway.errors import BadUserInput
from gateway.money import parse_exact_nanos
from gateway.providers.stripe.amounts import currency_of, nanos_of
from gateway.providers.stripe.events import Event, named_invoice
from gateway.providers.stripe.invoices import document_tax, invoice_taxes
from gateway.providers.stripe.methods import method_of
from gateway.providers.stripe.taxes import document_taxes
from gateway.providers.stripe.texts import Json, id_of, instant_of, items_of, object_of, text_of
from gateway.store.taxes import TaxLine

_DOCUMENTS: Final = {"checkout": "checkout.session", "invoice": "invoice"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A payment that went through: `total` is the money, `amount` the credit without tax."""

    total: int
    amount: int
    tax: int
    taxes: Sequence[TaxLine]
    bonus: int
    currency: str
    created_at: datetime
    succeeded_at: datetime
    method: PaymentMethod | None
    description: str | None


def find_settlement(events: Sequence[Event], payment: str) -> Settlement | str:
    """Return the payment's settlement, or the reason why it has none. `events` are ordered by their
    own time.

    A payment settles when its PaymentIntent has succeeded with all captures and a charge captured
    all the money that it received; without a PaymentIntent, when its charge is captured.
    """
    captured = [each for event in events for each in charges_of(event) if is_captured(each)]
    if not captured:
        return "Waiting for the charge."
    subject, received = captured[-1], money_captured(captured[-1])
    if any(id_of(each.get("payment_intent")) for each in captured):
        intents = (event.object for event in events if event.kind == "payment_intent")
        succeeded = [each for each in intents if each.get("status") == "succeeded"]
        if not succeeded:
            return "Waiting for the PaymentIntent to succeed."
        subject = succeeded[-1]
        # Missing in early versions of the API, which captured once.
        received = subject.get("amount_received") or received
        captured = [each for each in captured if money_captured(each) == received]
        if not captured:
            return "Waiting for a charge with the amount that the PaymentIntent received."
    settled_at = _find_settled_at(events)
    if settled_at is None:
        return "Waiting for the event with the settlement time."
    currency = currency_of(captured[-1].get("currency"))
    tax = _find_tax(events, subject, payment, received, currency)
    if isinstance(tax, str):
        return tax
    return _settlement(subject, captured[-1], received, tax, settled_at)


def _settlement(
    subject: Json, charge: Json, received: object, taxes: Sequence[TaxLine], settled_at: datetime
) -> Settlement:
    tax = sum(line.nanos for line in taxes)
    currency = currency_of(charge.get("currency"))
    total = nanos_of(received, currency)
    return Settlement(
        total=total,
        amount=total - tax,
        tax=tax,
        taxes=[] if taxes == [TaxLine(None, None, tax)] else taxes,
        bonus=bonus_of(subject),
        currency=currency,
        created_at=min(created_at(subject), created_at(charge)),
        succeeded_at=settled_at,
        method=method_of(charge.get("payment_method_details")),
        description=text_of(subject.get("description"), 2000),
    )


def _find_settled_at(events: Sequence[Event]) -> datetime | None:
    """Return the instant at which the PaymentIntent succeeded, or without one the charge was
    captured. No other event counts. An object of a list has no event: then it is the time of the
    charge's balance transaction, or else of the charge.
    """
    charges = [event for event in events if event.kind == "charge"]
    if any(event.kind == "payment_intent" for event in events):
        happened = [event for event in events if event.type == "payment_intent.succeeded"]
    else:
        types = {"charge.succeeded", "charge.captured"}
        happened = [each for each in charges if each.type in types and is_captured(each.object)]
    instants = [event.created_at for event in happened if not event.is_listed]
    if instants:
        return min(instants)
    listed = [each.object for each in charges if each.is_listed and is_captured(each.object)]
    return _listed_time(listed[-1]) if listed else None


def _listed_time(charge: Json) -> datetime:
    moved_at = instant_of(object_of(charge.get("balance_transaction")).get("created"))
    return moved_at or created_at(charge)


def _find_tax(
    events: Sequence[Event], subject: Json, payment: str, received: object, currency: str
) -> Sequence[TaxLine] | str:
    """Return the lines of the tax, or the reason why it is not known yet."""
    awaited = _awaited(subject)
    if awaited is None:
        return share_of([], own_tax(subject, currency), currency)
    if awaited == "invoice":
        if not isinstance(received, int):
            raise BadUserInput(
                "An amount must be an integer in the currency's smallest unit.", argument="amount"
            )
        return invoice_taxes(events, payment, received, currency)
    sessions = [event.object for event in events if event.kind == awaited]
    final = [each for each in sessions if _is_complete(each, currency)]
    if not final:
        return "Waiting for the Checkout Session, which has the tax."
    tax = nanos_of(document_tax(final[-1]), currency)
    return share_of(document_taxes(final[-1], tax, currency), tax, currency)


def charges_of(event: Event) -> Iterator[Json]:
    """Yield the charges that an event shows: a PaymentIntent of older versions brings its own."""
    if event.kind == "charge":
        yield event.object
    elif event.kind == "payment_intent":
        yield from items_of(event.object.get("charges"))


def refunds_of(event: Event) -> Iterator[Json]:
    """Yield the refunds that an event shows: its own, or those that its charges list."""
    if event.kind == "refund":
        yield event.object
    for charge in charges_of(event):
        yield from items_of(charge.get("refunds"))


def is_captured(charge: Json) -> bool:
    """Say whether a charge took money."""
    return charge.get("status") == "succeeded" and charge.get("captured") is not False


def money_captured(charge: Json) -> object:
    """Return the captured amount of a charge, in Stripe's smallest unit. Objects of an early API
    version lack it, and are captured whole.
    """
    return charge.get("amount_captured") or charge.get("amount")


def own_tax(subject: Json, currency: str) -> int:
    """Return the tax that a PaymentIntent or charge says itself."""
    stated = object_of(object_of(subject.get("amount_details")).get("tax")).get("total_tax_amount")
    return nanos_of(stated, currency) if stated is not None else _metadata_nanos(subject, "tax")


def bonus_of(subject: Json) -> int:
    """Return the bonus of an object's metadata."""
    return _metadata_nanos(subject, "bonus")


def _metadata_nanos(subject: Json, name: str) -> int:
    text = object_of(subject.get("metadata")).get(name)
    if text is None:
        return 0
    nanos = parse_exact_nanos(str(text), argument=name)
    if nanos < 0:
        raise BadUserInput(f"The metadata's {name} must not be negative.", argument=name)
    return nanos


def created_at(subject: Json) -> datetime:
    """Return when an object was made; raises BadUserInput where it does not say."""
    at = instant_of(subject.get("created"))
    if at is None:
        raise BadUserInput("An object must have a creation time.", argument="created")
    return at


def _awaited(subject: Json) -> str | None:
    """Return the kind of document that a payment says its tax stands on."""
    if named_invoice(subject):
        return "invoice"
    reference = id_of(object_of(subject.get("payment_details")).get("order_reference")) or ""
    if reference.startswith("cs_"):
        return "checkout.session"
    return _DOCUMENTS.get(str(object_of(subject.get("metadata")).get("document")))


def _is_complete(session: Json, currency: str) -> bool:
    return session.get("status") == "complete" and (
        str(session.get("currency")).upper() == currency
    )
