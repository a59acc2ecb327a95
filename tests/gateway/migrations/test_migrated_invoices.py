"""Events of invoices that were stored before they were linked with their payments."""

import json
from typing import Any

from pydantic import SecretStr

from gateway.migrations import migrate
from gateway.providers.stripe.inbox import Inbox
from gateway.settings import load_settings
from gateway.store import connect
from tests.support.books import Books, usd
from tests.support.facts import rows_of
from tests.support.invariants import check_books
from tests.support.raw import execute
from tests.support.stripe import charge, event, intent, invoice, invoice_payment
from tests.support.tables import table_rows

Json = dict[str, Any]
DOCUMENT = {"metadata": {"account": "acme", "document": "invoice"}}
LISTED = {"payments": {"data": [{"payment": {"payment_intent": "pi_1"}}]}}
HALVES = [
    event("invoice.paid", invoice(), at=63),
    event("invoice_payment.paid", invoice_payment(), at=64),
]


def paid(payment: str) -> list[tuple[str, Json]]:
    taken = charge(id=f"ch_{payment}", payment_intent=payment, **DOCUMENT)
    done = intent(id=payment, status="succeeded", **DOCUMENT)
    return [
        (payment, event("charge.succeeded", taken, at=61, event_id=f"evt_charge_{payment}")),
        (payment, event("payment_intent.succeeded", done, at=62, event_id=f"evt_{payment}")),
    ]


STORED: list[tuple[str, Json]] = [
    *paid("pi_1"),
    *(("in_1", half) for half in HALVES),
    ("pi_1", event("invoice.paid", invoice(**LISTED), at=63, event_id="joined_1")),
    *paid("pi_2"),
    ("pi_2", event("invoice.paid", invoice(id="in_2", payment_intent="pi_2"), at=65)),
]


def stored(object_id: str, content: Json) -> str:
    state = "IGNORED" if object_id == "in_1" else "PARKED"
    return (
        "INSERT INTO webhook_event (provider, event_id, type, object_id, external_id, state, "
        "payload, created_at, received_at) SELECT 'stripe', "
        f"'{content['id']}', '{content['type']}', '{object_id}', 'acme', '{state}', "
        f"'{json.dumps(content)}', created_at, created_at FROM instants"
    )


async def test_invoices_that_were_stored_before_settle_their_purchases(empty_url: str) -> None:
    await migrate(empty_url, revision="0006")
    kind, now = ("BIGINT", "1800000000000000")
    if not empty_url.startswith("sqlite"):
        kind, now = ("TIMESTAMPTZ", "now()")
    await execute(
        empty_url,
        f"CREATE TABLE instants (created_at {kind})",
        f"INSERT INTO instants SELECT {now}",
        *(stored(object_id, content) for object_id, content in STORED),
        "DROP TABLE instants",
        "SELECT 1",
    )
    await migrate(empty_url)
    database = await connect(load_settings(database_url=SecretStr(empty_url)))
    try:
        books = Books(database)
        account_id = await books.account("acme")
        rows = {row["event_id"]: row for row in await table_rows(database, "webhook_event")}
        assert len(rows) == len(STORED) - 1
        assert rows["evt_invoice.paid_65"]["object_id"] == "in_2"
        inbox = Inbox(database, books.clock, test_mode=False)
        assert await inbox.sweep() == 2
        purchases = await rows_of(database, "credit_purchase", account_id)
        assert {row["tax_nanos"] for row in purchases} == {usd("19")}
        assert await check_books(database) == [usd("200")]
    finally:
        await database.close()
