"""What single kinds of events mean for the books."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.money import format_amount
from gateway.providers.stripe.inbox import Inbox
from gateway.store import Database
from tests.support.books import Books, usd
from tests.support.facts import rows_of, the_purchase
from tests.support.invariants import check_books
from tests.support.stripe import BEGIN, charge, dispute, event, intent, parsed, refund, session

Json = dict[str, Any]
PAID = [
    event("charge.succeeded", charge(), at=61),
    event("payment_intent.succeeded", intent(status="succeeded"), at=62),
]
WITHDRAWAL = {"amount": -11_900, "created": BEGIN + 180_000}
RETURN = {"amount": 11_900, "created": BEGIN + 400_000}


@pytest.fixture
async def books(database: Database) -> Books:
    return Books(database)


async def tell(books: Books, *events: Json) -> list[str]:
    inbox = Inbox(lambda: books.database, books.clock, test_mode=False)
    return [await inbox.take(parsed(each)) for each in events]


async def figures(books: Books, account_id: int) -> tuple[str, int, int]:
    """Return an account's only purchase: its status, what went back, and the bonus that did."""
    await check_books(books.database)
    row = await the_purchase(books.database, account_id)
    return row["status"], row["refunded_nanos"], row["bonus_reversed_nanos"]


def listed(subject: Json) -> Json:
    """Return what a backfill makes of a dispute on a list."""
    at = int(subject["created"]) - BEGIN
    return event("charge.dispute.updated", subject, at=at, event_id="backfill_1")


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(BEGIN + seconds, UTC)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
async def test_parts_of_the_money_that_do_not_divide_add_up_to_the_credit(
    books: Books, order: tuple[int, ...]
) -> None:
    account_id = await books.account("acme")
    parts = [(1, 5_951), (2, 3_333), (3, 2_616)]
    told = [
        event("refund.created", refund(id=f"re_{n}", amount=cents, created=BEGIN + n * 1000), at=n)
        for n, cents in parts
    ]
    await tell(books, *PAID, *(told[place] for place in order))
    assert await figures(books, account_id) == ("REFUNDED", usd("100"), usd("10"))
    assert await check_books(books.database) == [0]
    rows = await rows_of(books.database, "refund", account_id)
    assert sum(row["tax_nanos"] for row in rows) == usd("19")


async def test_a_refund_and_a_lost_dispute_of_the_rest_take_all(books: Books) -> None:
    account_id = await books.account("acme")
    part = refund(id="re_1", amount=3_333)
    lost = dispute(status="lost", amount=8_567, balance_transactions=[WITHDRAWAL])
    await tell(
        books,
        *PAID,
        event("refund.created", part, at=86_401),
        event("charge.dispute.closed", lost, at=500_000),
    )
    assert await figures(books, account_id) == ("REFUNDED", usd("100"), usd("10"))


async def test_a_refund_that_fails_gives_the_credit_back(books: Books) -> None:
    account_id = await books.account("acme")
    await tell(books, *PAID, event("refund.created", refund(), at=86_401))
    assert await figures(books, account_id) == ("PARTIALLY_REFUNDED", usd("50"), 0)
    failed = refund(status="failed", failure_reason="lost_or_stolen_card")
    await tell(books, event("refund.failed", failed, at=172_800))
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0)
    (row,) = await rows_of(books.database, "refund", account_id)
    assert (row["status"], row["failure_reason"]) == ("FAILED", "Lost or stolen card")
    # A stale picture does not bring it back, and another refund takes its place.
    await tell(books, event("charge.refund.updated", refund(), at=86_402))
    await tell(books, event("refund.created", refund(id="re_2", amount=11_900), at=200_000))
    assert await figures(books, account_id) == ("REFUNDED", usd("100"), usd("10"))


async def test_a_refund_that_was_canceled_or_waits_takes_nothing(books: Books) -> None:
    account_id = await books.account("acme")
    for number, status in enumerate(("pending", "requires_action", "canceled")):
        told = refund(id=f"re_{number}", status=status, amount=3_000)
        await tell(books, event("refund.created", told, at=86_401, event_id=f"evt_{number}"))
    await tell(books, *PAID)
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0)


async def test_refunds_that_a_charge_lists_are_the_same_refunds(books: Books) -> None:
    account_id = await books.account("acme")
    full = charge(refunded=True, amount_refunded=5_950, refunds={"data": [refund()]})
    await tell(books, *PAID, event("charge.refunded", full, at=86_401))
    await tell(books, event("refund.created", refund(), at=86_402))
    assert await figures(books, account_id) == ("PARTIALLY_REFUNDED", usd("50"), 0)


async def test_a_dispute_takes_the_funds_and_gives_them_back(books: Books) -> None:
    account_id = await books.account("acme")
    await tell(books, *PAID, event("charge.dispute.created", dispute(), at=172_800))
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0)
    # Without the movement on it, the event itself says when.
    await tell(books, event("charge.dispute.funds_withdrawn", dispute(), at=180_001))
    assert await figures(books, account_id) == ("DISPUTED", usd("100"), 0)
    back = dispute(status="under_review", balance_transactions=[WITHDRAWAL, RETURN])
    await tell(books, event("charge.dispute.funds_reinstated", back, at=400_001))
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0)
    (row,) = await rows_of(books.database, "dispute", account_id)
    assert (row["state"], row["withdrawn_at"], row["closed_at"]) == (
        "WON",
        at(180_000),
        at(400_000),
    )


@pytest.mark.parametrize("status", ["warning_needs_response", "warning_closed", "prevented"])
async def test_an_inquiry_moves_nothing(books: Books, status: str) -> None:
    account_id = await books.account("acme")
    told = dispute(status=status)
    await tell(books, *PAID, event("charge.dispute.updated", told, at=172_801))
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0)


@pytest.mark.parametrize("first", ["list", "event", "list alone"])
async def test_a_lost_dispute_that_a_list_tells_is_dated_by_its_own_facts(
    books: Books, first: str
) -> None:
    account_id = await books.account("acme")
    lost = dispute(status="lost", balance_transactions=[WITHDRAWAL])
    closed = event("charge.dispute.closed", lost, at=500_000)
    await tell(books, *PAID)
    await tell(books, *([closed] if first == "event" else []), listed(lost))
    if first == "list":
        await tell(books, closed)
    assert await figures(books, account_id) == ("REFUNDED", usd("100"), usd("10"))
    (row,) = await rows_of(books.database, "dispute", account_id)
    assert row["created_at"] == at(2 * 86_400)
    assert row["closed_at"] == (at(500_000) if first == "event" else at(180_000))


async def test_a_won_dispute_that_a_list_tells_is_dated_by_the_return(books: Books) -> None:
    account_id = await books.account("acme")
    won = dispute(status="won", balance_transactions=[WITHDRAWAL, RETURN])
    await tell(books, *PAID, listed(won))
    (row,) = await rows_of(books.database, "dispute", account_id)
    assert (row["withdrawn_at"], row["closed_at"]) == (at(180_000), at(400_000))
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0)


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [
        ("isk", 50_000, "500"),
        ("ugx", 50_000, "500"),
        ("jpy", 500, "500"),
        ("krw", 500, "500"),
        ("kwd", 5_120, "5.120"),
        ("huf", 50_000, "500.00"),
    ],
)
async def test_amounts_are_of_the_smallest_unit_that_stripe_has(
    books: Books, currency: str, amount: int, shown: str
) -> None:
    account_id = await books.account("acme", currency=currency.upper())
    said = {"amount": amount, "currency": currency, "metadata": {"account": "acme"}}
    back = refund(amount=amount // 5, currency=currency)
    await tell(
        books,
        event("charge.succeeded", charge(**said, amount_captured=amount), at=61),
        event("payment_intent.succeeded", intent(**said, status="succeeded"), at=62),
        event("refund.created", back, at=86_401),
    )
    row = await the_purchase(books.database, account_id)
    assert format_amount(row["amount_nanos"], row["currency"]) == shown
    assert row["refunded_nanos"] * 5 == row["amount_nanos"]


INVOICES: dict[str, Json] = {
    "an older version": {"payment_intent": "pi_1", "tax": 1_900},
    "a newer version": {
        "payments": {"data": [{"payment": {"type": "payment_intent", "payment_intent": "pi_1"}}]},
        "total_excluding_tax": 10_000,
        "total": 11_900,
    },
}


@pytest.mark.parametrize("version", INVOICES)
@pytest.mark.parametrize("pointer", [{"invoice": "in_1"}, {"metadata": {"document": "invoice"}}])
async def test_the_tax_of_a_paid_invoice_is_waited_for(
    books: Books, version: str, pointer: Json
) -> None:
    account_id = await books.account("acme", stripe_customer_id="cus_1")
    invoice = {"id": "in_1", "object": "invoice", "status": "paid", "currency": "usd"}
    told = invoice | {"created": BEGIN, "customer": "cus_1"} | INVOICES[version]
    silent: Json = {"metadata": {}} | pointer
    assert await tell(
        books,
        event("charge.succeeded", charge(metadata={}), at=61),
        event("payment_intent.succeeded", intent(**silent, status="succeeded"), at=62),
        event("invoice.paid", told, at=63),
    ) == ["parked", "applied", "applied"]
    row = await the_purchase(books.database, account_id)
    assert (row["amount_nanos"], row["tax_nanos"]) == (usd("100"), usd("19"))


async def test_a_checkout_that_is_paid_later_settles_with_the_payment(books: Books) -> None:
    account_id = await books.account("acme")
    waiting = session(payment_status="unpaid", metadata={"account": "acme"})
    processing = intent(status="processing", metadata={"account": "acme"})
    await tell(
        books,
        event("checkout.session.completed", waiting, at=1),
        event("payment_intent.processing", processing, at=2),
        event("charge.pending", charge(status="pending", captured=True), at=3),
    )
    assert (await the_purchase(books.database, account_id))["status"] == "PENDING"
    bank = {"type": "us_bank_account", "us_bank_account": {"bank_name": "ACME", "last4": "6789"}}
    await tell(
        books,
        event("charge.succeeded", charge(payment_method_details=bank), at=90_000),
        event("checkout.session.async_payment_succeeded", session(), at=90_001),
        event("payment_intent.succeeded", intent(status="succeeded"), at=90_002),
    )
    row = await the_purchase(books.database, account_id)
    assert (row["status"], row["payment_method_type"]) == ("SUCCEEDED", "BANK_ACCOUNT")
    assert (row["payment_method_label"], row["payment_method_last4"]) == ("ACME", "6789")


@pytest.mark.parametrize(
    ("status", "expected"),
    [("requires_action", "REQUIRES_ACTION"), ("canceled", "CANCELED"), ("processing", "PENDING")],
)
async def test_a_payment_that_has_not_settled_shows_how_it_stands(
    books: Books, status: str, expected: str
) -> None:
    account_id = await books.account("acme")
    await tell(books, event("payment_intent.updated", intent(status=status), at=5))
    assert (await the_purchase(books.database, account_id))["status"] == expected
    assert await check_books(books.database) == [0]


async def test_a_stale_failure_takes_nothing_from_a_settled_purchase(books: Books) -> None:
    account_id = await books.account("acme")
    late = charge(id="ch_0", status="failed", failure_code="card_declined", created=BEGIN + 30)
    await tell(books, *PAID, event("charge.failed", late, at=30))
    row = await the_purchase(books.database, account_id)
    assert (row["status"], row["failure_code"]) == ("SUCCEEDED", None)


async def test_a_payment_of_an_older_version_brings_its_charge_and_refunds(books: Books) -> None:
    account_id = await books.account("acme")
    inside = charge(refunds={"data": [refund()]})
    told = intent(status="succeeded", charges={"data": [inside]})
    assert await tell(books, event("payment_intent.succeeded", told, at=62)) == ["applied"]
    before = await rows_of(books.database, "ledger_entry", account_id)
    assert await figures(books, account_id) == ("PARTIALLY_REFUNDED", usd("50"), 0)
    assert await tell(books, event("charge.succeeded", charge(), at=61)) == ["applied"]
    assert await rows_of(books.database, "ledger_entry", account_id) == before
