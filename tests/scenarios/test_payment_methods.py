"""What something was paid with reads the same in the schema, in files and on receipts."""

import csv
import json
from io import StringIO
from typing import Any

import pytest

from gateway.ids import encode_global_id
from gateway.providers.stripe.methods import method_of
from gateway.receipts.view import PrintedData, receipt_view
from gateway.store import Database
from tests.scenarios.test_exports import file_of, serving
from tests.support.books import Books
from tests.support.facts import day, purchase, save
from tests.support.graph import PLATFORM, data_of
from tests.support.rows import account, put
from tests.support.rows import purchase as stored_purchase
from tests.support.tables import table_rows

QUERY = """query ($id: ID!) { account(id: $id) { creditPurchases {
    csv: exportUrl(format: CSV) jsonl: exportUrl(format: JSONL)
    nodes { paymentMethod { type label displayName } }
} } }"""
VISA = {"brand": "visa", "last4": "4242"}


async def readings(database: Database, account_id: int) -> tuple[Any, set[str]]:
    """Return the method of an account's only purchase, and how each place writes it."""
    variables = {"id": encode_global_id("Account", account_id)}
    listed = (await data_of(database, PLATFORM, QUERY, variables))["account"]["creditPurchases"]
    (node,) = listed["nodes"]
    async with serving(database) as client:
        (row,) = csv.DictReader(StringIO(await file_of(client, listed["csv"]), newline=""))
        line = json.loads(await file_of(client, listed["jsonl"]))
    method = node["paymentMethod"]
    assert {name: line["paymentMethod"][name] for name in method} == method
    return method, {method["displayName"], row["Payment method"]}


@pytest.mark.parametrize(
    ("details", "label", "expected"),
    [
        ({"type": "card", "card": VISA}, None, "Visa •••• 4242"),
        (
            {"type": "card", "card": VISA | {"wallet": {"type": "apple_pay"}}},
            "Apple Pay",
            "Apple Pay (Visa •••• 4242)",
        ),
        (
            {"type": "sepa_debit", "sepa_debit": {"last4": "3000"}},
            "SEPA Direct Debit",
            "SEPA Direct Debit •••• 3000",
        ),
        (
            {"type": "us_bank_account", "us_bank_account": {"bank_name": "ACME", "last4": "6789"}},
            "ACME",
            "US bank account (ACME •••• 6789)",
        ),
        ({"type": "ideal", "ideal": {"bank": "ing"}}, "iDEAL", "iDEAL"),
        ({"type": "brand_new"}, "Brand new", "Brand new"),
    ],
)
async def test_a_method_reads_the_same_everywhere(
    database: Database, details: dict[str, Any], label: str | None, expected: str
) -> None:
    books = Books(database)
    key = await books.account("acme")
    await save(books, key, purchase(key, succeeded_at=day(1), payment_method=method_of(details)))
    method, texts = await readings(database, key)
    (receipt,) = await table_rows(database, "receipt")
    frozen = PrintedData(data=json.loads(receipt["data"]), seller={}, original_number=None)
    printed = receipt_view(frozen, str)
    texts |= {
        fact["value"]["text"] for fact in printed["facts"] if fact["name"] == "Payment method"
    }
    assert (method["label"], texts) == (label, {expected})


@pytest.mark.parametrize(
    ("kind", "label", "shown", "expected"),
    [
        ("BANK_ACCOUNT", "Sepa debit", "SEPA Direct Debit", "SEPA Direct Debit •••• 3000"),
        ("BANK_ACCOUNT", "Us bank account", "US bank account", "US bank account •••• 3000"),
        ("BANK_ACCOUNT", "ACME", "ACME", "ACME •••• 3000"),
        ("WALLET", "Cashapp", "Cash App Pay", "Cash App Pay •••• 3000"),
    ],
)
async def test_rows_of_earlier_versions_read_like_new_ones(
    database: Database, kind: str, label: str, shown: str, expected: str
) -> None:
    columns = {"type": kind, "label": label, "last4": "3000"}
    row = {f"payment_method_{name}": value for name, value in columns.items()}
    await put(database, account(1), stored_purchase(1, 1, **row))
    method, texts = await readings(database, 1)
    assert (method["label"], texts) == (shown, {expected})
