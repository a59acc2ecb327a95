"""The names of JSONL's fields are those of the GraphQL schema."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLObjectType, build_schema, get_named_type

from gateway.exports.export import ExportFormat, LedgerSubject
from gateway.exports.request import LedgerExportRequest
from gateway.exports.writers import LEDGER_WRITERS
from tests.gateway.exports.test_writers import ACCOUNT, BERLIN, EVENT, SETTLED, file_of
from tests.support.chunks import purchases_chunk

SCHEMA = build_schema((Path(__file__).parents[3] / "schema.graphql").read_text("utf-8"))
ROW: dict[str, Any] = {
    "key": 3,
    "recorded_at": datetime(2026, 4, 1, tzinfo=UTC),
    "cause": "REFUND",
    "day": date(2026, 4, 1),
    "amount_nanos": -1,
    "balance_nanos": 1,
    "currency": "USD",
    "description": "x",
    "purchase_id": 11,
    "refund_id": 21,
    "dispute_id": 31,
}


def fields_of(name: str) -> dict[str, Any]:
    object_type = SCHEMA.type_map[name]
    assert isinstance(object_type, GraphQLObjectType)
    fields: dict[str, Any] = object_type.fields
    return fields


def names_of(*types: str) -> Iterator[str]:
    """Yield the names of types' fields, and those of the objects in them behind the field's own:
    `receipt { number }` is `receiptNumber`.
    """
    for name, field in [each for one in types for each in fields_of(one).items()]:
        yield name
        inner = get_named_type(field.type)
        if isinstance(inner, GraphQLObjectType):
            for below in inner.fields:
                yield f"{name}{below[0].upper()}{below[1:]}"


def line_of(kind: str) -> dict[str, Any]:
    if kind == "ledger":
        request = LedgerExportRequest(zone=BERLIN)
        subject = LedgerSubject(account=ACCOUNT, seller={}, request=request)
        export = LEDGER_WRITERS[ExportFormat.JSONL](subject)
        written = b"".join([export.begin(), export.write(purchases_chunk(ROW)), export.end()])
    else:
        written = file_of(ExportFormat.JSONL, SETTLED if kind == "purchase" else EVENT)
    line: dict[str, Any] = json.loads(written)
    return line


ADDED: dict[str, set[str]] = {
    "purchase": {"failureCode", "provider", "providerReference"},
    "refund": {"bonusReversed", "provider", "providerReference"},
    "method": set(),
    "ledger": set(),
    "usage": {"bucketStart", "correction", "eventId", "receivedAt", "sku", "source"},
}
"""Fields that the schema does not have."""
TYPES = {
    "purchase": ("CreditPurchase", "CreditPurchaseTotals", "Money"),
    "refund": ("Refund",),
    "method": ("PaymentMethod",),
    "ledger": ("LedgerRow", "Money"),
    "usage": ("UsageBreakdownRow", "UsageBucket", "UsageResource", "Deployment", "Money"),
}


@pytest.mark.parametrize("kind", ADDED)
def test_the_names_are_those_of_the_schema(kind: str) -> None:
    match kind:
        case "refund":
            (line,) = line_of("purchase")["refunds"]
        case "method":
            line = line_of("purchase")["paymentMethod"]
        case _:
            line = line_of(kind)
    assert line.keys() - set(names_of(*TYPES[kind])) == ADDED[kind]


@pytest.mark.parametrize(
    ("kind", "name", "others"),
    [
        ("purchase", "CreditPurchase", {"account", "receipt"}),
        ("ledger", "LedgerRow", {"purchase", "refund", "dispute"}),
    ],
)
def test_every_field_of_a_row_is_in_its_line(kind: str, name: str, others: set[str]) -> None:
    assert fields_of(name).keys() - line_of(kind).keys() == others
