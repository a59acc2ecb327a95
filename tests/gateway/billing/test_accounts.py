"""Accounts: put once or often, by one or many at a time, on both databases."""

import asyncio
from typing import Any

import pytest

from gateway.billing.usage.recording import record_usage
from gateway.errors import BadUserInput, Conflict, NotFound
from gateway.principal import Role
from tests.gateway.billing.usage.test_recording import event
from tests.support.books import NOW, Books
from tests.support.facts import day, purchase, refund, rows_of, save
from tests.support.invariants import check_books
from tests.support.tables import all_rows, table_rows


async def test_a_new_account_has_nothing_and_its_members(books: Books) -> None:
    members = [("ada", Role.OWNER), ("bob", Role.VIEWER)]
    account_id = await books.account("acme", members=members, low_balance_days=7)
    (row,) = await table_rows(books.database, "account")
    assert row | {"receipt_prefix": None} == {
        "account_id": account_id,
        "external_id": "acme",
        "name": "Acme",
        "currency": "USD",
        "time_zone": "UTC",
        "pending_time_zone": None,
        "receipt_prefix": None,
        "stripe_customer_id": None,
        "billing": None,
        "balance_nanos": 0,
        "ledger_version": 0,
        "balance_at": NOW,
        "low_balance": "DAYS",
        "low_balance_nanos": None,
        "low_balance_days": 7,
        "deployment_count": 0,
        "revision": 1,
        "created_at": NOW,
    }
    found = await rows_of(books.database, "account_member", account_id)
    assert [(each["subject"], each["role"]) for each in found] == [
        ("ada", "OWNER"),
        ("bob", "VIEWER"),
    ]


async def test_the_same_facts_again_change_nothing(books: Books) -> None:
    facts: dict[str, Any] = {"members": [("ada", Role.OWNER)], "stripe_customer_id": "cus_1"}
    account_id = await books.account("acme", **facts)
    before = await all_rows(books.database)
    assert await books.account("acme", **facts) == account_id
    assert await all_rows(books.database) == before


async def test_members_are_replaced_and_rows_of_money_stay(books: Books) -> None:
    account_id = await books.account("acme", members=[("ada", Role.OWNER)])
    await save(books, account_id, purchase(account_id, succeeded_at=day(1)))
    money = ("credit_purchase", "ledger_entry", "receipt", "rollup_day")
    before = [await table_rows(books.database, table) for table in money]
    await books.account("acme", members=[("bob", Role.BILLING)])
    (member,) = await rows_of(books.database, "account_member", account_id)
    assert (member["subject"], member["role"]) == ("bob", "BILLING")
    assert [await table_rows(books.database, table) for table in money] == before


async def test_another_zone_derives_the_days_of_all_flows_again(books: Books) -> None:
    account_id = await books.account("acme")
    await save(
        books,
        account_id,
        purchase(account_id, succeeded_at=day(1)),
        refund("re_1", "30"),
    )
    async with books.open([account_id]) as book:
        await record_usage(book, [event(account_id, "1"), event(account_id, "2")])
    for time_zone in ("Pacific/Apia", "America/New_York", "Asia/Kathmandu", "UTC"):
        await books.account("acme", time_zone=time_zone)
        await check_books(books.database)


@pytest.mark.parametrize(
    "facts",
    [
        {"currency": "XXX"},
        {"currency": "usd"},
        {"time_zone": "Mars/Olympus"},
        {"name": ""},
        {"name": "n" * 201},
        {"stripe_customer_id": ""},
        {"members": [("", Role.OWNER)]},
        {"members": [("s" * 256, Role.OWNER)]},
        {"members": [("ada", Role.OWNER), ("ada", Role.VIEWER)]},
        {"low_balance_days": 0},
        {"low_balance_days": 2**31},
        {"low_balance_nanos": 2**63},
    ],
)
async def test_what_is_not_allowed_is_refused_and_leaves_nothing(
    books: Books, facts: dict[str, Any]
) -> None:
    before = await all_rows(books.database)
    with pytest.raises(BadUserInput):
        await books.account("acme", **facts)
    assert await all_rows(books.database) == before


async def test_the_currency_cannot_change_once_there_is_a_purchase(books: Books) -> None:
    account_id = await books.account("acme")
    await save(books, account_id, purchase(account_id))
    with pytest.raises(Conflict, match="currency is USD"):
        await books.account("acme", currency="EUR")


async def test_a_stripe_customer_belongs_to_one_account(books: Books) -> None:
    await books.account("acme", stripe_customer_id="cus_1")
    with pytest.raises(Conflict, match="another account"):
        await books.account("other", stripe_customer_id="cus_1")
    await books.account("other", stripe_customer_id="cus_2")
    with pytest.raises(Conflict, match="another account"):
        await books.account("other", stripe_customer_id="cus_1")


async def test_an_account_put_by_many_at_once_is_one(books: Books) -> None:
    puts = (books.account("acme", members=[("ada", Role.OWNER)]) for _ in range(20))
    found = set(await asyncio.gather(*puts))
    (row,) = await table_rows(books.database, "account")
    assert found == {row["account_id"]}
    assert len(await table_rows(books.database, "account_member")) == 1


async def test_a_book_of_an_account_that_is_not_there_is_refused(books: Books) -> None:
    account_id = await books.account("acme")
    with pytest.raises(NotFound):
        async with books.open([account_id, account_id + 1]):
            pytest.fail("it was opened")


async def test_a_book_of_no_account_closes(books: Books) -> None:
    async with books.open([]) as book:
        assert book.accounts == {}
