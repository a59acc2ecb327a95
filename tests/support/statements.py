"""Frozen data of a monthly statement."""

import copy
from typing import Any

from gateway.receipts.statement_view import PrintedStatement
from tests.support.receipts import SELLER

_DATA: dict[str, Any] = {
    "format": 1,
    "number": "K7WQ2M9X-S2026-11",
    "month": "2026-11",
    "issuedAt": "2026-11-30T23:10:00+00:00",
    "timeZone": "Europe/Berlin",
    "currency": "USD",
    "buyer": {"name": "Aurora Inference GmbH", "externalId": "aurora"},
    "opening": "20.00",
    "days": [
        {
            "date": "2026-11-03",
            "movements": [
                {
                    "cause": "PURCHASE",
                    "kind": "CARD",
                    "description": "Top-up",
                    "document": "K7WQ2M9X-2026-000042",
                    "amount": "100.00",
                },
                {
                    "cause": "BONUS",
                    "kind": "CARD",
                    "document": "K7WQ2M9X-2026-000042",
                    "amount": "10.00",
                },
                {"cause": "USAGE", "amount": "-1.250864"},
            ],
            "balance": "128.749136",
        },
        {
            "date": "2026-11-28",
            "movements": [
                {
                    "cause": "REFUND",
                    "kind": "CARD",
                    "description": "requested_by_customer",
                    "document": "K7WQ2M9X-2026-000043",
                    "amount": "-30.00",
                }
            ],
            "balance": "98.749136",
        },
    ],
    "closing": "98.749136",
    "usage": [
        {
            "part": "MONTH",
            "spent": "1.25",
            "deployments": [
                {
                    "project": "search",
                    "deployment": "chat-api",
                    "externalId": "1",
                    "spent": "1.25",
                    "resources": [
                        {
                            "resource": "GPU",
                            "unit": "gpu-hour",
                            "quantity": "1234.5",
                            "spent": "1.00",
                        },
                        {"resource": "CPU", "unit": "cpu-hour", "quantity": "3", "spent": "0.25"},
                    ],
                }
            ],
        },
        {
            "part": "EARLIER",
            "spent": "0.000864",
            "deployments": [
                {
                    "project": None,
                    "deployment": None,
                    "externalId": None,
                    "spent": "0.000864",
                    "resources": [
                        {
                            "resource": "STORAGE",
                            "unit": "GiB-hour",
                            "quantity": "0.5",
                            "spent": "0.000864",
                        }
                    ],
                }
            ],
        },
    ],
    "usageShown": "1.25",
    "taxes": [{"amount": "13.30"}],
}


def statement(*, buyer: str | None = None, **changes: Any) -> PrintedStatement:
    """Return the statement of November 2026, with changes."""
    data: Any = copy.deepcopy(_DATA) | changes
    if buyer is not None:
        data["buyer"]["name"] = buyer
    return PrintedStatement(data=data, seller=SELLER)
