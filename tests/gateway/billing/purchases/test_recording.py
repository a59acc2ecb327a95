"""Purchases: every state, and facts that come twice, late and out of order, on both databases."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.billing.purchases.purchase_state import PaymentMethod, PurchaseFacts
from gateway.billing.purchases.recording import load_purchases
from gateway.errors import BadUserInput
from gateway.models import CreditPurchaseKind, DisputeStatus, PaymentMethodType, RefundStatus
from gateway.money import MAX_NANOS
from gateway.store import Database
from tests.support.books import Books, usd
from tests.support.facts import (
    PROVIDER,
    REFERENCE,
    START,
    Facts,
    day,
    dispute,
    entries,
    purchase,
    record,
    refund,
    rows_of,
    save,
    save_together,
    the_purchase,
)
from tests.support.invariants import check_books
from tests.support.tables import all_rows

VISA = PaymentMethod(type=PaymentMethodType.CARD, brand="visa", last4="4242")
AMEX = PaymentMethod(type=PaymentMethodType.CARD, brand="amex", last4="0005")


EARLIER = PaymentMethod(type=PaymentMethodType.BANK_ACCOUNT, last4="3000", label="Sepa debit")
NAMED = PaymentMethod(type=PaymentMethodType.BANK_ACCOUNT, last4="3000", name="sepa_debit")


@pytest.mark.parametrize("order", [(EARLIER, NAMED), (NAMED, EARLIER)])
async def test_the_providers_name_of_a_method_replaces_an_earlier_label(
    books: Books, order: tuple[PaymentMethod, ...]
) -> None:
    account_id = await books.account("acme")
    facts = [purchase(account_id, payment_method=each, **SUCCEEDED) for each in order]
    await save(books, account_id, *facts)
    row = await the_purchase(books.database, account_id)
    method = {name: row[f"payment_method_{name}"] for name in ("name", "label", "last4")}
    assert method == {"name": "sepa_debit", "label": None, "last4": "3000"}


async def status_after(books: Books, *changes: dict[str, Any]) -> str:
    account_id = await books.account("acme")
    await save(books, account_id, *(purchase(account_id, **each) for each in changes))
    await check_books(books.database)
    status: str = (await the_purchase(books.database, account_id))["status"]
    return status


CREATED: dict[str, Any] = {}
ACTION = {"requires_action": True}
FAILED = {"failed_at": day(1), "failure_code": "card_declined", "failure_reason": "No funds."}
AGAIN = {"status_at": day(2)}
CANCELED = {"canceled": True}
SUCCEEDED = {"succeeded_at": day(2)}


@pytest.mark.parametrize(
    ("history", "status"),
    [
        ([CREATED], "PENDING"),
        ([CREATED, ACTION], "REQUIRES_ACTION"),
        ([ACTION, CREATED], "REQUIRES_ACTION"),
        ([CREATED, FAILED], "FAILED"),
        ([FAILED, ACTION], "FAILED"),
        ([ACTION, CANCELED], "CANCELED"),
        ([FAILED, AGAIN], "PENDING"),
        ([AGAIN, FAILED], "PENDING"),
        ([FAILED, AGAIN, {**ACTION, "status_at": day(3)}], "REQUIRES_ACTION"),
        ([{**ACTION, "status_at": day(1)}, AGAIN], "PENDING"),
        ([CANCELED, AGAIN], "CANCELED"),
        ([CANCELED, FAILED], "CANCELED"),
        ([FAILED, CANCELED], "CANCELED"),
        ([SUCCEEDED], "SUCCEEDED"),
        ([FAILED, SUCCEEDED], "SUCCEEDED"),
        ([SUCCEEDED, FAILED], "SUCCEEDED"),
        ([SUCCEEDED, CANCELED], "SUCCEEDED"),
        ([CANCELED, SUCCEEDED], "SUCCEEDED"),
    ],
)
async def test_a_status_is_the_latest_then_the_highest(
    books: Books, history: list[dict[str, Any]], status: str
) -> None:
    assert await status_after(books, *history) == status


async def test_a_settled_purchase_credits_amount_and_bonus(books: Books) -> None:
    account_id = await books.account("acme")
    await save(books, account_id, purchase(account_id), purchase(account_id, **SUCCEEDED))
    assert await entries(books.database, account_id) == [("PURCHASE", "100"), ("BONUS", "10")]
    await check_books(books.database)


async def test_an_unsettled_purchase_moves_nothing(books: Books) -> None:
    account_id = await books.account("acme")
    await save(books, account_id, *(purchase(account_id, **each) for each in (ACTION, FAILED)))
    row = await the_purchase(books.database, account_id)
    assert (row["failure_code"], row["failed_at"]) == ("card_declined", day(1))
    for table in ("ledger_entry", "receipt", "rollup_day", "rollup_slot"):
        assert await rows_of(books.database, table, account_id) == []


async def test_facts_that_settle_it_say_what_it_is_worth_and_how_it_was_paid(books: Books) -> None:
    account_id = await books.account("acme")
    await save(
        books,
        account_id,
        purchase(account_id, amount=usd("50"), tax=0),
        purchase(account_id, amount=usd("50"), payment_method=AMEX, **FAILED),
        purchase(account_id, amount=usd("60"), tax=usd("6"), payment_method=VISA, **SUCCEEDED),
        purchase(account_id, amount=usd("50"), payment_method=AMEX, **FAILED),
    )
    row = await the_purchase(books.database, account_id)
    assert (row["amount_nanos"], row["tax_nanos"]) == (usd("60"), usd("6"))
    assert (row["payment_method_brand"], row["failure_code"]) == ("visa", None)
    await check_books(books.database)


async def test_of_several_failures_the_last_attempt_stays(books: Books) -> None:
    account_id = await books.account("acme")
    first = purchase(account_id, failed_at=day(1), failure_code="z", payment_method=VISA)
    last = purchase(account_id, failed_at=day(2), failure_code="a", payment_method=AMEX)
    for order in ([first, last], [last, first]):
        await save(books, account_id, *order)
        row = await the_purchase(books.database, account_id)
        assert (row["failure_code"], row["payment_method_brand"]) == ("a", "amex")


async def test_an_unsettled_purchase_shows_its_latest_attempt_alone(books: Books) -> None:
    account_id = await books.account("acme")
    failed = purchase(account_id, amount=usd("500"), payment_method=VISA, **FAILED)
    again = purchase(account_id, amount=usd("40"), tax=usd("4"), payment_method=AMEX, **AGAIN)
    for order in ([failed, again], [again, failed]):
        await save(books, account_id, *order)
        row = await the_purchase(books.database, account_id)
        assert (row["amount_nanos"], row["tax_nanos"]) == (usd("40"), usd("4"))
        assert (row["failed_at"], row["failure_code"], row["failure_reason"]) == (None,) * 3
        assert row["payment_method_brand"] == "amex"


async def test_complete_facts_replace_what_is_known(books: Books) -> None:
    account_id = await books.account("acme")
    late = purchase(account_id, status_at=day(5), **ACTION)
    await save(books, account_id, late, purchase(account_id, is_complete=True, **AGAIN))
    assert (await the_purchase(books.database, account_id))["status"] == "PENDING"


async def test_a_kind_without_money_is_a_bonus(books: Books) -> None:
    account_id = await books.account("acme")
    coupon = purchase(
        account_id, kind=CreditPurchaseKind.COUPON, tax=0, bonus=0, reference="c", **SUCCEEDED
    )
    await save(books, account_id, coupon)
    (rollup,) = await rows_of(books.database, "rollup_day", account_id)
    assert (rollup["bonus_nanos"], rollup["purchased_nanos"]) == (usd("100"), 0)


async def test_facts_without_a_name_are_always_another_purchase(books: Books) -> None:
    account_id = await books.account("acme")
    nameless = purchase(account_id, provider=None, reference=None, **SUCCEEDED)
    await save(books, account_id, nameless, nameless)
    assert len(await rows_of(books.database, "credit_purchase", account_id)) == 2
    await check_books(books.database)


@pytest.mark.parametrize(
    "changes",
    [
        {"currency": "EUR"},
        {"amount": 0},
        {"amount": -1},
        {"tax": -1},
        {"bonus": -1},
        {"amount": MAX_NANOS, "tax": 1, "bonus": 0},
        {"amount": MAX_NANOS, "tax": 0, "bonus": 1},
    ],
)
async def test_what_is_not_allowed_is_refused_and_leaves_nothing(
    books: Books, changes: dict[str, Any]
) -> None:
    account_id = await books.account("acme")
    before = await all_rows(books.database)
    with pytest.raises(BadUserInput):
        await save(books, account_id, purchase(account_id, **SUCCEEDED, **changes))
    assert await all_rows(books.database) == before
    await save(books, account_id, purchase(account_id))
    before = await all_rows(books.database)
    with pytest.raises(BadUserInput):
        await save(books, account_id, purchase(account_id, **SUCCEEDED, **changes))
    assert await all_rows(books.database) == before


async def test_a_balance_beyond_64_bits_is_refused_and_leaves_nothing(books: Books) -> None:
    account_id = await books.account("acme")
    whole = {"amount": MAX_NANOS, "tax": 0, "bonus": 0, **SUCCEEDED}
    await save(books, account_id, purchase(account_id, **whole))
    before = await all_rows(books.database)
    with pytest.raises(BadUserInput, match="must be from"):
        await save(
            books,
            account_id,
            purchase(account_id, reference="pi_2", amount=1, tax=0, bonus=0, succeeded_at=day(3)),
        )
    assert await all_rows(books.database) == before
    await check_books(books.database)


async def test_reading_a_purchase_again_keeps_what_the_book_has_done(books: Books) -> None:
    account_id = await books.account("acme")
    await save(books, account_id, purchase(account_id, **SUCCEEDED), refund("re_1", "30"))
    async with books.open([account_id]) as book:
        for facts in (refund("re_2", "20"), refund("re_1", "30"), refund("re_2", "20")):
            await load_purchases(book, [(account_id, PROVIDER, REFERENCE)])
            assert record(book, account_id, facts)
    assert (await the_purchase(books.database, account_id))["refunded_nanos"] == usd("50")
    await check_books(books.database)


def attempts() -> list[dict[str, Any]]:
    """Return what came before and with the success."""
    return [
        {"amount": usd("90"), "description": "Top-up"},
        {"requires_action": True, "created_at": START + timedelta(seconds=1)},
        {**FAILED, "payment_method": AMEX},
        {"amount": usd("80"), "tax": usd("8"), **AGAIN},
        {**SUCCEEDED, "payment_method": VISA},
        {**SUCCEEDED, "description": "Top-up of 100"},
    ]


WON, LOST, OPEN = DisputeStatus.WON, DisputeStatus.LOST, DisputeStatus.OPEN
TAKEN = ("-100", day(4))
HISTORIES: dict[str, tuple[list[Facts], str]] = {
    "refunded": ([refund("re_1", "30"), refund("re_2", "70", created_at=day(5))], "REFUNDED"),
    "partially refunded": (
        [refund("re_1", "30", status=status) for status in (RefundStatus.PENDING, "SUCCEEDED")],
        "PARTIALLY_REFUNDED",
    ),
    "returned by the bank": (
        [
            refund("re_1", "30"),
            refund("re_2", "70", created_at=day(5)),
            refund("re_1", "30", status=RefundStatus.FAILED, failure_reason="closed"),
        ],
        "PARTIALLY_REFUNDED",
    ),
    "disputed": ([refund("re_1", "30"), dispute("100", TAKEN)], "DISPUTED"),
    "won": (
        [
            refund("re_1", "30"),
            dispute("100", TAKEN),
            dispute("100", ("100", day(8)), state=WON, closed_at=day(9)),
            refund("re_2", "20", created_at=day(12)),
        ],
        "PARTIALLY_REFUNDED",
    ),
    "lost": (
        [
            refund("re_1", "30"),
            dispute("100", reason="fraudulent"),
            dispute("100", TAKEN),
            dispute("100", state=LOST, closed_at=day(9)),
        ],
        "REFUNDED",
    ),
    "lost, then won": (
        [
            dispute("100", TAKEN),
            dispute("100", state=LOST, closed_at=day(9)),
            dispute("100", ("100", day(20)), state=WON, closed_at=day(20)),
        ],
        "SUCCEEDED",
    ),
    "partly won": (
        [
            refund("re_1", "30"),
            dispute("100", TAKEN),
            dispute("100", state=LOST, closed_at=day(9)),
            dispute("100", ("30", day(20)), state=LOST, closed_at=day(20)),
        ],
        "REFUNDED",
    ),
    "returned early, then lost, then won": (
        [
            dispute("100", TAKEN),
            dispute("100", ("100", day(6))),
            dispute("100", ("-100", day(9)), state=LOST, closed_at=day(9)),
            dispute("100", ("100", day(20)), state=WON, closed_at=day(20)),
        ],
        "SUCCEEDED",
    ),
    "lost and partly returned in the same second": (
        [
            dispute("100", TAKEN),
            dispute("100", ("-100", day(9)), ("60", day(9)), state=LOST, closed_at=day(9)),
            dispute("100", ("100", day(9)), state=LOST, closed_at=day(9)),
        ],
        "PARTIALLY_REFUNDED",
    ),
    "two disputes": (
        [
            dispute("60", ("-60", day(4)), state=LOST, closed_at=day(8)),
            dispute("50", ("-50", day(3)), reference="dp_2"),
            dispute("50", ("50", day(9)), reference="dp_2", state=WON, closed_at=day(9)),
            refund("re_1", "40", created_at=day(7)),
        ],
        "REFUNDED",
    ),
    "canceled": ([], "CANCELED"),
}
numbers = count()
finals: dict[str, dict[str, Any]] = {}
"""What comes of a history in its own order, the same on both databases."""


@pytest.mark.parametrize("name", HISTORIES)
@settings(max_examples=max(4, settings().max_examples // 10))
@given(data=st.data())
async def test_any_order_with_repeats_ends_the_same(
    database: Database, name: str, data: st.DataObject
) -> None:
    books = Books(database, seed=next(numbers))
    history, status = HISTORIES[name]
    before: list[dict[str, Any]] = attempts() if history else [*attempts()[:4], CANCELED]
    steps = range(len(before) + len(history))
    order = data.draw(st.permutations([*steps, *data.draw(st.lists(st.sampled_from(steps)))]))
    cuts = data.draw(st.lists(st.booleans(), min_size=len(order), max_size=len(order)))

    if name not in finals:
        finals[name] = await final(books, before, history, list(steps), [True] * len(steps))
    assert await final(books, before, history, order, cuts) == finals[name]
    assert finals[name]["credit_purchase"][0]["status"] == status


async def final(
    books: Books,
    before: list[dict[str, Any]],
    history: list[Facts],
    order: Sequence[int],
    ends: Sequence[bool],
) -> dict[str, Any]:
    """Tell an account of its own the facts in an order; return what comes of it."""
    account_id = await books.account(f"account-{next(numbers)}", time_zone="Asia/Kathmandu")
    facts = [*(purchase(account_id, **each) for each in before), *history]
    await deliver(books, account_id, [facts[step] for step in order], ends)
    await check_books(books.database, account_id)
    return await image(books.database, account_id)


async def deliver(books: Books, account_id: int, facts: list[Facts], ends: Sequence[bool]) -> None:
    """Record facts; `ends` says after which ones a transaction ends. Facts before their purchase
    are recorded with the next ones.
    """
    batch: list[Facts] = []
    for each, is_end in zip(facts, ends, strict=True):
        batch.append(each)
        if is_end:
            batch = await save_together(books, account_id, *batch)
    while batch:
        batch = await save_together(books, account_id, *parked_last(batch))


def parked_last(facts: list[Facts]) -> list[Facts]:
    return sorted(facts, key=lambda each: not isinstance(each, PurchaseFacts))


async def image(database: Database, account_id: int) -> dict[str, Any]:
    """Return what must not depend on the order: not the ledger's order, nor revisions."""
    found: dict[str, Any] = {}
    tables = ("credit_purchase", "refund", "dispute", "dispute_movement")
    for table in (*tables, "rollup_day", "rollup_slot"):
        rows = await rows_of(database, table, account_id)
        if table.startswith("rollup"):
            rows = [row for row in rows if any(nanos for nanos in amounts(row))]
        rows = [{name: row[name] for name in row if name != "revision"} for row in rows]
        found[table] = sorted(rows, key=lambda row: str(row.get("provider_reference", row)))
    found["sum"] = sum(
        row["amount_nanos"] for row in await rows_of(database, "ledger_entry", account_id)
    )
    found["receipts"] = sorted(
        row["total_nanos"] for row in await rows_of(database, "receipt", account_id)
    )
    return found


def amounts(row: dict[str, Any]) -> list[int]:
    return [value for name, value in row.items() if name.endswith("_nanos")]
