"""Parses Stripe's events and finds the payment, or the invoice, that each belongs to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

from gateway import strict_json
from gateway.errors import BadRequest
from gateway.providers.stripe.texts import (
    Json,
    id_of,
    identifier_of,
    instant_of,
    items_of,
    object_of,
    text_of,
)

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
WITNESSES: Final = frozenset({"payment_intent", "charge"})
DOCUMENTS: Final = frozenset({"checkout.session", "invoice"})
_NAME_ACCOUNTS: Final = WITNESSES | DOCUMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event. `payment` is None where it is of an invoice, or of a type that says nothing to us.

    `invoice` is the invoice that it is of, or that its payment names; `payments` are the payments
    that it says belong to that invoice. Since 2025-03-31.basil an invoice does not name them: an
    InvoicePayment names both. `external_id` and `customer_id` identify the payment's account.
    `api_version` is the version of the API that the object is written in, where it is known.
    """

    id: str
    type: str
    created_at: datetime
    livemode: bool
    kind: str | None
    object: Json
    payment: str | None
    invoice: str | None
    payments: tuple[str, ...]
    external_id: str | None
    customer_id: str | None
    api_version: str | None
    payload: str

    @property
    def object_id(self) -> str | None:
        """The payment, or else the invoice, under which it is stored."""
        return self.payment or self.invoice

    @property
    def is_listed(self) -> bool:
        """Whether it only says what is so, and not that something happened when it was made."""
        return self.id.startswith(LISTED)


def parse_event(body: str | bytes) -> Event:
    """Read an event; raises BadRequest for what is none."""
    event = object_of(strict_json.read(body, "The body"))
    event_id, created_at = id_of(event.get("id")), instant_of(event.get("created"))
    kind_of_event, subject = event.get("type"), object_of(event.get("data")).get("object")
    if not (event_id and created_at and isinstance(kind_of_event, str)) or not isinstance(
        subject, dict
    ):
        raise BadRequest("An event must have an id, a type, a creation time and an object.")
    subject.pop("client_secret", None)
    kind = _kind(kind_of_event, subject)
    payment, invoice = _payment(kind, subject), _invoice(kind, subject)
    paid = (payment,) if payment else _paid_by(kind, subject)
    naming = subject if kind in _NAME_ACCOUNTS else {}
    return Event(
        id=event_id,
        type=text_of(kind_of_event, 100) or "unknown",
        created_at=created_at,
        livemode=event.get("livemode") is True,
        kind=kind,
        object=subject,
        payment=payment,
        invoice=invoice,
        payments=paid if invoice else (),
        external_id=identifier_of(object_of(naming.get("metadata")).get("account"), 200),
        customer_id=id_of(naming.get("customer")),
        api_version=text_of(event.get("api_version"), 50),
        payload=orjson.dumps(event).decode(),
    )


def _kind(event_type: str, subject: Json) -> str | None:
    kind = kind_of_type(event_type)
    return kind if subject.get("object") == kind else None


def kind_of_type(event_type: str) -> str | None:
    """Return the kind of object that events of a type show; None for a type that says nothing."""
    return next((kind for begin, kind in _OBJECTS.items() if event_type.startswith(begin)), None)


def _payment(kind: str | None, subject: Json) -> str | None:
    match kind:
        case None | "invoice" | "invoice_payment":
            return None
        case "payment_intent":
            return id_of(subject.get("id"))
        case "charge":
            return id_of(subject.get("payment_intent")) or id_of(subject.get("id"))
        case _:
            return id_of(subject.get("payment_intent")) or id_of(subject.get("charge"))


def _invoice(kind: str | None, subject: Json) -> str | None:
    match kind:
        case "invoice":
            return id_of(subject.get("id"))
        case "invoice_payment":
            return id_of(subject.get("invoice"))
        case "payment_intent" | "charge":
            return named_invoice(subject)
        case _:
            return None


def named_invoice(subject: Json) -> str | None:
    """Return the invoice that a PaymentIntent or a charge names: before 2025-03-31.basil its own
    field, since then the reference of its order.
    """
    reference = id_of(object_of(subject.get("payment_details")).get("order_reference")) or ""
    return id_of(subject.get("invoice")) or (reference if reference.startswith("in_") else None)


def _paid_by(kind: str | None, subject: Json) -> tuple[str, ...]:
    """Return the payments that an invoice or an InvoicePayment names."""
    if kind == "invoice_payment":
        named = [payment_of(subject)]
    elif kind == "invoice":
        own = id_of(subject.get("payment_intent")) or id_of(subject.get("charge"))
        # Others of its payments were given up, or may still be paid.
        named = [own, *map(payment_of, filter(is_paid, items_of(subject.get("payments"))))]
    else:
        named = []
    return tuple(dict.fromkeys(filter(None, named)))


def is_paid(invoice_payment: Json) -> bool:
    """Say whether an InvoicePayment was paid, and neither given up nor waits."""
    return invoice_payment.get("status") in {None, "paid"}


def payment_of(invoice_payment: Json) -> str | None:
    """Return the payment of an InvoicePayment; None for a payment outside Stripe."""
    payment = object_of(invoice_payment.get("payment"))
    charge = payment.get("charge")
    own = object_of(charge).get("payment_intent")
    return id_of(payment.get("payment_intent")) or id_of(own) or id_of(charge)
