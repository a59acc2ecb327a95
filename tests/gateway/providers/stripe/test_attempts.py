"""What a payment shows before it settles: its latest attempt, in whatever order it is told."""

import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest

from gateway.providers.stripe.backfill import Api, backfill
from gateway.providers.stripe.inbox import Inbox
from gateway.store import Database
from tests.support.books import Books, usd
from tests.support.facts import the_purchase
from tests.support.invariants import check_books
from tests.support.stripe import BEGIN, charge, event, intent, parsed, session

Json = dict[str, Any]
DECLINED = {
    "code": "card_declined",
    "decline_code": "insufficient_funds",
    "message": "Your card has insufficient funds.",
    "payment_method": {"type": "card", "card": {"brand": "visa", "last4": "9995"}},
}
WAITS = "requires_payment_method"
FAILED = event(
    "payment_intent.payment_failed", intent(status=WAITS, last_payment_error=DECLINED), at=30
)
FAILED_CHARGE = event(
    "charge.failed",
    charge(
        id="ch_0",
        status="failed",
        created=BEGIN + 29,
        failure_code="card_declined",
        failure_message="Your card has insufficient funds.",
        outcome={"reason": "insufficient_funds"},
        payment_method_details=DECLINED["payment_method"],
        metadata={"account": "acme"},
    ),
    at=31,
)
ACTION = event("payment_intent.requires_action", intent(status="requires_action"), at=10)
AGAIN = event(
    "payment_intent.requires_action",
    intent(status="requires_action", last_payment_error=DECLINED),
    at=50,
)
PROCESSING = event("payment_intent.processing", intent(status="processing"), at=60)
CREATED = event("payment_intent.created", intent(status=WAITS), at=0)
CANCELED = event("payment_intent.canceled", intent(status="canceled"), at=70)


@pytest.fixture
async def books(database: Database) -> Books:
    return Books(database)


async def deliver(books: Books, events: Sequence[Json]) -> list[str]:
    inbox = Inbox(books.database, books.clock, test_mode=False)
    return [await inbox.take(parsed(each)) for each in events]


@pytest.mark.parametrize(
    ("history", "status"),
    [
        ([CREATED, ACTION, PROCESSING], "PENDING"),
        ([CREATED, FAILED, FAILED_CHARGE], "FAILED"),
        ([ACTION, FAILED, PROCESSING], "PENDING"),
        ([FAILED, FAILED_CHARGE, AGAIN], "REQUIRES_ACTION"),
        ([PROCESSING, FAILED | {"id": "evt_late", "created": BEGIN + 65}], "FAILED"),
        ([FAILED, CANCELED, PROCESSING | {"id": "evt_late", "created": BEGIN + 90}], "CANCELED"),
    ],
)
async def test_a_payment_shows_where_it_stands_now(
    books: Books, history: list[Json], status: str
) -> None:
    seen = []
    for number, order in enumerate(itertools.permutations(history)):
        account_id = await books.account(f"acme-{number}")
        await deliver(books, [of_account(each, number) for each in order])
        row = dict(await the_purchase(books.database, account_id))
        assert row["status"] == status
        assert (row["amount_nanos"], row["tax_nanos"]) == (usd("100"), usd("19"))
        assert bool(row["failure_reason"]) == (status == "FAILED")
        names = ("status_at", "failed_at", "failure_code", "payment_method_last4", "created_at")
        seen.append(tuple(row[name] for name in names))
    assert len(set(seen)) == 1
    await check_books(books.database)


def of_account(one: Json, number: int) -> Json:
    """Return the same event of another account's payment."""
    subject = dict(one["data"]["object"])
    subject["id" if subject["object"] == "payment_intent" else "payment_intent"] = f"pi_{number}"
    subject["metadata"] = subject["metadata"] | {"account": f"acme-{number}"}
    return one | {"id": f"{one['id']}_{number}", "data": {"object": subject}}


@pytest.mark.parametrize("backwards", [False, True])
async def test_amount_and_tax_are_those_of_the_latest_attempt(
    books: Books, backwards: bool
) -> None:
    account_id = await books.account("acme")
    smaller = intent(
        amount=5_950, status="processing", metadata={"account": "acme", "tax": "9.50", "bonus": "1"}
    )
    history = [CREATED, FAILED_CHARGE, event("payment_intent.processing", smaller, at=60)]
    await deliver(books, history[::-1] if backwards else history)
    row = await the_purchase(books.database, account_id)
    assert (row["amount_nanos"], row["tax_nanos"]) == (usd("50"), usd("9.50"))
    assert (row["status"], row["bonus_nanos"]) == ("PENDING", usd("1"))


async def test_a_backfill_shows_where_a_payment_stands_now(books: Books) -> None:
    account_id = await books.account("acme")
    failed = FAILED_CHARGE["data"]["object"]
    for status, expected in (("requires_action", "REQUIRES_ACTION"), ("processing", "PENDING")):
        lists = {"payment_intents": [intent(status=status)], "charges": [failed]}

        def answer(request: httpx.Request, lists: dict[str, list[Json]] = lists) -> httpx.Response:
            found = lists.get(request.url.path.removeprefix("/v1/"), [])
            return httpx.Response(200, json={"data": found, "has_more": False})

        transport = httpx.MockTransport(answer)
        inbox = Inbox(books.database, books.clock, test_mode=False)
        async with httpx.AsyncClient(transport=transport, base_url="https://stripe.test") as client:
            await backfill(inbox, Api(client, "rk", wait_seconds=0), livemode=True)
        assert (await the_purchase(books.database, account_id))["status"] == expected
        books.clock.instant += timedelta(minutes=1)


@pytest.mark.parametrize("backwards", [False, True])
async def test_a_delayed_method_that_fails_after_processing_is_failed(
    books: Books, backwards: bool
) -> None:
    account_id = await books.account("acme")
    error = DECLINED | {"code": "payment_method_provider_decline", "decline_code": None}
    returned = intent(status=WAITS, last_payment_error=error)
    waiting = session(payment_status="unpaid")
    history = [
        event("checkout.session.completed", waiting, at=59),
        PROCESSING,
        event("charge.pending", charge(status="pending"), at=61),
        event("charge.failed", charge(status="failed"), at=400_000),
        event("payment_intent.payment_failed", returned, at=400_001),
        event("checkout.session.async_payment_failed", waiting, at=400_002),
    ]
    assert set(await deliver(books, history[::-1] if backwards else history)) <= {
        "applied",
        "parked",
    }
    row = await the_purchase(books.database, account_id)
    assert (row["status"], row["failure_code"]) == ("FAILED", "payment_method_provider_decline")
    assert await check_books(books.database) == [0]
