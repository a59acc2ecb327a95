"""Histories of payments: in any order, twice, at once, before their account, refused."""

import asyncio
import json
from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.money import OUT_OF_RANGE
from gateway.providers.stripe.inbox import Inbox
from gateway.store import Database, Snapshot, parked_events, webhook_events
from gateway.store.webhook_events import ReceivedEvent
from tests.support.books import ACTOR, Books, usd
from tests.support.facts import PROVIDER, rows_of, the_purchase
from tests.support.invariants import check_books
from tests.support.stripe import (
    BEGIN,
    charge,
    dispute,
    event,
    intent,
    invoice,
    invoice_payment,
    parsed,
    refund,
    session,
)
from tests.support.tables import table_rows

Json = dict[str, Any]
DECLINED = {
    "code": "card_declined",
    "decline_code": "insufficient_funds",
    "message": "Your card has insufficient funds.",
    "payment_method": {"type": "card", "card": {"brand": "visa", "last4": "9995"}},
}
TAKEN = {"id": "txn_1", "amount": -11_900, "created": BEGIN + 180_000}
WITHDRAWN = {"balance_transactions": [TAKEN]}
REINSTATED = {"id": "txn_2", "amount": 11_900, "created": BEGIN + 400_000}

SIX: list[Json] = [
    event("payment_intent.created", intent(status="requires_payment_method"), at=0),
    event(
        "payment_intent.payment_failed",
        intent(status="requires_payment_method", last_payment_error=DECLINED),
        at=30,
    ),
    event("charge.succeeded", charge(), at=61),
    event("payment_intent.succeeded", intent(status="succeeded"), at=62),
    event("refund.created", refund(), at=86_401),
    event("charge.dispute.funds_withdrawn", dispute(**WITHDRAWN), at=180_001),
]
PAID = SIX[2:4]
CHECKOUT = {"account": "acme", "document": "checkout"}
WITH_CHECKOUT: list[Json] = [
    event("charge.succeeded", charge(metadata=CHECKOUT), at=61),
    event("payment_intent.succeeded", intent(status="succeeded", metadata=CHECKOUT), at=62),
    event("checkout.session.completed", session(), at=63),
    event("refund.created", refund(status="pending"), at=86_401),
    event("refund.updated", refund(status="succeeded"), at=86_500),
    event(
        "charge.dispute.closed",
        dispute(
            status="won", balance_transactions=[*WITHDRAWN["balance_transactions"], REINSTATED]
        ),
        at=400_001,
    ),
]
OF_INVOICE = {"account": "acme", "document": "invoice"}
WITH_INVOICE: list[Json] = [
    event("charge.succeeded", charge(metadata=OF_INVOICE), at=61),
    event("payment_intent.succeeded", intent(status="succeeded", metadata=OF_INVOICE), at=62),
    event("invoice.paid", invoice(), at=63),
    event("invoice_payment.paid", invoice_payment(), at=64),
    event("refund.created", refund(), at=86_401),
]
HISTORIES = {"six": SIX, "with checkout": WITH_CHECKOUT, "with invoice": WITH_INVOICE}


def inbox_of(books: Books, *, test_mode: bool = False) -> Inbox:
    return Inbox(books.database, books.clock, test_mode=test_mode)


async def tell(books: Books, events: Sequence[Json]) -> list[str]:
    inbox = inbox_of(books)
    return [await inbox.take(parsed(each)) for each in events]


@pytest.fixture
async def books(database: Database) -> Books:
    return Books(database)


async def picture(database: Database, account_id: int, run: int) -> Json:
    """Return what a run's payment left behind, without names that are drawn or the run's own."""
    found: Json = {}
    for table in ("credit_purchase", "refund", "dispute"):
        found[table] = [
            {name: value for name, value in row.items() if name != "revision"}
            for row in await rows_of(database, table, account_id)
        ]
    ledger = await rows_of(database, "ledger_entry", account_id)
    found["balance"] = sum(row["amount_nanos"] for row in ledger)
    receipts = [json.loads(row["data"]) for row in await rows_of(database, "receipt", account_id)]
    found["receipts"] = [receipt | {"number": None, "buyer": None} for receipt in receipts]
    events = await table_rows(database, "webhook_event")
    found["events"] = [
        (row["event_id"].partition("@")[2], row["state"])
        for row in events
        if row["account_id"] == account_id
    ]
    return {name: repr(each).replace(f"pi_{run}'", "pi'") for name, each in found.items()}


def of_run(run: int, events: Sequence[Json]) -> list[Json]:
    """Return a history of the run's own account, payment and ids: one database holds many."""
    told = []
    for each in events:
        subject = dict(each["data"]["object"])
        if (subject.get("metadata") or {}).get("account"):
            subject["metadata"] = subject["metadata"] | {"account": f"acme-{run}"}
        match subject["object"]:
            case "payment_intent":
                subject["id"] = f"pi_{run}"
            case "invoice":
                subject["id"] = f"in_{run}"
            case "invoice_payment":
                subject["invoice"] = f"in_{run}"
                subject["payment"] = {"type": "payment_intent", "payment_intent": f"pi_{run}"}
            case _:
                subject["payment_intent"] = f"pi_{run}"
        told.append(each | {"id": f"{run}@{each['id']}", "data": {"object": subject}})
    return told


async def after(books: Books, run: int, events: Sequence[Json]) -> Json:
    account_id = await books.account(f"acme-{run}")
    await tell(books, of_run(run, events))
    await check_books(books.database, account_id)
    return await picture(books.database, account_id, run)


runs = count()
finals: dict[str, Json] = {}


@pytest.mark.parametrize("history", HISTORIES)
@settings(max_examples=max(8, settings().max_examples // 3))
@given(data=st.data())
async def test_any_order_and_any_repetition_end_in_the_same_books(
    database: Database, history: str, data: st.DataObject
) -> None:
    books, events = Books(database, seed=next(runs)), HISTORIES[history]
    if history not in finals:
        finals[history] = await after(books, next(runs), events)
        assert "PARKED" not in finals[history]["events"]
        assert finals[history]["receipts"].count("'number'") == 2
    again = data.draw(st.lists(st.sampled_from(events), max_size=4))
    order = data.draw(st.permutations([*events, *again]))
    assert await after(books, next(runs), order) == finals[history]


async def test_a_history_ends_with_what_it_says(books: Books) -> None:
    account_id = await books.account("acme")
    assert await tell(books, SIX) == ["applied"] * 2 + ["parked"] + ["applied"] * 3
    purchase = await the_purchase(books.database, account_id)
    assert purchase["status"] == "DISPUTED"
    assert (purchase["amount_nanos"], purchase["tax_nanos"]) == (usd("100"), usd("19"))
    assert purchase["bonus_nanos"] == usd("10")
    assert (purchase["payment_method_type"], purchase["payment_method_name"]) == ("LINK", "link")
    assert (purchase["payment_method_brand"], purchase["payment_method_last4"]) == ("visa", "4242")
    assert purchase["failure_code"] is None
    (refunded,) = await rows_of(books.database, "refund", account_id)
    assert (refunded["amount_nanos"], refunded["tax_nanos"]) == (usd("50"), usd("9.5"))
    assert refunded["reason"] == "Requested by customer"


async def test_a_failed_attempt_says_why(books: Books) -> None:
    account_id = await books.account("acme")
    await tell(books, SIX[:2])
    purchase = await the_purchase(books.database, account_id)
    assert purchase["status"] == "FAILED"
    assert purchase["failure_code"] == "insufficient_funds"
    assert purchase["failure_reason"] == "Your card has insufficient funds."
    assert purchase["payment_method_last4"] == "9995"


async def test_fifty_deliveries_at_once_have_one_effect(books: Books) -> None:
    account_id = await books.account("acme")
    await tell(books, [SIX[3]])
    inbox = inbox_of(books)
    outcomes = await asyncio.gather(*(inbox.take(parsed(SIX[2])) for _ in range(50)))
    assert sorted(outcomes) == ["applied"] + ["duplicate"] * 49
    assert len(await rows_of(books.database, "ledger_entry", account_id)) == 2
    assert await check_books(books.database) == [usd("110")]


async def test_different_events_at_once_lose_nothing(books: Books) -> None:
    account_id = await books.account("acme")
    inbox = inbox_of(books)
    await asyncio.gather(*(inbox.take(parsed(each)) for each in SIX for _ in range(3)))
    purchase = await the_purchase(books.database, account_id)
    assert purchase["status"] == "DISPUTED"
    assert await check_books(books.database) == [usd("10")]


@pytest.mark.parametrize("customer", [False, True])
async def test_events_before_their_account_take_effect_when_it_appears(
    books: Books, customer: bool
) -> None:
    events = [parsed(each) for each in SIX]
    if customer:
        silent = [each["data"]["object"] | {"metadata": {"bonus": "10"}} for each in SIX[2:4]]
        events = [
            parsed(each | {"data": {"object": subject}})
            for each, subject in zip(SIX[2:4], silent, strict=True)
        ]
    inbox = inbox_of(books)
    assert {await inbox.take(each) for each in events} == {"parked"}
    assert await inbox.sweep() == 0
    account_id = await books.account("acme")
    if customer:
        assert await inbox.sweep() == 0
        await books.account("acme", stripe_customer_id="cus_1")
    assert await inbox.sweep() == 1
    assert await inbox.sweep() == 0
    assert (await the_purchase(books.database, account_id))["settled_at"]
    assert {row["state"] for row in await table_rows(books.database, "webhook_event")} == {
        "APPLIED"
    }


async def test_no_payment_keeps_others_waiting(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than are looked at together: some cannot be read, some are nobody's."""
    monkeypatch.setattr("gateway.providers.stripe.sweep.SWEEP_BATCH", 5)
    ghost = [
        event("charge.succeeded", charge(payment_intent=f"pi_1_{n}"), at=n, event_id=f"evt_1_{n}")
        for n in range(6)
    ]
    for each in ghost:
        each["data"]["object"]["metadata"] = {"account": "nobody"}
    due = [
        event("charge.succeeded", charge(id=f"ch_3_{n}", payment_intent=None), at=n)
        | {"id": f"evt_3_{n}"}
        for n in range(6)
    ]
    assert set(await tell(books, [*ghost, *due])) == {"parked"}
    async with books.database.writing(ACTOR) as transaction:
        for number in range(6):
            unreadable = ReceivedEvent(
                provider="stripe",
                event_id=f"evt_2_{number}",
                type="charge.succeeded",
                object_id=f"ch_2_{number}",
                external_id="acme",
                customer_id=None,
                account_id=None,
                state="PARKED",
                reason=None,
                payload="{}",
                created_at=books.clock.now(),
                received_at=books.clock.now(),
            )
            assert await webhook_events.add(transaction, unreadable)
    assert await inbox_of(books).sweep() == 0
    account_id = await books.account("acme", stripe_customer_id="cus_1")
    assert await inbox_of(books).sweep() == 12
    assert len(await rows_of(books.database, "credit_purchase", account_id)) == 6
    # What nobody owns is not looked at again, though its customer is known.
    assert await inbox_of(books).sweep() == 6


@pytest.mark.parametrize("first", ["payment", "document"])
async def test_what_the_payment_says_goes_before_what_its_document_says(
    books: Books, first: str
) -> None:
    """Whose the payment is does not depend on which event came first."""
    acme = await books.account("acme", stripe_customer_id="cus_1")
    other = await books.account("other")
    events = [
        event("charge.succeeded", charge(metadata={}), at=61),
        event("payment_intent.succeeded", intent(status="succeeded", metadata={}), at=62),
        event("checkout.session.completed", session(metadata={"account": "other"}), at=63),
    ]
    outcomes = await tell(books, events if first == "payment" else events[::-1])
    assert outcomes == ["parked", "applied", "applied"]
    assert (await the_purchase(books.database, acme))["settled_at"]
    assert await rows_of(books.database, "credit_purchase", other) == []


@pytest.mark.parametrize("first", ["payment", "document"])
async def test_a_document_says_whose_a_payment_is_that_says_nothing(
    books: Books, first: str
) -> None:
    acme = await books.account("acme")
    silent: dict[str, Any] = {"metadata": {}, "customer": None}
    events = [
        event("charge.succeeded", charge(**silent), at=61),
        event("payment_intent.succeeded", intent(status="succeeded", **silent), at=62),
        event("checkout.session.completed", session(metadata={"account": "acme"}), at=63),
    ]
    await tell(books, events if first == "payment" else events[::-1])
    assert (await the_purchase(books.database, acme))["settled_at"]


async def test_a_dispute_and_a_document_alone_have_no_account(books: Books) -> None:
    """What the payment itself says is missing: it is not applied, and not tried in each sweep."""
    events = [
        event("charge.dispute.funds_withdrawn", dispute(**WITHDRAWN), at=180_001),
        event("checkout.session.completed", session(metadata={"account": "acme"}), at=63),
    ]
    assert await tell(books, events) == ["parked", "parked"]
    await books.account("acme")
    assert await inbox_of(books).sweep() == 0
    assert (await tell(books, PAID))[-1] == "applied"


async def test_another_currency_is_kept_and_not_applied(books: Books) -> None:
    account_id = await books.account("acme", currency="EUR")
    assert await tell(books, SIX) == ["parked"] * 6
    assert await rows_of(books.database, "credit_purchase", account_id) == []
    stored = await table_rows(books.database, "webhook_event")
    assert {(row["state"], row["account_id"]) for row in stored} == {("PARKED", account_id)}
    assert await inbox_of(books).sweep() == 0
    assert await tell(books, SIX) == ["duplicate"] * 6


async def test_an_amount_that_does_not_fit_is_parked_alone(books: Books) -> None:
    account_id = await books.account("acme")
    large: Json = {"amount": 10**12, "amount_captured": 10**12}
    told = [
        event("charge.succeeded", charge(id="ch_2", payment_intent="pi_2", **large), at=61),
        event("payment_intent.succeeded", intent(id="pi_2", status="succeeded", **large), at=62),
    ]
    large_first = [each | {"id": f"evt_{number}"} for number, each in enumerate(told)]
    outcomes = await tell(books, [*large_first, *PAID])
    assert (outcomes[:2], outcomes[-1]) == (["parked"] * 2, "applied")
    assert (await the_purchase(books.database, account_id))["amount_nanos"] == usd("100")
    async with Snapshot(books.database, ACTOR) as snapshot:
        parked = await parked_events.of_payments(snapshot, PROVIDER, ["pi_2"])
    assert {row["reason"] for row in parked} == {OUT_OF_RANGE}
    await check_books(books.database, account_id)


async def test_what_another_delivery_brings_meanwhile_is_not_missed(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    account_id = await books.account("acme")
    part = refund(id="re_1", amount=3_333, created=BEGIN + 1_000)
    await tell(books, [*PAID, event("refund.created", part, at=1_001)])
    inbox = inbox_of(books)
    record = inbox._record

    async def recorded(*args: Any) -> Any:
        await tell(books, [event("refund.failed", part | {"status": "failed"}, at=2_000)])
        return await record(*args)

    monkeypatch.setattr(inbox, "_record", recorded)
    whole = event("refund.created", refund(id="re_2", amount=11_900), at=86_401)
    assert await inbox.take(parsed(whole)) == "applied"
    row = await the_purchase(books.database, account_id)
    assert row["refunded_nanos"] == usd("100")


async def test_what_says_nothing_to_us_is_recorded_and_ignored(books: Books) -> None:
    await books.account("acme")
    told = [
        event("customer.created", {"object": "customer", "id": "cus_1"}, at=1),
        event("charge.succeeded", charge(), at=2, event_id="evt_test", livemode=False),
        event("checkout.session.completed", session(payment_intent=None), at=3),
    ]
    assert await tell(books, told) == ["ignored"] * 3
    assert await tell(books, told) == ["duplicate"] * 3
    assert await table_rows(books.database, "credit_purchase") == []


async def test_the_tax_of_a_document_is_waited_for(books: Books) -> None:
    account_id = await books.account("acme")
    assert await tell(books, WITH_CHECKOUT[:2]) == ["parked", "applied"]
    assert (await the_purchase(books.database, account_id))["status"] == "PENDING"
    assert await tell(books, WITH_CHECKOUT[2:3]) == ["applied"]
    assert (await the_purchase(books.database, account_id))["amount_nanos"] == usd("100")


@pytest.mark.parametrize("last", range(4))
async def test_an_invoice_and_what_it_was_paid_with_are_told_apart(books: Books, last: int) -> None:
    account_id = await books.account("acme")
    told = [*WITH_INVOICE[:last], *WITH_INVOICE[last + 1 : 4]]
    await tell(books, told)
    assert await rows_of(books.database, "ledger_entry", account_id) == []
    assert await tell(books, WITH_INVOICE[last : last + 1]) == ["applied"]
    purchase = await the_purchase(books.database, account_id)
    assert (purchase["status"], purchase["tax_nanos"]) == ("SUCCEEDED", usd("19"))
    assert await tell(books, WITH_INVOICE[:4]) == ["duplicate"] * 4
    assert await check_books(books.database) == [usd("100")]


async def test_both_halves_of_an_invoice_at_once_settle_its_purchase_once(books: Books) -> None:
    account_id = await books.account("acme")
    inbox = inbox_of(books)
    await asyncio.gather(*(inbox.take(parsed(each)) for each in WITH_INVOICE[:4] for _ in range(3)))
    assert (await the_purchase(books.database, account_id))["status"] == "SUCCEEDED"
    assert await check_books(books.database) == [usd("100")]


async def stopped(_payment: str) -> list[str]:
    raise ProcessLookupError


async def test_a_half_that_was_recorded_and_no_more_is_made_up_for(books: Books) -> None:
    """Its process ended before the whole was taken, so Stripe sends it again."""
    account_id = await books.account("acme")
    inbox = inbox_of(books)
    await tell(books, WITH_INVOICE[:3])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inbox, "apply", stopped)
        with pytest.raises(ProcessLookupError):
            await inbox.take(parsed(WITH_INVOICE[3]))
    assert await inbox.take(parsed(WITH_INVOICE[3])) == "duplicate"
    assert (await the_purchase(books.database, account_id))["status"] == "SUCCEEDED"


async def test_an_invoice_says_whose_a_payment_is_that_says_nothing(books: Books) -> None:
    silent: dict[str, Any] = {"metadata": {"document": "invoice"}, "customer": None}
    events = [
        event("charge.succeeded", charge(**silent), at=61),
        event("payment_intent.succeeded", intent(status="succeeded", **silent), at=62),
        event("invoice.paid", invoice(), at=63),
        event("invoice_payment.paid", invoice_payment(), at=64),
    ]
    assert await tell(books, events) == ["parked", "parked", "ignored", "parked"]
    account_id = await books.account("acme", stripe_customer_id="cus_1")
    assert await inbox_of(books).sweep() == 1
    assert (await the_purchase(books.database, account_id))["amount_nanos"] == usd("100")


async def test_a_purchase_that_points_to_no_invoice_waits_for_none(books: Books) -> None:
    account_id = await books.account("acme")
    alone = [event("invoice.paid", invoice(), at=1), *SIX[2:4]]
    assert await tell(books, alone) == ["ignored", "parked", "applied"]
    before = await rows_of(books.database, "ledger_entry", account_id)
    paid = event("invoice_payment.paid", invoice_payment(), at=63)
    assert await tell(books, [paid]) == ["applied"]
    assert await rows_of(books.database, "ledger_entry", account_id) == before
    inbox = inbox_of(books)
    await inbox.count()
    assert inbox.parked == 0


async def test_an_event_of_test_mode_is_logged_with_the_setting(books: Books) -> None:
    told = event("charge.succeeded", charge(), at=1, livemode=False)
    with capture_logs() as logs:
        assert await tell(books, [told, told]) == ["ignored", "duplicate"]
    (line,) = (each for each in logs if each["event"] == "stripe: event ignored")
    assert "GATEWAY_STRIPE_TEST_MODE=1" in line["reason"]


async def test_halves_of_test_mode_are_not_joined_in_production(books: Books) -> None:
    await books.account("acme")
    halves = [
        event("invoice.paid", invoice(), at=1, livemode=False),
        event("invoice_payment.paid", invoice_payment(), at=2),
    ]
    assert await tell(books, halves) == ["ignored", "ignored"]


async def test_no_secret_of_a_payment_is_stored(books: Books) -> None:
    await tell(books, SIX[:1])
    (stored,) = await table_rows(books.database, "webhook_event")
    assert "client_secret" not in stored["payload"]
