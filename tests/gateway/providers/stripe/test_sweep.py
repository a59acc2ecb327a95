"""Parked payments between events: found by their account's names, reviewed, dropped when old."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from gateway.providers.stripe.events import PROVIDER
from gateway.providers.stripe.inbox import Inbox
from gateway.providers.stripe.sweep import ACTOR, CHANGED_SECONDS
from gateway.store import Database, Snapshot, Statement, parked_events
from tests.support.books import Books
from tests.support.facts import rows_of
from tests.support.raw import EVERY_ACCOUNT, execute
from tests.support.stripe import (
    Json,
    charge,
    event,
    intent,
    invoice,
    invoice_payment,
    parsed,
)
from tests.support.tables import table_rows

OF_ACME = [
    event("charge.succeeded", charge(), at=61),
    event("payment_intent.succeeded", intent(status="succeeded"), at=62),
]
SILENT: Json = {"metadata": {}}
OF_CUSTOMER = [
    event("charge.succeeded", charge(**SILENT), at=61),
    event("payment_intent.succeeded", intent(status="succeeded", **SILENT), at=62),
]
UNNAMED: Json = {"metadata": {}, "customer": None}
OF_INVOICE = [
    event("charge.succeeded", charge(**UNNAMED), at=61),
    event("payment_intent.succeeded", intent(status="succeeded", **UNNAMED), at=62),
    event("invoice.paid", invoice(metadata={"account": "acme"}), at=63),
    event("invoice_payment.paid", invoice_payment(), at=64),
]
MANY = 20_000


@pytest.fixture
async def books(database: Database) -> Books:
    return Books(database)


async def told(books: Books, events: list[Json]) -> Inbox:
    inbox = Inbox(books.database, books.clock, test_mode=False)
    for each in events:
        await inbox.take(parsed(each))
    return inbox


async def states(books: Books) -> list[str]:
    return [row["state"] for row in await table_rows(books.database, "webhook_event")]


@pytest.mark.parametrize("events", [OF_ACME, OF_INVOICE], ids=["payment", "invoice"])
async def test_a_new_account_gets_its_parked_payments(books: Books, events: list[Json]) -> None:
    sweep = (await told(books, events)).background
    assert await sweep.changed() == 0
    account_id = await books.account("acme")
    assert await sweep.changed() == 1
    assert await sweep.changed() == 0
    assert len(await rows_of(books.database, "credit_purchase", account_id)) == 1
    assert set(await states(books)) == {"APPLIED"}


async def test_a_new_customer_gets_its_parked_payments(books: Books) -> None:
    sweep = (await told(books, OF_CUSTOMER)).background
    await books.account("acme")
    assert await sweep.changed() == 0
    await books.account("acme", stripe_customer_id="cus_1")
    assert await sweep.changed() == 1
    assert set(await states(books)) == {"APPLIED"}


async def test_a_review_finds_what_no_process_saw_appear(books: Books) -> None:
    sweep = (await told(books, OF_ACME)).background
    await books.account("acme")
    books.clock.instant += timedelta(seconds=CHANGED_SECONDS + 1)
    assert await sweep.changed() == 0
    assert await sweep.review() == 1
    assert set(await states(books)) == {"APPLIED"}


async def test_old_payments_of_nobody_are_dropped(books: Books) -> None:
    """A payment goes whole, 90 days after its newest event; those of accounts stay."""
    await books.account("euro", currency="EUR")
    refused = charge(id="ch_3", payment_intent=None, metadata={"account": "euro"})
    await told(books, [*OF_INVOICE, event("charge.succeeded", refused, at=70, event_id="evt_3")])
    books.clock.instant += timedelta(days=60)
    newer = charge(id="ch_2", payment_intent=None)
    sweep = (
        await told(books, [event("charge.succeeded", newer, at=70, event_id="evt_2")])
    ).background
    books.clock.instant += timedelta(days=29)
    await sweep.review()
    assert (sweep.dropped, len(await states(books))) == (0, 6)
    books.clock.instant += timedelta(days=2)
    await sweep.review()
    assert sweep.dropped == 2
    left = await table_rows(books.database, "webhook_event")
    assert {row["object_id"] for row in left if row["state"] == "PARKED"} == {"ch_2", "ch_3"}
    assert await table_rows(books.database, "webhook_invoice") == []
    log = await table_rows(books.database, "audit_event")
    assert [(row["deed"], row["actor"], row["details"]) for row in log[-1:]] == [
        ("payments.dropped", "stripe", '{"events":2,"payments":1}')
    ]


def many_of_nobody(url: str) -> str:
    numbers = f"SELECT n FROM generate_series(1, {MANY}) AS n"
    now, name = "now()", "'nobody-' || n"
    if url.startswith("sqlite"):
        one = "SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers"
        numbers = f"WITH RECURSIVE numbers AS ({one} LIMIT {MANY}) SELECT n FROM numbers"
        now = "1800000000000000"
    return (
        "INSERT INTO webhook_event (provider, event_id, type, object_id, external_id, customer_id, "
        "state, payload, created_at, received_at) SELECT 'stripe', 'evt_' || n, 'charge.succeeded',"
        f" 'ch_' || n, {name}, {name}, 'PARKED', '{{}}', {now}, {now} FROM ({numbers}) AS numbers"
    )


async def plan(url: str, statement: Statement[Any], **parameters: object) -> str:
    """Return the database's plan for a statement."""
    if url.startswith("sqlite"):
        text, arguments = statement.compiled("sqlite").bind(parameters)
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            return str(file.execute(f"EXPLAIN QUERY PLAN {text.text}", arguments).fetchall())
    text, arguments = statement.compiled("postgresql").bind(parameters)
    connection = await asyncpg.connect(url, server_settings=EVERY_ACCOUNT)
    try:
        return str(await connection.fetch(f"EXPLAIN {text.text}", *arguments))
    finally:
        await connection.close()


async def test_many_payments_of_nobody_are_not_read(books: Books, database_url: str) -> None:
    await execute(database_url, many_of_nobody(database_url), "SELECT 1")
    sweep = (await told(books, OF_ACME)).background
    await books.account("acme")
    names = {"external_ids": ["acme"], "customer_ids": ["cus_1"]}
    where = {"of_provider": PROVIDER, "after": "", "most": 100}
    found = await plan(database_url, parked_events._NAMING, **names, **where)
    assert "ix_webhook_event_ownerless_external_id" in found
    assert "ix_webhook_event_ownerless_customer_id" in found
    for statement in (parked_events._OWNERLESS, parked_events._NEXT_PARKED):
        assert "ix_webhook_event_parked" in await plan(database_url, statement, **where)
    assert await sweep.changed() == 1
    async with Snapshot(books.database, ACTOR) as snapshot:
        assert await parked_events.count(snapshot, PROVIDER, most=10_000) == 10_000
        assert await parked_events.count(snapshot, PROVIDER, most=MANY * 2) == MANY
