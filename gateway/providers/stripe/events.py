"""Events as they are stored: what is told of, of whose payment."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from gateway import strict_json
from gateway.errors import BadRequest
from gateway.providers.stripe.texts import Json, id_of, instant_of, items_of, object_of, text_of

PROVIDER: Final = "stripe"
_OBJECTS: Final = {
    "payment_intent.": "payment_intent",
    "charge.dispute.": "dispute",
    "charge.refund.": "refund",
    "charge.": "charge",
    "refund.": "refund",
    "checkout.session.": "checkout.session",
    "invoice.paid": "invoice",
    "invoice_payment.paid": "invoice_payment",
}
LISTED: Final = "backfill_"
"""How the ids of events begin that Stripe never sent: pictures that were read from a list."""
JOINED: Final = "joined_"
"""The same, of pictures that were joined of two events."""
WITNESSES: Final = frozenset({"payment_intent", "charge"})
DOCUMENTS: Final = frozenset({"checkout.session", "invoice"})
_SAY_WHOSE: Final = WITNESSES | DOCUMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event. `payment` is None where it is of no payment, or of a type that says nothing to us.

    `invoice` is that of half a picture: of an invoice that does not name its payment, which Stripe
    leaves out since 2025-03-31.basil, or of an InvoicePayment, which names both.
    `external_id` and `customer_id` are what it says of whose the payment is.
    """

    id: str
    type: str
    created_at: datetime
    livemode: bool
    kind: str | None
    object: Json
    payment: str | None
    invoice: str | None
    external_id: str | None
    customer_id: str | None
    payload: str

    @property
    def is_listed(self) -> bool:
        """Whether it only says what is so, and not that something happened when it was made."""
        return self.id.startswith(LISTED)


def parse_event(body: str | bytes) -> Event:
    """Read an event; raises BadRequest for what is none."""
    try:
        event: Any = strict_json.loads(body)
    except strict_json.DuplicateKey as error:
        raise BadRequest(str(error)) from None
    except ValueError:
        raise BadRequest("The body must be JSON in UTF-8.") from None
    event = object_of(event)
    event_id, created_at = id_of(event.get("id")), instant_of(event.get("created"))
    kind_of_event, subject = event.get("type"), object_of(event.get("data")).get("object")
    if not (event_id and created_at and isinstance(kind_of_event, str)) or not isinstance(
        subject, dict
    ):
        raise BadRequest("An event has an id, a type, a time of creation and an object.")
    subject.pop("client_secret", None)
    kind = _kind(kind_of_event, subject)
    payment = _payment(kind, subject)
    whose = subject if kind in _SAY_WHOSE else {}
    return Event(
        id=event_id,
        type=text_of(kind_of_event, 100) or "unknown",
        created_at=created_at,
        livemode=event.get("livemode") is True,
        kind=kind,
        object=subject,
        payment=payment,
        invoice=_invoice(kind, subject) if payment is None else None,
        external_id=text_of(object_of(whose.get("metadata")).get("account"), 200),
        customer_id=id_of(whose.get("customer")),
        payload=orjson.dumps(event).decode(),
    )


def join(halves: Sequence[Event]) -> Iterator[Event]:
    """Yield an invoice's pictures with each of its payments, as Stripe tells them when it is asked.

    They are known by what they are joined of: the same halves make the same events.
    """
    payments = {_paid_by(each.object): None for each in halves if each.kind == "invoice_payment"}
    for half in halves:
        if half.kind == "invoice":
            yield from (_joined(half, payment) for payment in payments if payment is not None)


def _joined(half: Event, payment: str) -> Event:
    paid = {"data": [{"payment": {"type": "payment_intent", "payment_intent": payment}}]}
    name = hashlib.sha256(f"{half.id} {payment}".encode()).hexdigest()
    whole = {"id": f"{JOINED}{name}", "data": {"object": {**half.object, "payments": paid}}}
    return parse_event(orjson.dumps(orjson.loads(half.payload) | whole))


def _kind(event_type: str, subject: Json) -> str | None:
    kind = next((kind for begin, kind in _OBJECTS.items() if event_type.startswith(begin)), None)
    return kind if subject.get("object") == kind else None


def _payment(kind: str | None, subject: Json) -> str | None:
    match kind:
        case None | "invoice_payment":
            return None
        case "payment_intent":
            return id_of(subject.get("id"))
        case "invoice":
            # Others of its payments were given up, or may still be paid.
            payments = items_of(subject.get("payments"))
            paid = [_paid_by(each) for each in payments if each.get("status", "paid") == "paid"]
            return next(filter(None, [id_of(subject.get("payment_intent")), *paid]), None)
        case "charge":
            return id_of(subject.get("payment_intent")) or id_of(subject.get("id"))
        case _:
            return id_of(subject.get("payment_intent")) or id_of(subject.get("charge"))


def _invoice(kind: str | None, subject: Json) -> str | None:
    """Return the invoice of half a picture."""
    if kind == "invoice":
        return id_of(subject.get("id"))
    if kind == "invoice_payment" and _paid_by(subject):
        return id_of(subject.get("invoice"))
    return None


def _paid_by(invoice_payment: Json) -> str | None:
    return id_of(object_of(invoice_payment.get("payment")).get("payment_intent"))
