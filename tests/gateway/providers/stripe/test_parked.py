"""Payments that wait: listed, tried again, ignored."""

import asyncio

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from gateway.cli.stripe import stripe
from gateway.errors import BadUserInput, NotFound
from gateway.providers.stripe.inbox import UNKNOWN_ACCOUNT, Inbox
from gateway.providers.stripe.parked import ParkedPayment, parked_payments
from gateway.providers.stripe.payment import LATE
from gateway.store import Database, Snapshot
from tests.support.books import ACTOR, NOW, Books
from tests.support.facts import rows_of
from tests.support.invariants import check_books
from tests.support.stripe import Json, charge, event, intent, parsed, refund
from tests.support.tables import table_rows

NOBODYS = {"metadata": {"account": "nobody"}}
CHARGED = event("charge.succeeded", charge(**NOBODYS), at=61)
PAID = event("payment_intent.succeeded", intent(status="succeeded", **NOBODYS), at=62)
REFUNDED = event("refund.created", refund(), at=86_401)
CUSTOMERS = event(
    "charge.succeeded", charge(id="ch_2", payment_intent=None, metadata={}, amount=5), at=70
)


@pytest.fixture
async def books(database: Database) -> Books:
    return Books(database)


def inbox_of(books: Books) -> Inbox:
    return Inbox(books.database, books.clock, test_mode=False)


async def tell(books: Books, *events: Json) -> list[str]:
    inbox = inbox_of(books)
    return [await inbox.take(parsed(each)) for each in events]


async def listed(database: Database) -> list[ParkedPayment]:
    async with Snapshot(database, ACTOR) as snapshot:
        return [each async for each in parked_payments(snapshot)]


async def balance(books: Books, account_id: int) -> int:
    (account,) = await rows_of(books.database, "account", account_id)
    nanos: int = account["balance_nanos"]
    return nanos


async def test_parked_payments_say_what_waits_and_why(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.providers.stripe.parked.PAGE", 1)
    await books.account("acme")
    assert set(await tell(books, CHARGED, REFUNDED, CUSTOMERS)) == {"parked"}
    customers, nobodys = await listed(books.database)
    assert nobodys == ParkedPayment(
        payment="pi_1",
        types=("charge.succeeded", "refund.created"),
        amount="119.00 USD",
        owner="nobody",
        reason=UNKNOWN_ACCOUNT,
        since=NOW,
    )
    assert (customers.payment, customers.amount) == ("ch_2", "0.05 USD")
    assert customers.owner == "customer cus_1"


async def test_each_event_that_parks_is_logged(books: Books) -> None:
    account_id = await books.account("acme")
    with capture_logs() as logs:
        assert await tell(books, REFUNDED, CHARGED, PAID) == ["parked"] * 3
    found = [line for line in logs if line["event"] == "stripe: event parked"]
    assert [(line["event_id"], line["payment"], line["reason"]) for line in found] == [
        (each["id"], "pi_1", UNKNOWN_ACCOUNT) for each in (REFUNDED, CHARGED, PAID)
    ]
    assert {line["log_level"] for line in found} == {"warning"}
    assert await balance(books, account_id) == 0


async def test_a_retry_applies_what_can_be_or_says_why_not(books: Books) -> None:
    await tell(books, CHARGED, PAID)
    inbox = inbox_of(books)
    assert await inbox.retry("pi_1", actor=ACTOR) == UNKNOWN_ACCOUNT
    account_id = await books.account("nobody")
    assert await inbox.waiting() == ["pi_1"]
    assert await inbox.retry("pi_1", actor=ACTOR) is None
    assert await balance(books, account_id) == 119 * 10**9
    assert await inbox.waiting() == []
    assert await listed(books.database) == []
    with pytest.raises(NotFound):
        await inbox.retry("pi_1", actor=ACTOR)
    await check_books(books.database, account_id)


async def test_an_ignored_payment_waits_no_more_until_a_retry(books: Books) -> None:
    await tell(books, CHARGED)
    inbox = inbox_of(books)
    await inbox.ignore("pi_1", actor=ACTOR)
    await inbox.count()
    assert (inbox.parked, await listed(books.database)) == (0, [])
    account_id = await books.account("nobody")
    assert await inbox.sweep() == 0
    # Nothing of it took effect, so that what comes later is ignored as well.
    assert await tell(books, PAID, REFUNDED) == ["ignored", "ignored"]
    assert await balance(books, account_id) == 0
    assert len(await table_rows(books.database, "webhook_event")) == 3
    with pytest.raises(NotFound):
        await inbox.ignore("pi_1", actor=ACTOR)
    assert await inbox.retry("pi_1", actor=ACTOR) is None
    assert {row["state"] for row in await table_rows(books.database, "webhook_event")} == {
        "APPLIED"
    }
    await check_books(books.database, account_id)


async def test_a_booked_payment_goes_on_without_what_is_ignored(books: Books) -> None:
    account_id = await books.account("nobody")
    inbox = inbox_of(books)
    created = event("payment_intent.created", intent(status="processing", **NOBODYS), at=1)
    assert await tell(books, created, REFUNDED) == ["applied", "parked"]
    assert [each.reason for each in await listed(books.database)] == [LATE]
    await inbox.ignore("pi_1", actor=ACTOR)
    assert await tell(books, CHARGED, PAID) == ["parked", "applied"]
    assert await balance(books, account_id) == 119 * 10**9
    assert await rows_of(books.database, "refund", account_id) == []
    assert await inbox.retry("pi_1", actor=ACTOR) is None
    assert len(await rows_of(books.database, "refund", account_id)) == 1
    await check_books(books.database, account_id)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_command_line_lists_retries_and_ignores(
    books: Books, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_DATABASE_URL", database_url)
    monkeypatch.setenv("GATEWAY_RECEIPTS", "0")

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, stripe, arguments)

    await tell(books, CHARGED, CUSTOMERS)
    lines = [line.split("\t") for line in (await run("parked")).output.splitlines()]
    assert [line[0] for line in lines] == ["ch_2", "pi_1"]
    since = f"since {NOW:%Y-%m-%d %H:%M}"
    assert lines[1][1:] == ["charge.succeeded", "119.00 USD", "nobody", since, UNKNOWN_ACCOUNT]
    assert (await run("ignore", "ch_2")).output == "ch_2\tignored\n"
    tried = await run("retry", "--all")
    assert tried.exit_code == 1
    assert tried.output.splitlines()[-1] == f"pi_1\tstill parked: {UNKNOWN_ACCOUNT}"
    await books.account("nobody", stripe_customer_id="cus_1")
    await tell(books, PAID)
    again = await run("retry", "ch_2")
    assert (again.exit_code, again.output) == (0, "ch_2\tapplied\n")
    assert isinstance((await run("ignore", "pi_9")).exception, NotFound)
    assert isinstance((await run("retry", "pi_9")).exception, NotFound)
    assert isinstance((await run("retry")).exception, BadUserInput)
