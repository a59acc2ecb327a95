"""Captures: several, partial ones and none, and when their purchase settled."""

import asyncio
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from gateway.providers.stripe.backfill import Api, backfill
from gateway.providers.stripe.inbox import Inbox
from gateway.store import Database
from tests.gateway.billing.reconciliation.test_accounts import found_in
from tests.support.books import Books, usd
from tests.support.facts import rows_of, the_purchase
from tests.support.invariants import check_books
from tests.support.stripe import (
    BEGIN,
    balance_transaction,
    charge,
    event,
    intent,
    parsed,
    refund,
)
from tests.support.tables import table_rows

Json = dict[str, Any]
BEFORE = ["2023-10-16", "2024-06-20"]
SINCE = ["2025-03-31.basil", "2026-04-22.dahlia"]
OWNED = {"metadata": {"account": "acme"}}
DAY = 86_400


@pytest.fixture
async def books(database: Database) -> Books:
    return Books(database)


def inbox_of(books: Books) -> Inbox:
    return Inbox(books.database, books.clock, test_mode=False)


async def deliver(books: Books, events: Sequence[Json]) -> list[str]:
    inbox = inbox_of(books)
    return [await inbox.take(parsed(each)) for each in events]


async def fill(books: Books, version: str | None = None, **lists: list[Json]) -> None:
    """Read lists by their names; they are answered in a version of the API."""
    headers = {"stripe-version": version} if version else {}

    def answer(request: httpx.Request) -> httpx.Response:
        found = lists.get(request.url.path.removeprefix("/v1/"), [])
        return httpx.Response(200, json={"data": found, "has_more": False}, headers=headers)

    transport = httpx.MockTransport(answer)
    async with httpx.AsyncClient(transport=transport, base_url="https://stripe.test") as client:
        await backfill(inbox_of(books), Api(client, "rk", wait_seconds=0), livemode=True)


async def parked(books: Books) -> dict[str, str]:
    rows = await table_rows(books.database, "webhook_event")
    return {row["event_id"]: row["reason"] for row in rows if row["state"] == "PARKED"}


async def balance(books: Books) -> int:
    assert await found_in(books.database) == []
    (found,) = await check_books(books.database)
    return found


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(BEGIN + seconds, UTC)


def partly(version: str, rest: int = 375) -> list[Json]:
    """Return a payment of 206.75 of which all but the rest was captured after an hour, as a
    version of the API shows it.
    """
    captured, early = 20_675 - rest, version < "2025-03-31"
    held = intent(amount=20_675, status="requires_capture", amount_capturable=20_675, **OWNED)
    paid = held | {"status": "succeeded", "amount_received": captured, "amount_capturable": 0}
    sums: Json = {"amount": 20_675, **OWNED}
    authorised = charge(**sums, amount_captured=0, captured=False)
    done = charge(**sums, amount_captured=captured, amount_refunded=rest if early else 0)
    history = [
        event("charge.succeeded", authorised, at=61, version=version),
        event("payment_intent.amount_capturable_updated", held, at=62, version=version),
        event("charge.captured", done, at=3_600, version=version),
        event("payment_intent.succeeded", paid, at=3_601, version=version),
    ]
    if early:
        released = refund(id="re_rest", amount=rest, created=BEGIN + 3_600, reason=None)
        history += [
            event("charge.refunded", done, at=3_600, version=version),
            event("refund.created", released, at=3_601, version=version),
        ]
    return history


@pytest.mark.parametrize("rest", [375, 15_000])
@pytest.mark.parametrize("version", BEFORE + SINCE)
async def test_the_uncaptured_rest_is_no_refund(books: Books, version: str, rest: int) -> None:
    account_id = await books.account("acme")
    history = partly(version, rest)
    await deliver(books, history[::-1])
    await deliver(books, history)
    row = await the_purchase(books.database, account_id)
    assert (row["status"], row["amount_nanos"]) == ("SUCCEEDED", (20_675 - rest) * 10**7)
    assert row["settled_at"] == at(3_601)
    assert await rows_of(books.database, "refund", account_id) == []
    assert len(await rows_of(books.database, "receipt", account_id)) == 1
    assert await parked(books) == {}
    assert await balance(books) == (20_675 - rest) * 10**7


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize("version", BEFORE + SINCE)
async def test_a_refund_of_as_much_as_the_rest_is_booked(
    books: Books, version: str, order: int
) -> None:
    account_id = await books.account("acme")
    counted = 750 if version in BEFORE else 375
    real = refund(id="re_real", amount=375, created=BEGIN + DAY, reason=None)
    refunded = charge(amount=20_675, amount_captured=20_300, amount_refunded=counted, **OWNED)
    later = [
        event("refund.created", real, at=DAY + 1, version=version),
        event("charge.refunded", refunded, at=DAY + 1, version=version),
    ]
    parts = [partly(version)[:4], partly(version)[4:], later]
    mixed = list(itertools.permutations(parts))[order]
    await deliver(books, [each for part in mixed for each in part])
    (row,) = await rows_of(books.database, "refund", account_id)
    assert (row["provider_reference"], row["amount_nanos"]) == ("re_real", usd("3.75"))
    assert await balance(books) == usd("199.25")
    assert await parked(books) == {}


async def test_a_charge_that_counts_no_release_proves_a_refund(books: Books) -> None:
    """The endpoint's version is older than that of the capture, which made no refund."""
    account_id = await books.account("acme")
    history = [each | {"api_version": BEFORE[0]} for each in partly(SINCE[0])]
    real = refund(id="re_real", amount=375, created=BEGIN + DAY, reason=None)
    history.append(event("refund.created", real, at=DAY, version=BEFORE[0]))
    await deliver(books, history[::-1])
    assert len(await rows_of(books.database, "refund", account_id)) == 1
    assert await balance(books) == usd("199.25")


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("version", [BEFORE[0], SINCE[0], None])
async def test_a_backfill_tells_a_release_from_a_refund(
    books: Books, version: str | None, late: bool
) -> None:
    account_id = await books.account("acme")
    early = version not in SINCE
    done = charge(
        amount=20_675,
        amount_captured=20_300,
        amount_refunded=375 * (early + late),
        balance_transaction=balance_transaction(at=3_600),
        **OWNED,
    )
    paid = intent(amount=20_675, amount_received=20_300, status="succeeded", **OWNED)
    released = refund(id="re_rest", amount=375, created=BEGIN + 3_600, reason=None)
    real = refund(id="re_real", amount=375, created=BEGIN + DAY, reason=None)
    refunds = [real] * late + [released] * early
    await fill(books, version, payment_intents=[paid], charges=[done], refunds=refunds)
    rows = await rows_of(books.database, "refund", account_id)
    assert [row["provider_reference"] for row in rows] == ["re_real"] * late
    assert (await the_purchase(books.database, account_id))["settled_at"] == at(3_600)
    assert await balance(books) == usd("199.25" if late else "203")


def captured_twice() -> list[Json]:
    held: Json = {"amount": 10_000, **OWNED}
    first = charge(**held, amount_captured=3_000)
    waits = intent(**held, status="requires_capture", amount_received=3_000)
    paid = waits | {"status": "succeeded", "amount_received": 10_000}
    return [
        event("charge.succeeded", charge(**held, amount_captured=0, captured=False), at=61),
        event("charge.captured", first, at=DAY),
        event("payment_intent.amount_capturable_updated", waits, at=DAY),
        event("charge.captured", charge(**held, amount_captured=10_000), at=2 * DAY),
        event("payment_intent.succeeded", paid, at=2 * DAY + 1),
    ]


@pytest.mark.parametrize("order", range(0, 120, 7))
async def test_several_captures_settle_with_the_last_one(books: Books, order: int) -> None:
    account_id = await books.account("acme")
    history = captured_twice()
    if not order:
        await deliver(books, history[:3])
        row = await the_purchase(books.database, account_id)
        assert (row["status"], row["settled_at"]) == ("PENDING", None)
        assert "PaymentIntent" in (await parked(books))[history[1]["id"]]
    await deliver(books, list(itertools.permutations(history))[order])
    row = await the_purchase(books.database, account_id)
    assert (row["status"], row["amount_nanos"]) == ("SUCCEEDED", usd("100"))
    assert row["settled_at"] == at(2 * DAY + 1)
    assert await balance(books) == usd("100")
    assert await parked(books) == {}


@pytest.mark.parametrize("version", BEFORE + SINCE)
@pytest.mark.parametrize("backwards", [False, True])
async def test_an_authorisation_that_was_canceled_leaves_nothing_parked(
    books: Books, version: str, backwards: bool
) -> None:
    account_id = await books.account("acme")
    early = version in BEFORE
    held = charge(amount_captured=0, captured=False)
    released = held | {"refunded": early, "amount_refunded": 11_900 if early else 0}
    history = [
        event("charge.succeeded", held, at=61, version=version),
        event("payment_intent.canceled", intent(status="canceled"), at=DAY, version=version),
    ]
    if early:
        back = refund(id="re_rest", amount=11_900, created=BEGIN + DAY, reason=None)
        history += [
            event("charge.refunded", released, at=DAY, version=version),
            event("refund.created", back, at=DAY, version=version),
        ]
    else:
        history.append(event("charge.expired", released, at=DAY, version=version))
    await deliver(books, history[::-1] if backwards else history)
    row = await the_purchase(books.database, account_id)
    assert (row["status"], row["settled_at"]) == ("CANCELED", None)
    assert await rows_of(books.database, "refund", account_id) == []
    assert await parked(books) == {}
    assert await balance(books) == 0


async def test_a_charge_alone_that_was_never_captured_is_canceled(books: Books) -> None:
    account_id = await books.account("acme")
    held = charge(payment_intent=None, amount_captured=0, captured=False)
    await deliver(books, [event("charge.succeeded", held, at=61)])
    assert (await the_purchase(books.database, account_id))["status"] == "PENDING"
    back = refund(amount=11_900, payment_intent=None)
    released = held | {"refunded": True, "amount_refunded": 11_900}
    history = [
        event("refund.created", back, at=DAY),
        event("charge.refunded", released, at=DAY),
    ]
    await deliver(books, history)
    assert (await the_purchase(books.database, account_id))["status"] == "CANCELED"
    assert await parked(books) == {}


async def test_a_bank_debit_settles_when_it_succeeded(books: Books) -> None:
    account_id = await books.account("acme")
    pending = charge(status="pending")
    history = [
        event("payment_intent.processing", intent(status="processing"), at=60),
        event("charge.pending", pending, at=61),
        event("charge.updated", charge(), at=5 * DAY),
        event("charge.succeeded", charge(), at=5 * DAY),
        event("payment_intent.succeeded", intent(status="succeeded"), at=5 * DAY + 2),
    ]
    await deliver(books, history[::-1])
    row = await the_purchase(books.database, account_id)
    assert (row["created_at"], row["settled_at"]) == (at(0), at(5 * DAY + 2))
    (receipt,) = await rows_of(books.database, "receipt", account_id)
    assert receipt["issued_at"] == at(5 * DAY + 2)


@pytest.mark.parametrize("kind", ["charge.succeeded", "charge.captured"])
async def test_a_charge_alone_settles_when_it_was_captured(books: Books, kind: str) -> None:
    account_id = await books.account("acme")
    done = charge(payment_intent=None)
    history = [event("charge.updated", done, at=DAY + 9), event(kind, done, at=DAY)]
    if kind == "charge.captured":
        held = charge(payment_intent=None, captured=False, amount_captured=0)
        history.append(event("charge.succeeded", held, at=61))
    assert await deliver(books, history[:1]) == ["parked"]
    await deliver(books, history[1:])
    assert (await the_purchase(books.database, account_id))["settled_at"] == at(DAY)


async def test_no_other_event_says_when_a_purchase_settled(books: Books) -> None:
    account_id = await books.account("acme")
    updated = event("payment_intent.updated", intent(status="succeeded"), at=70)
    await deliver(books, [updated, event("charge.succeeded", charge(), at=61)])
    assert (await the_purchase(books.database, account_id))["status"] == "PENDING"
    assert list((await parked(books)).values()) == [
        "Waiting for the event with the settlement time."
    ]
    succeeded = event("payment_intent.succeeded", intent(status="succeeded"), at=63)
    await deliver(books, [succeeded])
    assert (await the_purchase(books.database, account_id))["settled_at"] == at(63)
    assert await parked(books) == {}


@pytest.mark.parametrize("first", ["webhooks", "backfill"])
async def test_a_purchase_keeps_when_it_first_settled(books: Books, first: str) -> None:
    account_id = await books.account("acme")
    listed = charge(balance_transaction=balance_transaction(at=5 * DAY))
    lists = {"payment_intents": [intent(status="succeeded")], "charges": [listed]}
    history = [
        event("charge.succeeded", charge(), at=5 * DAY),
        event("payment_intent.succeeded", intent(status="succeeded"), at=5 * DAY + 2),
    ]
    if first == "backfill":
        await fill(books, None, **lists)
    await deliver(books, history)
    await fill(books, None, **lists)
    expected = at(5 * DAY) if first == "backfill" else at(5 * DAY + 2)
    assert (await the_purchase(books.database, account_id))["settled_at"] == expected
    assert await balance(books) == usd("110")


@pytest.mark.parametrize("moved", [None, "txn_1"])
async def test_a_listed_charge_without_a_balance_transaction_settles(
    books: Books, moved: str | None
) -> None:
    account_id = await books.account("acme")
    listed = charge(balance_transaction=moved)
    await fill(books, payment_intents=[intent(status="succeeded")], charges=[listed])
    assert (await the_purchase(books.database, account_id))["settled_at"] == at(60)


async def test_captures_at_once_settle_once(books: Books) -> None:
    await books.account("acme")
    inbox = inbox_of(books)
    history = [*captured_twice(), *captured_twice()]
    await asyncio.gather(*(inbox.take(parsed(each)) for each in history))
    assert await balance(books) == usd("100")
