"""What single kinds of events mean for the books."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.money import NANOS, format_amount
from gateway.providers.stripe.inbox import Inbox
from gateway.store import Database
from tests.support.books import Books, usd
from tests.support.facts import rows_of, the_purchase
from tests.support.invariants import check_books
from tests.support.stripe import BEGIN, charge, dispute, event, intent, parsed, refund, session
from tests.support.tables import table_rows

Json = dict[str, Any]
PAID = [
    event("charge.succeeded", charge(), at=61),
    event("payment_intent.succeeded", intent(status="succeeded"), at=62),
]


def move(amount: int, seconds: int, **changes: Any) -> Json:
    """Return a balance transaction of a dispute."""
    told = {"id": f"txn_{seconds}_{amount}", "object": "balance_transaction", "currency": "usd"}
    return told | {"amount": amount, "created": BEGIN + seconds} | changes


WITHDRAWAL, RETURN = move(-11_900, 180_000), move(11_900, 400_000)


@pytest.fixture
async def books(database: Database) -> Books:
    return Books(database)


async def tell(books: Books, *events: Json) -> list[str]:
    inbox = Inbox(books.database, books.clock, test_mode=False)
    return [await inbox.take(parsed(each)) for each in events]


async def figures(books: Books, account_id: int) -> tuple[str, int, int]:
    """Return an account's only purchase: its status, what went back, and the bonus that did."""
    await check_books(books.database)
    row = await the_purchase(books.database, account_id)
    return row["status"], row["refunded_nanos"], row["bonus_reversed_nanos"]


async def credit_notes(books: Books, account_id: int) -> list[Json]:
    """Return what an account's credit notes are printed from, in the order of their numbers."""
    receipts = await rows_of(books.database, "receipt", account_id)
    found = [json.loads(each["data"]) for each in receipts]
    return sorted((each for each in found if "refund" in each), key=lambda each: each["number"])


def told(one: Json, account: str) -> Json:
    """Return the same event of another account's payment."""
    subject = dict(one["data"]["object"])
    subject["id" if subject["object"] == "payment_intent" else "payment_intent"] = f"pi_{account}"
    if "account" in (subject.get("metadata") or {}):
        subject["metadata"] = subject["metadata"] | {"account": account}
    return one | {"id": f"{one['id']}_{account}", "data": {"object": subject}}


def listed(subject: Json) -> Json:
    """Return what a backfill makes of a dispute on a list."""
    at = int(subject["created"]) - BEGIN
    return event("charge.dispute.updated", subject, at=at, event_id="backfill_1")


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(BEGIN + seconds, UTC)


@pytest.mark.parametrize(
    "early",
    [
        {"metadata": {"account": "acme", "bonus": "10 USD"}},
        {"currency": "eur"},
        {"amount": 1_900},
    ],
    ids=["a bonus that is no number", "another currency", "less than the tax"],
)
async def test_an_early_picture_that_is_refused_does_not_hold_up_the_payment(
    books: Books, early: Json
) -> None:
    account_id = await books.account("acme")
    created = intent(status="requires_payment_method", **early)
    outcomes = await tell(books, event("payment_intent.created", created, at=0), *PAID)
    assert outcomes == ["parked", "parked", "applied"]
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0)
    assert await check_books(books.database) == [usd("110")]
    assert {row["state"] for row in await table_rows(books.database, "webhook_event")} == {
        "APPLIED"
    }


async def test_what_is_refused_of_an_attempt_leaves_the_others(books: Books) -> None:
    account_id = await books.account("acme")
    wrong = intent(status="requires_payment_method", metadata={"account": "acme", "tax": "n/a"})
    right = intent(status="processing")
    assert await tell(
        books,
        event("payment_intent.created", wrong, at=0),
        event("payment_intent.processing", right, at=1),
    ) == ["parked", "applied"]
    assert await figures(books, account_id) == ("PENDING", 0, 0)


@pytest.mark.parametrize(
    "metadata",
    [{}, {"tax": "50.00"}, {"tax": "200"}, {"tax": "n/a"}, {"bonus": "ten"}],
    ids=["no tax", "more", "more than all", "a tax that is no number", "a bonus that is none"],
)
async def test_a_purchase_keeps_the_terms_that_it_settled_with(
    books: Books, metadata: Json
) -> None:
    account_id = await books.account("acme")
    later = intent(status="succeeded", metadata={"account": "acme"} | metadata)
    whole = event("refund.created", refund(amount=11_900), at=86_401)
    await tell(books, *PAID)
    edited = event("payment_intent.updated", later, at=70, event_id="backfill_pi_1")
    assert await tell(books, edited, whole) == ["applied", "applied"]
    assert await figures(books, account_id) == ("REFUNDED", usd("100"), usd("10"))


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


async def test_a_failed_refund_that_is_told_late_makes_room(books: Books) -> None:
    account_id = await books.account("acme")
    first = refund(id="re_1", amount=3_333, created=BEGIN + 1_000)
    whole = refund(id="re_2", amount=11_900, created=BEGIN + 3_000)
    outcomes = await tell(
        books,
        *PAID,
        event("refund.created", whole, at=3_001),
        event("refund.created", first, at=1_001),
        event("refund.failed", first | {"status": "failed"}, at=2_000),
    )
    assert outcomes[-2:] == ["parked", "applied"]
    assert await figures(books, account_id) == ("REFUNDED", usd("100"), usd("10"))
    await tell(books, event("refund.failed", whole | {"status": "failed"}, at=9_000))
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0)
    assert {row["state"] for row in await table_rows(books.database, "webhook_event")} == {
        "APPLIED"
    }


@pytest.mark.parametrize("cents", [1, 77, 1_234, 3_333, 11_899])
async def test_a_credit_note_says_the_money_that_went_back(books: Books, cents: int) -> None:
    account_id = await books.account("acme")
    await tell(books, *PAID, event("refund.created", refund(amount=cents), at=86_401))
    rest = refund(id="re_2", amount=11_900 - cents, created=BEGIN + 90_000)
    await tell(books, event("refund.created", rest, at=90_001))
    assert await figures(books, account_id) == ("REFUNDED", usd("100"), usd("10"))
    notes = await credit_notes(books, account_id)
    assert [each["total"] for each in notes] == [
        f"-{format_amount(money * NANOS // 100, 'USD')}" for money in (cents, 11_900 - cents)
    ]
    # Less than a cent of credit is in a single one.
    assert cents == 1 or all(len(each["net"].partition(".")[2]) == 2 for each in notes)


async def test_the_note_that_comes_last_says_what_went_of_the_bonus(books: Books) -> None:
    account_id = await books.account("acme")
    half = [refund(id=f"re_{n}", amount=5_950, created=BEGIN + n * 1_000) for n in (1, 2)]
    await tell(books, *PAID)
    await tell(books, event("refund.created", half[1], at=2_001))
    await tell(books, event("refund.created", half[0], at=1_001))
    notes = await credit_notes(books, account_id)
    kinds = [[line["kind"] for line in each["lines"]] for each in notes]
    assert kinds == [["refund"], ["refund", "bonus"]]


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
    # An event's type alone moves nothing.
    await tell(books, event("charge.dispute.funds_withdrawn", dispute(), at=180_001))
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0)
    taken = dispute(balance_transactions=[WITHDRAWAL])
    await tell(books, event("charge.dispute.funds_withdrawn", taken, at=180_002))
    assert await figures(books, account_id) == ("DISPUTED", usd("100"), 0)
    back = dispute(status="under_review", balance_transactions=[WITHDRAWAL, RETURN])
    await tell(books, event("charge.dispute.funds_reinstated", back, at=400_001))
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0)
    moved = await rows_of(books.database, "dispute_movement", account_id)
    assert sorted((row["amount_nanos"], row["moved_at"]) for row in moved) == [
        (-usd("119"), at(180_000)),
        (usd("119"), at(400_000)),
    ]


async def test_money_that_comes_back_after_a_lost_dispute_is_credited(books: Books) -> None:
    account_id = await books.account("acme")
    lost = dispute(status="lost", balance_transactions=[WITHDRAWAL])
    back = lost | {"balance_transactions": [WITHDRAWAL, RETURN]}
    history = [
        event("charge.dispute.closed", lost, at=300_000),
        event("charge.dispute.funds_reinstated", back, at=400_001),
        event("charge.dispute.updated", back, at=400_002),
        event("charge.dispute.closed", back | {"status": "won"}, at=400_003),
    ]
    await tell(books, *PAID, history[0])
    assert await figures(books, account_id) == ("REFUNDED", usd("100"), usd("10"))
    for each in history[1:]:
        await tell(books, each)
        assert await figures(books, account_id) == ("SUCCEEDED", 0, 0)
    other = await books.account("other")
    shuffled = [told(each, "other") for each in (history[3], PAID[1], history[0], PAID[0])]
    await tell(books, *shuffled)
    assert await figures(books, other) == ("SUCCEEDED", 0, 0)


@pytest.mark.parametrize("status", ["warning_needs_response", "warning_closed", "prevented"])
async def test_an_inquiry_moves_nothing(books: Books, status: str) -> None:
    account_id = await books.account("acme")
    told = dispute(status=status)
    await tell(books, *PAID, event("charge.dispute.updated", told, at=172_801))
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0)


@pytest.mark.parametrize("told", ["list", "event", "list, event", "event, list"])
async def test_a_lost_dispute_ends_the_same_by_list_and_by_event(books: Books, told: str) -> None:
    account_id = await books.account("acme")
    lost = dispute(status="lost", balance_transactions=[WITHDRAWAL])
    pictures = {"event": event("charge.dispute.closed", lost, at=500_000), "list": listed(lost)}
    await tell(books, *PAID, *(pictures[each] for each in told.split(", ")))
    assert await figures(books, account_id) == ("REFUNDED", usd("100"), usd("10"))
    (row,) = await rows_of(books.database, "dispute", account_id)
    assert (row["state"], row["created_at"], row["closed_at"]) == (
        "LOST",
        at(2 * 86_400),
        at(180_000),
    )


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
    "a newer version that tried twice": {
        "payments": {
            "data": [
                {"status": "canceled", "payment": {"payment_intent": "pi_0"}},
                {"status": "paid", "payment": {"payment_intent": "pi_1"}},
            ]
        },
        "tax": 1_900,
    },
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


NO_TEXTS = [["requires_payment_method"], {"a": 1}, 5]


@pytest.mark.parametrize("status", NO_TEXTS)
async def test_a_payment_whose_status_is_no_text_is_kept_and_holds_nothing_up(
    books: Books, status: object
) -> None:
    account_id = await books.account("acme")
    malformed = event("payment_intent.processing", intent(status=status), at=5)
    assert await tell(books, malformed) == ["parked"]
    assert await tell(books, *PAID) == ["parked", "applied"]
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0)


@pytest.mark.parametrize("status", NO_TEXTS)
async def test_a_document_whose_status_is_no_text_is_not_the_one_that_is_waited_for(
    books: Books, status: object
) -> None:
    account_id = await books.account("acme")
    said = {"status": "succeeded", "metadata": {"account": "acme", "document": "checkout"}}
    await tell(books, PAID[0], event("payment_intent.succeeded", intent(**said), at=62))
    await tell(books, event("checkout.session.expired", session(status=status), at=63))
    assert (await the_purchase(books.database, account_id))["status"] == "PENDING"
    await tell(books, event("checkout.session.completed", session(), at=64))
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0)


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
