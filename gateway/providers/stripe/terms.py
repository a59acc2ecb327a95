"""What settles a payment, read from the whole of what is known of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.billing.states import PaymentMethod
from gateway.errors import BadUserInput
from gateway.money import parse_exact_nanos
from gateway.providers.stripe.amounts import currency_of, nanos_of
from gateway.providers.stripe.events import Event
from gateway.providers.stripe.methods import method_of
from gateway.providers.stripe.texts import Json, id_of, instant_of, items_of, object_of, text_of

_DOCUMENTS: Final = {"checkout": "checkout.session", "invoice": "invoice"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A payment that went through: `total` is the money, `amount` the credit without tax."""

    total: int
    amount: int
    tax: int
    bonus: int
    currency: str
    created_at: datetime
    succeeded_at: datetime
    method: PaymentMethod | None
    description: str | None


def find_settlement(events: Sequence[Event]) -> Settlement | None:
    """Return how the payment settled, or None while one of its witnesses is missing."""
    charges = (each for event in events for each in charges_of(event))
    charge = _last(each for each in charges if is_captured(each))
    if charge is None:
        return None
    said = charge
    if id_of(charge.get("payment_intent")):
        intents = (e.object for e in events if e.kind == "payment_intent")
        found = _last(each for each in intents if each.get("status") == "succeeded")
        if found is None:
            return None
        said = found
    currency = currency_of(charge.get("currency"))
    tax = own_tax(said, currency)
    awaited = _awaited(said)
    if awaited is not None:
        document = _document(events, awaited, charge.get("currency"))
        if document is None:
            return None
        tax = nanos_of(_document_tax(document), currency)
    captured = charge.get("amount_captured") or charge.get("amount")
    total = nanos_of(captured, currency)
    at = created_at(charge)
    return Settlement(
        total=total,
        amount=total - tax,
        tax=tax,
        bonus=bonus_of(said),
        currency=currency,
        created_at=min(created_at(said), at),
        succeeded_at=at,
        method=method_of(charge.get("payment_method_details")),
        description=text_of(said.get("description"), 2000),
    )


def charges_of(event: Event) -> Iterator[Json]:
    """Yield what an event tells of charges: a PaymentIntent of older versions brings its own."""
    if event.kind == "charge":
        yield event.object
    elif event.kind == "payment_intent":
        yield from items_of(event.object.get("charges"))


def is_captured(charge: Json) -> bool:
    """Say whether a charge took money."""
    return charge.get("status") == "succeeded" and charge.get("captured") is not False


def own_tax(said: Json, currency: str) -> int:
    """Return the tax that a PaymentIntent or charge says itself."""
    told = object_of(object_of(said.get("amount_details")).get("tax")).get("total_tax_amount")
    return nanos_of(told, currency) if told is not None else _metadata_nanos(said, "tax")


def bonus_of(said: Json) -> int:
    """Return the bonus of an object's metadata."""
    return _metadata_nanos(said, "bonus")


def _metadata_nanos(said: Json, name: str) -> int:
    text = object_of(said.get("metadata")).get(name)
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
        raise BadUserInput("An object must say when it was created.", argument="created")
    return at


def _last(found: Iterable[Json]) -> Json | None:
    # The events come in the order of their own time, so the last one is the newest picture.
    last = None
    for last in found:  # noqa: B007  # the last one is what is wanted
        pass
    return last


def _awaited(said: Json) -> str | None:
    """Return the kind of document that a payment says its tax stands on."""
    if id_of(said.get("invoice")):
        return "invoice"
    reference = id_of(object_of(said.get("payment_details")).get("order_reference")) or ""
    if reference.startswith("cs_"):
        return "checkout.session"
    if reference.startswith("in_"):
        return "invoice"
    return _DOCUMENTS.get(str(object_of(said.get("metadata")).get("document")))


def _document(events: Iterable[Event], kind: str, currency: object) -> Json | None:
    documents = (
        e.object for e in events if e.kind == kind and e.object.get("currency") == currency
    )
    return _last(each for each in documents if _is_final(each))


def _is_final(document: Json) -> bool:
    return text_of(document.get("status"), 20) in {"complete", "paid"}


def _document_tax(document: Json) -> object:
    if document.get("object") == "checkout.session":
        return object_of(document.get("total_details")).get("amount_tax") or 0
    net, total = document.get("total_excluding_tax"), document.get("total")
    if isinstance(net, int) and isinstance(total, int):
        return total - net
    return document.get("tax") or 0
