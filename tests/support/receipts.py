"""Frozen data of receipts."""

import copy
from typing import Any

from gateway.receipts.view import PrintedData
from gateway.store.sellers import SellerFacts

SELLER: SellerFacts = {
    "name": "Northwind Compute GmbH",
    "address": ["Hafenstraße 12", "20457 Hamburg"],
    "taxId": "VAT ID DE 299 123 456",
    "email": "billing@northwind.example",
    "accent": "#3b5bdb",
}
_DATA: dict[str, Any] = {
    "format": 1,
    "number": "K7WQ2M9X-2026-000042",
    "issuedAt": "2026-11-24T23:30:00.123456+00:00",
    "timeZone": "Europe/Berlin",
    "currency": "USD",
    "buyer": {"name": "Aurora Inference GmbH", "externalId": "aurora"},
    "purchase": {
        "kind": "CARD",
        "description": None,
        "createdAt": "2026-11-24T23:29:00+00:00",
        "paymentMethod": {"type": "CARD", "brand": "visa", "last4": "4242", "label": None},
    },
    "lines": [{"kind": "credit", "amount": "100.00"}, {"kind": "bonus", "amount": "10.00"}],
    "net": "100.00",
    "tax": "19.00",
    "total": "119.00",
}


def source(
    *,
    buyer: str | None = None,
    purchase: dict[str, Any] | None = None,
    original_number: str | None = None,
    seller: SellerFacts | None = None,
    **changes: Any,
) -> PrintedData:
    """Return a receipt of 100 USD with 19 tax and a bonus of 10, with changes."""
    data: Any = copy.deepcopy(_DATA) | changes
    data["purchase"] |= purchase or {}
    if buyer is not None:
        data["buyer"]["name"] = buyer
    return PrintedData(
        data=data, seller=SELLER if seller is None else seller, original_number=original_number
    )


CREDIT_NOTE: dict[str, Any] = {
    "number": "K7WQ2M9X-2026-000043",
    "lines": [{"kind": "refund", "amount": "-30.00"}],
    "net": "-30.00",
    "tax": "-5.70",
    "total": "-35.70",
    "refund": {"createdAt": "2026-11-24T23:30:00+00:00", "reason": "requested_by_customer"},
}
CANCELLATION: dict[str, Any] = {
    "number": "K7WQ2M9X-2026-000044",
    "issuedAt": "2026-11-27T09:00:00+00:00",
    "lines": [{"kind": "refund", "amount": "30.00"}],
    "net": "30.00",
    "tax": "5.70",
    "total": "35.70",
    "refund": {"createdAt": "2026-11-24T23:30:00+00:00", "reason": "requested_by_customer"},
    "cancels": {"number": "K7WQ2M9X-2026-000043", "reason": "Lost or stolen card"},
}
