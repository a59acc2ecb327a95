"""Refunds: kept until their purchase settles, with tax and bonus, on both databases."""

import pytest

from gateway.errors import BadUserInput
from gateway.models import RefundStatus
from tests.support.books import Books, usd
from tests.support.facts import day, entries, purchase, refund, rows_of, save, the_purchase
from tests.support.invariants import check_books
from tests.support.tables import all_rows

PENDING, FAILED, CANCELED = RefundStatus.PENDING, RefundStatus.FAILED, RefundStatus.CANCELED


@pytest.fixture
async def account_id(books: Books) -> int:
    """An account with a settled purchase of 100, 19 tax, a bonus of 10."""
    account_id = await books.account("acme")
    await save(books, account_id, purchase(account_id, succeeded_at=day(1)))
    return account_id


async def test_a_partial_refund_leaves_the_bonus(books: Books, account_id: int) -> None:
    await save(books, account_id, refund("re_1", "30"))
    row = await the_purchase(books.database, account_id)
    assert (row["status"], row["refunded_nanos"]) == ("PARTIALLY_REFUNDED", usd("30"))
    assert row["bonus_reversed_nanos"] == 0
    assert (await entries(books.database, account_id))[2:] == [("REFUND", "-30")]
    await check_books(books.database)


async def test_the_refund_that_takes_the_last_money_takes_the_bonus(
    books: Books, account_id: int
) -> None:
    await save(books, account_id, refund("re_1", "30"), refund("re_2", "70", created_at=day(9)))
    row = await the_purchase(books.database, account_id)
    assert (row["status"], row["bonus_reversed_nanos"]) == ("REFUNDED", usd("10"))
    assert (await entries(books.database, account_id))[2:] == [
        ("REFUND", "-30"),
        ("REFUND", "-70"),
        ("BONUS", "-10"),
    ]
    refunds = await rows_of(books.database, "refund", account_id)
    assert [each["bonus_reversed_nanos"] for each in refunds] == [0, usd("10")]
    days = await rows_of(books.database, "rollup_day", account_id)
    assert [(each["refunded_nanos"], each["bonus_nanos"]) for each in days] == [
        (0, usd("10")),
        (usd("30"), 0),
        (usd("70"), -usd("10")),
    ]
    await check_books(books.database)


async def test_a_repeated_refund_changes_nothing(books: Books, account_id: int) -> None:
    await save(books, account_id, refund("re_1", "30"))
    before = await all_rows(books.database)
    await save(books, account_id, refund("re_1", "30"), refund("re_1", "30", status=PENDING))
    assert await all_rows(books.database) == before


async def test_a_refund_without_effect_is_only_kept(books: Books, account_id: int) -> None:
    before = await rows_of(books.database, "ledger_entry", account_id)
    for number, status in enumerate((PENDING, FAILED, CANCELED)):
        await save(books, account_id, refund(f"re_{number}", "100", status=status))
    assert await rows_of(books.database, "ledger_entry", account_id) == before
    refunds = await rows_of(books.database, "refund", account_id)
    assert {(each["settled_at"], each["tax_nanos"]) for each in refunds} == {(None, 0)}


async def test_a_refund_that_the_bank_returns_gives_everything_back(
    books: Books, account_id: int
) -> None:
    await save(books, account_id, refund("re_1", "30"), refund("re_2", "70", created_at=day(9)))
    returned = refund("re_1", "30", status=FAILED, failure_reason="account closed")
    await save(books, account_id, returned)
    row = await the_purchase(books.database, account_id)
    assert (row["status"], row["refunded_nanos"]) == ("PARTIALLY_REFUNDED", usd("70"))
    assert row["bonus_reversed_nanos"] == 0
    # Corrections are entries of their own, on the days of what they correct.
    assert (await entries(books.database, account_id))[5:] == [("REFUND", "30"), ("BONUS", "10")]
    again = refund("re_3", "30", created_at=day(10))
    await save(books, account_id, again, returned)
    assert (await the_purchase(books.database, account_id))["status"] == "REFUNDED"
    await check_books(books.database)


async def test_a_bonus_may_be_reversed_returned_and_reversed_again(
    books: Books, account_id: int
) -> None:
    await save(books, account_id, refund("re_1", "30"), refund("re_2", "70", created_at=day(9)))
    await save(books, account_id, refund("re_1", "30", status=FAILED))
    await save(books, account_id, refund("re_3", "30", created_at=day(2)))
    bonuses = [each for each in await entries(books.database, account_id) if each[0] == "BONUS"]
    assert [amount for _, amount in bonuses] == ["10", "-10", "10", "-10"]
    await check_books(books.database)


async def test_a_refund_before_its_success_is_kept_until_then(books: Books) -> None:
    account_id = await books.account("acme")
    await save(books, account_id, purchase(account_id), refund("re_1", "30"))
    assert await rows_of(books.database, "ledger_entry", account_id) == []
    await save(books, account_id, purchase(account_id, succeeded_at=day(1)))
    assert await entries(books.database, account_id) == [
        ("PURCHASE", "100"),
        ("BONUS", "10"),
        ("REFUND", "-30"),
    ]
    (row,) = await rows_of(books.database, "refund", account_id)
    assert row["settled_at"] == day(3)
    await check_books(books.database)


@pytest.mark.parametrize("amount", ["0", "-1", "100.000000001"])
async def test_a_refund_of_nothing_or_of_more_than_was_paid_is_refused(
    books: Books, account_id: int, amount: str
) -> None:
    before = await all_rows(books.database)
    with pytest.raises(BadUserInput, match="refund"):
        await save(books, account_id, refund("re_1", amount))
    assert await all_rows(books.database) == before


async def test_refunds_together_are_not_more_than_the_purchase(
    books: Books, account_id: int
) -> None:
    await save(books, account_id, refund("re_1", "99.5"))
    before = await all_rows(books.database)
    with pytest.raises(BadUserInput, match="must not exceed"):
        await save(books, account_id, refund("re_2", "0.6"))
    assert await all_rows(books.database) == before


async def test_the_refunds_tax_adds_up_to_the_purchases(books: Books) -> None:
    account_id = await books.account("acme")
    odd = {"amount": 7, "tax": 5, "bonus": 0}
    await save(books, account_id, purchase(account_id, succeeded_at=day(1), **odd))
    nano = "0.000000001"
    for number in range(7):
        await save(books, account_id, refund(f"re_{number}", nano, created_at=day(number)))
        if number == 2:
            await save(books, account_id, refund("re_1", nano, status=FAILED))
    await save(books, account_id, refund("re_7", nano, created_at=day(8)))
    rows = await rows_of(books.database, "refund", account_id)
    assert sum(row["tax_nanos"] for row in rows if row["settled_at"]) == 5
    assert all(row["tax_nanos"] in {0, 1} for row in rows)
    assert (await the_purchase(books.database, account_id))["status"] == "REFUNDED"
    await check_books(books.database)
