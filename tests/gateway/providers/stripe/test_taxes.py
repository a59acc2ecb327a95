"""The names and percentages of taxes, from Checkout Sessions and invoices."""

from typing import Any

import pytest

from gateway.providers.stripe.taxes import document_taxes
from gateway.store import Database
from gateway.store.taxes import TaxLine, parse_taxes
from tests.gateway.providers.stripe.test_payment import PAID, tell
from tests.support.books import Books, usd
from tests.support.facts import the_purchase
from tests.support.stripe import charge, event, intent, invoice, session

Json = dict[str, Any]
RATE = {"id": "txr_1", "display_name": "VAT", "percentage": 19.0}
CITY = {"id": "txr_2", "display_name": "City tax", "percentage": 7.75}
LINES = [TaxLine("VAT", "19", usd("15")), TaxLine("City tax", "7.75", usd("4"))]


def with_breakdown(*taxes: Json) -> Json:
    details = {"amount_tax": 1_900, "breakdown": {"taxes": list(taxes), "discounts": []}}
    return session(total_details=details)


CHECKOUT = with_breakdown({"amount": 1_500, "rate": RATE}, {"amount": 400, "rate": CITY})
DOCUMENTS: dict[str, tuple[Json, list[TaxLine]]] = {
    "a Checkout Session": (CHECKOUT, LINES),
    "an invoice with expanded rates": (
        invoice(
            total_taxes=[
                {"amount": 1_500, "tax_rate_details": {"tax_rate": RATE}},
                {"amount": 400, "tax_rate_details": {"tax_rate": CITY}},
            ]
        ),
        LINES,
    ),
    "an invoice that lists its rates": (
        invoice(
            default_tax_rates=[RATE, CITY],
            total_taxes=[
                {"amount": 1_000, "tax_rate_details": {"tax_rate": "txr_1"}},
                {"amount": 400, "tax_rate_details": {"tax_rate": "txr_2"}},
                {"amount": 500, "tax_rate_details": {"tax_rate": "txr_1"}},
            ],
        ),
        LINES,
    ),
    "an early invoice": (
        invoice(
            total_tax_amounts=[
                {"amount": 1_500, "tax_rate": RATE},
                {"amount": 400, "tax_rate": CITY},
            ]
        ),
        LINES,
    ),
    "rates that are only named": (
        invoice(total_taxes=[{"amount": 1_900, "tax_rate_details": {"tax_rate": "txr_9"}}]),
        [TaxLine(None, None, usd("19"))],
    ),
    "taxes that do not add up": (with_breakdown({"amount": 1_500, "rate": RATE}), []),
    "an amount that is no integer": (with_breakdown({"amount": "1900", "rate": RATE}), []),
    "taxes that are no list": (session(total_details={"breakdown": {"taxes": 5}}), []),
    "no breakdown": (session(), []),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_lines_are_those_of_the_document(name: str) -> None:
    document, lines = DOCUMENTS[name]
    assert document_taxes(document, usd("19"), "USD") == lines


@pytest.fixture
async def books(database: Database) -> Books:
    return Books(database)


async def test_a_checkout_keeps_its_taxes_on_the_purchase(books: Books) -> None:
    account_id = await books.account("acme")
    said = {"status": "succeeded", "metadata": {"account": "acme", "document": "checkout"}}
    await tell(books, PAID[0], event("payment_intent.succeeded", intent(**said), at=62))
    await tell(books, event("checkout.session.completed", CHECKOUT, at=63))
    row = await the_purchase(books.database, account_id)
    assert parse_taxes(row["taxes"]) == LINES
    assert row["tax_nanos"] == usd("19")


async def test_a_part_of_an_invoice_has_its_share_of_the_taxes(books: Books) -> None:
    account_id = await books.account("acme", stripe_customer_id="cus_1")
    document = DOCUMENTS["an invoice with expanded rates"][0]
    named = {"payments": {"data": [part("in_a", "pi_1"), part("in_b", "pi_2")]}}
    await tell(
        books,
        event("charge.succeeded", charge(metadata={}, amount=5_950, amount_captured=5_950), at=61),
        event(
            "payment_intent.succeeded",
            intent(
                metadata={"document": "invoice"},
                amount=5_950,
                amount_received=5_950,
                status="succeeded",
            ),
            at=62,
        ),
        event("invoice.paid", document | named | {"amount_paid": 11_900}, at=63),
    )
    row = await the_purchase(books.database, account_id)
    shares = [TaxLine("VAT", "19", usd("7.5")), TaxLine("City tax", "7.75", usd("2"))]
    assert parse_taxes(row["taxes"]) == shares


def part(id_: str, payment: str) -> Json:
    return {
        "id": id_,
        "status": "paid",
        "amount_paid": 5_950,
        "created": 1,
        "payment": {"type": "payment_intent", "payment_intent": payment},
    }
