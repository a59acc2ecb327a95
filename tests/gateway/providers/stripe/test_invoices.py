"""Invoices: paid by one payment, in parts, partly from a balance, and elsewhere."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from gateway.providers.stripe.backfill import Api, backfill
from gateway.providers.stripe.inbox import Inbox
from gateway.store import Database
from tests.gateway.billing.reconciliation.test_accounts import found_in
from tests.support.books import Books, usd
from tests.support.facts import rows_of
from tests.support.invariants import check_books
from tests.support.stripe import BEGIN, charge, event, intent, invoice, invoice_payment, parsed
from tests.support.tables import table_rows

Json = dict[str, Any]
DOCUMENT = {"account": "acme", "document": "invoice"}


@pytest.fixture
async def books(database: Database) -> Books:
    return Books(database)


def inbox_of(books: Books) -> Inbox:
    return Inbox(books.database, books.clock, test_mode=False)


async def deliver(books: Books, events: Sequence[Json]) -> list[str]:
    inbox = inbox_of(books)
    return [await inbox.take(parsed(each)) for each in events]


def paid(number: int, money: int, **changes: Any) -> list[Json]:
    """Return the events of a payment that points to an invoice."""
    said: Json = {"metadata": DOCUMENT} | changes
    name, at = f"pi_{number}", number * 100
    whole: Json = {"amount": money, **said}
    taken = charge(id=f"ch_{number}", payment_intent=name, amount_captured=money, **whole)
    done = intent(id=name, status="succeeded", amount_received=money, **whole)
    return [
        event("charge.succeeded", taken, at=at),
        event("payment_intent.succeeded", done, at=at + 1),
    ]


def part(number: int, money: int, **changes: Any) -> Json:
    """Return the InvoicePayment of a payment; the higher its number, the later it was made."""
    named = {"type": "payment_intent", "payment_intent": f"pi_{number}"}
    said = {"id": f"inpay_{number}", "created": BEGIN + number, "payment": named}
    return invoice_payment(**said | {"amount_paid": money} | changes)


def bound(number: int, money: int, **changes: Any) -> Json:
    return event("invoice_payment.paid", part(number, money, **changes), at=number * 100 + 2)


def whole(**changes: Any) -> Json:
    return event("invoice.paid", invoice(**{"amount_paid": 11_900} | changes), at=500)


async def shares(books: Books, account_id: int) -> list[tuple[int, int]]:
    """Return what came in as credit and as tax, in cents, by payment."""
    await check_books(books.database)
    assert await found_in(books.database) == []
    rows = await rows_of(books.database, "credit_purchase", account_id)
    assert {row["status"] for row in rows} <= {"SUCCEEDED"}
    ordered = sorted(rows, key=lambda row: str(row["provider_reference"]))
    return [(row["amount_nanos"] // 10**7, row["tax_nanos"] // 10**7) for row in ordered]


async def reasons(books: Books) -> set[str | None]:
    rows = await table_rows(books.database, "webhook_event")
    return {row["reason"] for row in rows if row["state"] == "PARKED"}


TWO = [*paid(1, 6_000), *paid(2, 5_900), bound(1, 6_000), bound(2, 5_900), whole()]
THREE = [
    *(
        each
        for number, money in ((1, 3_333), (2, 3_333), (3, 5_234))
        for each in paid(number, money)
    ),
    *(bound(number, money) for number, money in ((1, 3_333), (2, 3_333), (3, 5_234))),
    whole(),
]
# 19 × 60 ÷ 119 = 9.5798…; 19 × 33.33 ÷ 119 = 5.3216…, twice 10.6432…
SHARES = {"two": (TWO, [(5_042, 958), (4_958, 942)])}
SHARES |= {"three": (THREE, [(2_801, 532), (2_801, 532), (4_398, 836)])}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", SHARES)
async def test_payments_share_the_tax_of_their_invoice(books: Books, name: str, seed: int) -> None:
    account_id = await books.account("acme")
    history, expected = SHARES[name]
    order = random.Random(seed).sample([*history, *history], 2 * len(history))
    await deliver(books, order if seed else history)
    assert await shares(books, account_id) == expected
    assert await check_books(books.database) == [usd("100")]
    assert await reasons(books) == set()


async def test_an_invoice_at_once_from_all_sides_is_booked_once(books: Books) -> None:
    account_id = await books.account("acme")
    inbox = inbox_of(books)
    await asyncio.gather(*(inbox.take(parsed(each)) for each in [*THREE, *THREE, *THREE]))
    assert await shares(books, account_id) == SHARES["three"][1]
    assert await reasons(books) == set()


async def test_parts_wait_until_they_add_up_with_that_reason(books: Books) -> None:
    account_id = await books.account("acme")
    await deliver(books, [*paid(1, 6_000), bound(1, 6_000)])
    assert await reasons(books) == {"Waiting for the invoice, which has the tax."}
    await deliver(books, [whole(), *paid(2, 5_900)])
    assert await reasons(books) == {
        "Waiting for all payments of invoice in_1: 60.00 of 119.00 USD have arrived.",
        "Waiting for the invoice, which has the tax.",
    }
    rows = await rows_of(books.database, "credit_purchase", account_id)
    assert {row["status"] for row in rows} == {"PENDING"}
    assert await check_books(books.database) == [0]
    await deliver(books, [bound(2, 5_900)])
    assert await shares(books, account_id) == SHARES["two"][1]
    assert await reasons(books) == set()


async def test_a_payment_smaller_than_the_tax_is_booked(books: Books) -> None:
    account_id = await books.account("acme")
    await deliver(books, [*paid(1, 10_900), *paid(2, 1_000), bound(1, 10_900), whole()])
    await deliver(books, [bound(2, 1_000)])
    assert await shares(books, account_id) == [(9_160, 1_740), (840, 160)]


async def test_a_balance_at_stripe_pays_its_share_of_the_tax(books: Books) -> None:
    account_id = await books.account("acme")
    await deliver(books, [*paid(1, 9_900), whole(amount_paid=9_900), bound(1, 9_900)])
    assert await shares(books, account_id) == [(8_319, 1_581)]


@pytest.mark.parametrize("backwards", [False, True])
async def test_a_part_that_was_given_up_is_none(books: Books, backwards: bool) -> None:
    account_id = await books.account("acme")
    tried = part(0, 0, status="canceled", amount_paid=None)
    listed = {"payments": {"data": [tried, part(1, 6_000), part(2, 5_900)]}}
    history = [*paid(1, 6_000), *paid(2, 5_900), whole(**listed)]
    await deliver(books, history[::-1] if backwards else history)
    assert await shares(books, account_id) == SHARES["two"][1]


async def test_a_part_that_was_paid_elsewhere_is_waited_for_by_none(books: Books) -> None:
    account_id = await books.account("acme")
    await deliver(books, [*paid(1, 6_000), bound(1, 6_000), whole(paid_out_of_band=True)])
    assert await shares(books, account_id) == [(5_042, 958)]


async def test_a_payment_from_elsewhere_counts_as_a_part(books: Books) -> None:
    account_id = await books.account("acme")
    elsewhere = part(2, 5_900, payment={"type": "payment_record", "payment_record": "pr_1"})
    await deliver(books, [*paid(1, 6_000), bound(1, 6_000), whole()])
    await deliver(books, [event("invoice_payment.paid", elsewhere, at=300)])
    assert await shares(books, account_id) == [(5_042, 958)]


@pytest.mark.parametrize("changes", [{"amount_paid": 0, "total": 0}, {"paid_out_of_band": True}])
async def test_an_invoice_without_a_payment_is_ignored(books: Books, changes: Json) -> None:
    await books.account("acme")
    assert await deliver(books, [whole(**changes)]) == ["ignored"]
    assert await reasons(books) == set()


@pytest.mark.parametrize("named", ["payment_intent", "charge"])
async def test_an_early_version_names_the_payment_of_an_invoice(books: Books, named: str) -> None:
    account_id = await books.account("acme")
    pointer: Json = {"metadata": {"account": "acme"}, "invoice": "in_1"}
    if named == "charge":
        alone = charge(payment_intent=None, **pointer)
        history = [event("charge.succeeded", alone, at=100), whole(charge="ch_1")]
    else:
        history = [*paid(1, 11_900, **pointer), whole(payment_intent="pi_1", charge="ch_1")]
    await deliver(books, history[::-1])
    await deliver(books, history)
    assert await shares(books, account_id) == [(10_000, 1_900)]
    assert await reasons(books) == set()


@pytest.mark.parametrize("first", ["payment", "invoice"])
async def test_a_payment_that_names_its_invoice_needs_no_link(books: Books, first: str) -> None:
    account_id = await books.account("acme")
    pointer = {"metadata": {"account": "acme"}, "payment_details": {"order_reference": "in_1"}}
    history = [*paid(1, 11_900, **pointer), whole()]
    await deliver(books, history if first == "payment" else history[::-1])
    assert await shares(books, account_id) == [(10_000, 1_900)]


@pytest.mark.parametrize(
    ("currency", "moneys", "expected"),
    [
        ("jpy", (61, 58), [(51, 10), (49, 9)]),
        ("kwd", (6_001, 5_899), [(5_043, 958), (4_957, 942)]),
        # Stripe has hundredths of it, ISO 4217 and receipts none.
        ("isk", (6_000, 5_900), [(50, 10), (50, 9)]),
    ],
)
async def test_shares_are_in_the_minor_unit_that_a_receipt_shows(
    books: Books, currency: str, moneys: tuple[int, int], expected: list[tuple[int, int]]
) -> None:
    account_id = await books.account("acme", currency=currency.upper())
    total = sum(moneys)
    net = {"jpy": 100, "kwd": 10_000, "isk": 10_000}[currency]
    sums = {"total": total, "total_excluding_tax": net, "amount_paid": total, "currency": currency}
    history = [
        *paid(1, moneys[0], currency=currency),
        *paid(2, moneys[1], currency=currency),
        *(bound(number, money, currency=currency) for number, money in enumerate(moneys, 1)),
        whole(**sums),
    ]
    await deliver(books, history)
    unit = {"jpy": 10**9, "kwd": 10**6, "isk": 10**9}[currency]
    rows = await rows_of(books.database, "credit_purchase", account_id)
    ordered = sorted(rows, key=lambda row: str(row["provider_reference"]))
    found = [(row["amount_nanos"] // unit, row["tax_nanos"] // unit) for row in ordered]
    assert found == expected
    await check_books(books.database)


@pytest.mark.parametrize("pages", [1, 2])
async def test_a_backfill_reads_all_payments_of_an_invoice(books: Books, pages: int) -> None:
    account_id = await books.account("acme")
    history = [each["data"]["object"] for each in THREE]
    charges, intents, parts = history[0:6:2], history[1:6:2], history[6:9]
    some = {"data": parts if pages == 1 else parts[:1], "has_more": pages > 1}
    lists: dict[str, list[Json]] = {"payment_intents": intents, "charges": charges}
    lists["invoices"] = [invoice(amount_paid=11_900, payments=some)]

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v1/")
        if path == "invoice_payments":
            assert request.url.params["invoice"] == "in_1"
            start = 2 if "starting_after" in request.url.params else 0
            page = parts[start : start + 2]
            return httpx.Response(200, json={"data": page, "has_more": not start})
        return httpx.Response(200, json={"data": lists.get(path, []), "has_more": False})

    transport = httpx.MockTransport(answer)
    async with httpx.AsyncClient(transport=transport, base_url="https://stripe.test") as client:
        api = Api(client, "rk", wait_seconds=0)
        await backfill(inbox_of(books), api, livemode=True)
    assert await shares(books, account_id) == SHARES["three"][1]
    await deliver(books, THREE)
    assert await shares(books, account_id) == SHARES["three"][1]
    assert await reasons(books) == set()
