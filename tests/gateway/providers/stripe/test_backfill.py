"""A backfill beside webhooks: the same books, whichever came first, and no effect again."""

from typing import Any

import httpx
import pytest

from gateway.errors import ConfigurationError, ServiceUnavailable
from gateway.providers.stripe.backfill import Api, backfill
from gateway.providers.stripe.inbox import Inbox
from gateway.store import Database
from tests.support.books import Books, usd
from tests.support.facts import rows_of, the_purchase
from tests.support.invariants import check_books
from tests.support.stripe import (
    charge,
    event,
    intent,
    invoice,
    invoice_payment,
    parsed,
    refund,
)

WEBHOOKS = [
    event("charge.succeeded", charge(), at=61),
    event("payment_intent.succeeded", intent(status="succeeded"), at=62),
    event("refund.created", refund(), at=86_401),
]
OTHERS = [charge(id=f"ch_other_{number}", payment_intent=None) for number in range(3)]
LISTED: dict[str, list[dict[str, Any]]] = {
    "payment_intents": [intent(status="succeeded")],
    "charges": [charge(), *OTHERS],
    "refunds": [refund()],
}


class Stripe:
    """Stripe's API at the edge of the network: lists in pages of two; some answers fail first."""

    def __init__(self, *failures: int) -> None:
        self.failures = list(failures)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer rk_live_1"
        if self.failures:
            return httpx.Response(self.failures.pop(0))
        items = LISTED.get(request.url.path.removeprefix("/v1/"), [])
        ids = [each["id"] for each in items]
        after = request.url.params.get("starting_after")
        start = ids.index(after) + 1 if after else 0
        page = items[start : start + 2]
        more = len(items) > start + 2
        return httpx.Response(200, json={"object": "list", "data": page, "has_more": more})


async def fill(books: Books, *failures: int) -> dict[str, int]:
    transport = httpx.MockTransport(Stripe(*failures))
    async with httpx.AsyncClient(transport=transport, base_url="https://stripe.test") as client:
        inbox = Inbox(books.database, books.clock, test_mode=False)
        return await backfill(inbox, Api(client, "rk_live_1", wait_seconds=0), livemode=True)


@pytest.mark.parametrize("first", ["webhooks", "backfill"])
async def test_webhooks_and_a_backfill_end_in_the_same_books(
    database: Database, first: str
) -> None:
    books = Books(database)
    account_id = await books.account("acme")
    inbox = Inbox(database, books.clock, test_mode=False)
    if first == "backfill":
        assert await fill(books) == {"applied": 6}
    for each in WEBHOOKS:
        await inbox.take(parsed(each))
    if first == "webhooks":
        assert await fill(books) == {"applied": 6}
    assert await fill(books) == {"duplicate": 6}
    # The purchase, half of it refunded, and three charges without a PaymentIntent.
    assert await check_books(database) == [usd("60") + 3 * usd("110")]
    assert len(await rows_of(database, "credit_purchase", account_id)) == 4


async def test_a_busy_provider_is_asked_again(database: Database) -> None:
    books = Books(database)
    await books.account("acme")
    assert sum((await fill(books, 429, 503)).values()) == 6


@pytest.mark.parametrize(
    ("failures", "error"),
    [([500] * 5, ServiceUnavailable), ([404], ServiceUnavailable), ([401], ConfigurationError)],
)
async def test_a_provider_that_refuses_ends_it_with_a_reason(
    database: Database, failures: list[int], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await fill(Books(database), *failures)


@pytest.mark.parametrize("knows_payments", [False, True])
async def test_an_invoice_is_read_with_what_it_was_paid_with(
    database: Database, knows_payments: bool
) -> None:
    said = {"status": "succeeded", "metadata": {"account": "acme", "document": "invoice"}}
    lists = {"payment_intents": [intent(**said)], "charges": [charge()]}
    asked: list[str | None] = []

    def invoices(expand: str | None) -> httpx.Response:
        asked.append(expand)
        if expand and not knows_payments:
            return httpx.Response(400)
        named = {"payments": {"data": [invoice_payment()]}} if expand else {}
        found = invoice(**(named if knows_payments else {"payment_intent": "pi_1"}))
        return httpx.Response(200, json={"data": [found], "has_more": False})

    def stripe(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v1/")
        if path == "invoices":
            return invoices(request.url.params.get("expand[]"))
        return httpx.Response(200, json={"data": lists.get(path, []), "has_more": False})

    books = Books(database)
    account_id = await books.account("acme")
    inbox = Inbox(database, books.clock, test_mode=False)
    transport = httpx.MockTransport(stripe)
    async with httpx.AsyncClient(transport=transport, base_url="https://stripe.test") as client:
        api = Api(client, "rk_live_1", wait_seconds=0)
        assert await backfill(inbox, api, livemode=True) == {"applied": 2, "parked": 1}
    assert (await the_purchase(database, account_id))["tax_nanos"] == usd("19")
    assert asked == (["data.payments"] if knows_payments else ["data.payments", None])
