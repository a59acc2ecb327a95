"""Events as Stripe sends them: its own published objects, changed to make one payment's history.

The objects are from Stripe's OpenAPI fixtures (`tests/data/stripe`, MIT licence beside them).
"""

import hashlib
import hmac
import json
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

from gateway.providers.stripe.events import Event, parse_event
from tests.support.books import NOW

Json = dict[str, Any]

OBJECTS: Final[dict[str, Json]] = json.loads(
    (Path(__file__).parents[1] / "data" / "stripe" / "objects.json").read_text("utf-8")
)
SECRET: Final = "whsec_" + "0123456789abcdef" * 2
BEGIN: Final = int(NOW.timestamp()) - 10 * 86_400
PAYMENT: Final = "pi_1"


def event(
    event_type: str,
    subject: Json,
    *,
    at: int,
    event_id: str = "",
    livemode: bool = True,
    version: str | None = None,
) -> Json:
    """Return an event, `at` seconds after the history's begin, in a version of the API."""
    data = {"id": event_id or f"evt_{event_type}_{at}", "type": event_type, "livemode": livemode}
    data |= {"created": BEGIN + at, "api_version": version, "data": {"object": subject}}
    return OBJECTS["event"] | data


def _object(kind: str, changes: Json) -> Json:
    return deepcopy(OBJECTS[kind]) | {"livemode": True, "currency": "usd"} | changes


def intent(**changes: Any) -> Json:
    data = {
        "id": PAYMENT,
        "created": BEGIN,
        "amount": 11_900,
        "customer": "cus_1",
        "description": "100 USD of credit",
        "last_payment_error": None,
        "next_action": None,
        "metadata": {"account": "acme", "bonus": "10", "tax": "19.00"},
    }
    return _object("payment_intent", data | changes)


def charge(**changes: Any) -> Json:
    data = {
        "id": "ch_1",
        "created": BEGIN + 60,
        "amount": 11_900,
        "amount_captured": 11_900,
        "captured": True,
        "customer": "cus_1",
        "payment_intent": PAYMENT,
        "metadata": {"account": "acme", "bonus": "10", "tax": "19.00"},
    }
    return _object("charge", data | changes)


def refund(**changes: Any) -> Json:
    data = {
        "id": "re_1",
        "created": BEGIN + 86_400,
        "amount": 5_950,
        "charge": "ch_1",
        "payment_intent": PAYMENT,
        "reason": "requested_by_customer",
    }
    return _object("refund", data | changes)


def dispute(**changes: Any) -> Json:
    data = {
        "id": "dp_1",
        "created": BEGIN + 2 * 86_400,
        "amount": 11_900,
        "charge": "ch_1",
        "payment_intent": PAYMENT,
        "status": "needs_response",
    }
    return _object("dispute", data | changes)


def session(**changes: Any) -> Json:
    data = {
        "id": "cs_1",
        "created": BEGIN - 60,
        "payment_intent": PAYMENT,
        "status": "complete",
        "payment_status": "paid",
        "amount_subtotal": 10_000,
        "amount_total": 11_900,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 1_900},
    }
    return _object("checkout.session", data | changes)


def invoice(**changes: Any) -> Json:
    """Return a paid invoice as in events since 2025-03-31.basil, which lack its payment."""
    data: Json = {"id": "in_1", "object": "invoice", "status": "paid", "currency": "usd"}
    data |= {"created": BEGIN - 60, "customer": "cus_1", "livemode": True, "metadata": {}}
    return data | {"total_excluding_tax": 10_000, "total": 11_900} | changes


def invoice_payment(**changes: Any) -> Json:
    data: Json = {
        "id": "inpay_1",
        "object": "invoice_payment",
        "status": "paid",
        "currency": "usd",
    }
    data |= {"created": BEGIN, "invoice": "in_1", "livemode": True, "amount_paid": 11_900}
    return data | {"payment": {"type": "payment_intent", "payment_intent": PAYMENT}} | changes


def balance_transaction(*, at: int, **changes: Any) -> Json:
    """Return what moved the balance at Stripe, `at` seconds after the history's begin."""
    data = {"id": "txn_1", "object": "balance_transaction", "created": BEGIN + at}
    return data | {"amount": 11_900, "currency": "usd", "type": "charge"} | changes


def parsed(data: Json) -> Event:
    return parse_event(json.dumps(data))


def signed(body: bytes, *, at: float, secret: str = SECRET) -> str:
    """Return the header with which Stripe sends a body."""
    stamp = str(int(at))
    signature = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256)
    return f"t={stamp},v1={signature.hexdigest()},v0=00"
