"""Credit that nobody paid for, corrections, and many writers at once, on both databases."""

import asyncio

import pytest

from gateway.billing.credits.posting import adjust_balance, grant_credit
from gateway.billing.ledger.source_key import SourceKey
from gateway.billing.usage.recording import UsageResult, record_usage
from gateway.billing.usage.usage_record import UsageRecord
from gateway.errors import BadUserInput
from gateway.models import CreditPurchaseKind
from gateway.money import MAX_NANOS
from tests.gateway.billing.usage.test_recording import event
from tests.support.books import NOW, Books, usd
from tests.support.facts import day, entries, purchase, rows_of, save
from tests.support.invariants import check_books
from tests.support.tables import all_rows, table_rows


async def grant(books: Books, account_id: int, amount: int, currency: str = "USD") -> None:
    async with books.open([account_id]) as book:
        kind = CreditPurchaseKind.TRIAL_GRANT
        grant_credit(book, account_id, kind, amount, currency=currency, occurred_at=NOW)


async def balance(books: Books) -> tuple[int, int]:
    (account,) = await table_rows(books.database, "account")
    return account["balance_nanos"], account["ledger_version"]


async def test_a_grant_is_a_settled_purchase_of_bonus(books: Books) -> None:
    account_id = await books.account("acme")
    await grant(books, account_id, usd("25"))
    (row,) = await rows_of(books.database, "credit_purchase", account_id)
    assert (row["kind"], row["status"], row["settled_at"]) == ("TRIAL_GRANT", "SUCCEEDED", NOW)
    assert await entries(books.database, account_id) == [("BONUS", "25")]
    await check_books(books.database)


@pytest.mark.parametrize(("amount", "currency"), [(0, "USD"), (-1, "USD"), (1, "EUR")])
async def test_a_grant_that_is_not_allowed_leaves_nothing(
    books: Books, amount: int, currency: str
) -> None:
    account_id = await books.account("acme")
    before = await all_rows(books.database)
    with pytest.raises(BadUserInput):
        await grant(books, account_id, amount, currency)
    assert await all_rows(books.database) == before


async def test_an_adjustment_has_a_sign_and_may_leave_the_balance_negative(books: Books) -> None:
    account_id = await books.account("acme")
    async with books.open([account_id]) as book:
        version = adjust_balance(
            book,
            account_id,
            -usd("3.5"),
            source=SourceKey.adjustment("support:1"),
            occurred_at=day(1),
        )
    assert (version, await balance(books)) == (1, (-usd("3.5"), 1))
    (rollup,) = await rows_of(books.database, "rollup_day", account_id)
    assert rollup["adjusted_nanos"] == -usd("3.5")


async def test_usage_is_booked_without_credit(books: Books) -> None:
    account_id = await books.account("acme")
    await save(books, account_id, purchase(account_id, succeeded_at=day(1)))
    async with books.open([account_id]) as book:
        await record_usage(book, [event(account_id, "1", amount=usd("500"))])
    assert await balance(books) == (-usd("390"), 3)
    await check_books(books.database)


async def test_a_sum_beyond_64_bits_is_refused_and_leaves_nothing(books: Books) -> None:
    account_id = await books.account("acme")
    async with books.open([account_id]) as book:
        adjust_balance(
            book, account_id, -MAX_NANOS, source=SourceKey.adjustment("a"), occurred_at=day(1)
        )
    before = await all_rows(books.database)
    with pytest.raises(BadUserInput, match="must be from"):
        async with books.open([account_id]) as book:
            await record_usage(book, [event(account_id, "1", amount=1)])
    assert await all_rows(books.database) == before


async def test_a_lifetime_spend_beyond_64_bits_is_refused_and_leaves_nothing(books: Books) -> None:
    account_id = await books.account("acme")
    half = MAX_NANOS // 2 + 1
    await spend_and_adjust(books, account_id, event(account_id, "1", amount=half))
    before = await all_rows(books.database)
    another = event(account_id, "2", amount=half, started_at=day(1), ended_at=day(1))
    with pytest.raises(BadUserInput, match="must be from"):
        await spend_and_adjust(books, account_id, another)
    assert await all_rows(books.database) == before


async def spend_and_adjust(books: Books, account_id: int, charge: UsageRecord) -> None:
    """Record a charge and give it back, so that the balance stays small."""
    async with books.open([account_id]) as book:
        key = f"gift:{charge.event_id}"
        adjust_balance(
            book,
            account_id,
            charge.amount,
            source=SourceKey.adjustment(key),
            occurred_at=charge.started_at,
        )
        await record_usage(book, [charge])


async def test_a_hundred_grants_at_once_add_up(books: Books) -> None:
    account_id = await books.account("acme")
    await asyncio.gather(*(grant(books, account_id, number) for number in range(1, 101)))
    assert await balance(books) == (5050, 100)
    await check_books(books.database)


async def test_twenty_deliveries_of_a_batch_at_once_count_once(books: Books) -> None:
    account_id = await books.account("acme")
    batch = [event(account_id, str(number)) for number in range(10)]
    results = await asyncio.gather(*(deliver(books, account_id, batch) for _ in range(20)))
    assert sorted(result.accepted for result in results) == [0] * 19 + [10]
    assert sum(result.duplicates for result in results) == 190
    assert await balance(books) == (-10 * usd("0.000432"), 1)
    await check_books(books.database)


async def deliver(books: Books, account_id: int, batch: list[UsageRecord]) -> UsageResult:
    async with books.open([account_id]) as book:
        return await record_usage(book, batch)


async def test_twenty_deliveries_of_a_payment_at_once_count_once(books: Books) -> None:
    account_id = await books.account("acme")
    settled = purchase(account_id, succeeded_at=day(1))
    await asyncio.gather(*(save(books, account_id, settled) for _ in range(20)))
    assert await balance(books) == (usd("110"), 2)
    await check_books(books.database)


async def test_writers_that_share_accounts_never_wait_for_each_other_in_a_circle(
    books: Books,
) -> None:
    ids = [await books.account(name) for name in ("a", "b", "c")]

    async def both(number: int) -> None:
        order = ids if number % 2 else ids[::-1]
        async with books.open(order) as book:
            for account_id in order:
                key = f"move:{number}"
                adjust_balance(
                    book, account_id, 1, source=SourceKey.adjustment(key), occurred_at=day(1)
                )

    await asyncio.gather(*(both(number) for number in range(30)))
    rows = await table_rows(books.database, "account")
    assert [row["balance_nanos"] for row in rows] == [30, 30, 30]
    await check_books(books.database)
