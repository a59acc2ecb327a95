"""How a refund's money is divided into credit and tax."""

from typing import Any

import pytest

from gateway.providers.stripe.inbox import Inbox
from gateway.store import Database
from tests.support.books import Books, usd
from tests.support.facts import rows_of, the_purchase
from tests.support.invariants import check_books
from tests.support.stripe import BEGIN, charge, event, intent, parsed, refund

PAID = [
    event("charge.succeeded", charge(), at=61),
    event("payment_intent.succeeded", intent(status="succeeded"), at=62),
]


@pytest.fixture
async def books(database: Database) -> Books:
    return Books(database)


async def tell(books: Books, *events: dict[str, Any]) -> None:
    inbox = Inbox(books.database, books.clock, test_mode=False)
    for each in events:
        await inbox.take(parsed(each))
    await check_books(books.database)


def at(hour: int, **changes: Any) -> dict[str, Any]:
    """Return an event of a refund that was made at an hour."""
    made = refund(created=BEGIN + hour * 3_600, **changes)
    return event("refund.updated", made, at=hour * 3_600, event_id=f"evt_{hour}")


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (0, 3, 2, 1), (2, 3, 0, 1)])
async def test_refunds_that_failed_leave_no_trace_in_others(
    books: Books, order: tuple[int, ...]
) -> None:
    account_id = await books.account("acme")
    gone = [at(n, amount=1_234, status=s) for n, s in enumerate(("pending", "succeeded", "failed"))]
    events = [*gone, at(9, id="re_2", amount=77)]
    await tell(books, *PAID, *(events[place] for place in order))
    row = await the_purchase(books.database, account_id)
    # The tax in it is 0.77 x 19 / 119 = 0.1229.
    assert (row["status"], row["refunded_nanos"]) == ("PARTIALLY_REFUNDED", usd("0.65"))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
async def test_the_last_of_the_money_takes_all_that_is_left(
    books: Books, order: tuple[int, ...]
) -> None:
    account_id = await books.account("acme")
    amounts = enumerate((77, 1, 11_822))
    events = [at(n, id=f"re_{n}", amount=amount) for n, amount in amounts]
    await tell(books, *PAID, *(events[place] for place in order))
    row = await the_purchase(books.database, account_id)
    assert (row["status"], row["refunded_nanos"]) == ("REFUNDED", usd("100"))
    rows = await rows_of(books.database, "refund", account_id)
    assert sum(each["tax_nanos"] for each in rows) == usd("19")
    assert all(each["amount_nanos"] > 0 and each["tax_nanos"] >= 0 for each in rows)


@pytest.mark.parametrize("status", ["pending", "failed"])
async def test_a_refund_without_effect_shows_its_money(books: Books, status: str) -> None:
    account_id = await books.account("acme")
    await tell(books, *PAID, at(24, status=status))
    (row,) = await rows_of(books.database, "refund", account_id)
    assert (row["amount_nanos"], row["tax_nanos"]) == (usd("50"), usd("9.5"))
    assert (await the_purchase(books.database, account_id))["refunded_nanos"] == 0
