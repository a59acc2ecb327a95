"""Disputes: funds leave, come back or stay away, on both databases."""

import pytest

from gateway.billing.purchases.dispute_state import DisputeFacts
from gateway.errors import BadUserInput
from gateway.models import DisputeStatus
from tests.support.books import Books, usd
from tests.support.facts import (
    day,
    dispute,
    entries,
    purchase,
    refund,
    rows_of,
    save,
    the_purchase,
)
from tests.support.invariants import check_books
from tests.support.tables import all_rows

WON, LOST = DisputeStatus.WON, DisputeStatus.LOST
TAKEN = ("-100", day(4))
RETURNED = ("100", day(9))
WITHDRAWN = dispute("100", TAKEN)
WAS_WON = dispute("100", TAKEN, RETURNED, state=WON, closed_at=day(9))
WAS_LOST = dispute("100", TAKEN, state=LOST, closed_at=day(9))


@pytest.fixture
async def account_id(books: Books) -> int:
    """An account with a settled purchase of 100 and a bonus of 10."""
    account_id = await books.account("acme")
    await save(books, account_id, purchase(account_id, succeeded_at=day(1)))
    return account_id


async def figures(books: Books, account_id: int) -> tuple[str, int, int, int]:
    row = await the_purchase(books.database, account_id)
    await check_books(books.database)
    return (
        row["status"],
        row["refunded_nanos"],
        row["disputed_nanos"],
        row["bonus_reversed_nanos"],
    )


async def test_a_dispute_without_movements_moves_nothing(books: Books, account_id: int) -> None:
    await save(books, account_id, dispute("100"))
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0, 0)
    await save(books, account_id, dispute("100", state=LOST, closed_at=day(9)))
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0, 0)


async def test_withdrawn_funds_are_debited_and_the_bonus_stays(
    books: Books, account_id: int
) -> None:
    await save(books, account_id, WITHDRAWN)
    assert await figures(books, account_id) == ("DISPUTED", usd("100"), usd("100"), 0)
    assert (await entries(books.database, account_id))[2:] == [("DISPUTE", "-100")]


async def test_a_won_dispute_returns_to_succeeded(books: Books, account_id: int) -> None:
    await save(books, account_id, WITHDRAWN, WAS_WON)
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0, 0)
    days = await rows_of(books.database, "rollup_day", account_id)
    assert [row["refunded_nanos"] for row in days] == [0, usd("100"), -usd("100")]


async def test_a_won_dispute_returns_to_partially_refunded(books: Books, account_id: int) -> None:
    await save(books, account_id, refund("re_1", "30"), WITHDRAWN)
    assert await figures(books, account_id) == ("DISPUTED", usd("100"), usd("70"), 0)
    (row,) = await rows_of(books.database, "dispute", account_id)
    assert row["held_nanos"] == usd("70")
    await save(books, account_id, WAS_WON)
    assert await figures(books, account_id) == ("PARTIALLY_REFUNDED", usd("30"), 0, 0)
    (row,) = await rows_of(books.database, "dispute", account_id)
    assert row["held_nanos"] == 0


async def test_a_lost_dispute_is_a_refund_and_takes_the_bonus(
    books: Books, account_id: int
) -> None:
    await save(books, account_id, WITHDRAWN, WAS_LOST)
    assert await figures(books, account_id) == ("REFUNDED", usd("100"), 0, usd("10"))
    assert (await entries(books.database, account_id))[2:] == [
        ("DISPUTE", "-100"),
        ("BONUS", "-10"),
    ]


async def test_a_dispute_of_a_part_leaves_the_rest(books: Books, account_id: int) -> None:
    lost = dispute("40", ("-40", day(4)), state=LOST, closed_at=day(9))
    await save(books, account_id, lost)
    assert await figures(books, account_id) == ("PARTIALLY_REFUNDED", usd("40"), 0, 0)


async def test_a_decision_that_comes_before_the_withdrawal_counts_with_it(
    books: Books, account_id: int
) -> None:
    await save(books, account_id, dispute("100", state=LOST, closed_at=day(9)), WITHDRAWN)
    assert await figures(books, account_id) == ("REFUNDED", usd("100"), 0, usd("10"))


async def test_a_refund_that_comes_after_a_later_dispute_takes_its_share_from_it(
    books: Books, account_id: int
) -> None:
    await save(books, account_id, WITHDRAWN, refund("re_1", "30"))
    assert await figures(books, account_id) == ("DISPUTED", usd("100"), usd("70"), 0)
    assert (await entries(books.database, account_id))[2:] == [
        ("DISPUTE", "-100"),
        ("REFUND", "-30"),
        ("DISPUTE", "30"),
    ]


async def test_two_disputes_take_no_more_than_there_is(books: Books, account_id: int) -> None:
    second = dispute("50", ("-50", day(6)), reference="dp_2")
    await save(books, account_id, dispute("80", ("-80", day(4))), second)
    assert await figures(books, account_id) == ("DISPUTED", usd("100"), usd("100"), 0)
    won = dispute("80", ("-80", day(4)), ("80", day(9)), state=WON, closed_at=day(9))
    await save(books, account_id, won)
    assert await figures(books, account_id) == ("DISPUTED", usd("50"), usd("50"), 0)


async def test_a_repeated_dispute_changes_nothing(books: Books, account_id: int) -> None:
    await save(books, account_id, WITHDRAWN, WAS_LOST)
    before = await all_rows(books.database)
    await save(books, account_id, WAS_LOST, WITHDRAWN, dispute("100"))
    assert await all_rows(books.database) == before


@pytest.mark.parametrize(
    "facts",
    [
        dispute("0", TAKEN),
        dispute("-1", TAKEN),
        dispute("10", state=WON),
        dispute("10", closed_at=day(4)),
    ],
)
async def test_a_dispute_that_makes_no_sense_is_refused(
    books: Books, account_id: int, facts: DisputeFacts
) -> None:
    before = await all_rows(books.database)
    with pytest.raises(BadUserInput, match="A dispute"):
        await save(books, account_id, facts)
    assert await all_rows(books.database) == before
