"""Watching a balance over a socket, on both databases."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.billing.credits import adjust_balance
from gateway.principal import Role
from gateway.store import Database, members
from tests.support.books import NOW, Books, usd
from tests.support.facts import START, purchase, refund, tell
from tests.support.live import BALANCE, PURCHASES, Gateway, gateway


@pytest.fixture
async def books(database: Database) -> Books:
    return Books(database)


@pytest.fixture
async def account(books: Books) -> int:
    """Acme's key; Ada owns it, Vic views it."""
    key = await books.account("acme")
    await join(books, key, "ada", Role.OWNER)
    await join(books, key, "vic", Role.VIEWER)
    return key


@pytest.fixture
async def served(database_url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway(database_url, tmp_path / "data", live_recheck_seconds=0.2) as served:
        yield served


async def join(books: Books, account_id: int, subject: str, role: Role) -> None:
    async with books.database.writing() as transaction:
        await members.put(transaction, [account_id], subject, role, NOW)


async def adjust(books: Books, account_id: int, amount: str, key: str) -> None:
    async with books.open([account_id]) as book:
        adjust_balance(book, account_id, usd(amount), source_key=key, occurred_at=NOW)


def told(version: int, cause: str, change: str | None, available: str) -> dict[str, Any]:
    return {
        "data": {
            "balanceUpdated": {
                "version": version,
                "cause": cause,
                "change": change and {"amount": change},
                "balance": {"version": version, "available": {"amount": available}},
            }
        }
    }


async def test_the_balance_comes_first_and_then_each_change(
    served: Gateway, books: Books, account: int
) -> None:
    await adjust(books, account, "5", "a:1")
    async with served.socket("vic") as client:
        await client.subscribe(BALANCE, account)
        assert await client.next() == told(1, "SNAPSHOT", None, "5.00")
        await adjust(books, account, "-1.5", "a:2")
        assert await client.next() == told(2, "ADJUSTMENT", "-1.50", "3.50")
        await tell(books, account, purchase(account, succeeded_at=START))
        # Two entries in one transaction: the last says why.
        assert await client.next() == told(4, "BONUS", "10.00", "113.50")


async def test_purchases_come_as_they_change(served: Gateway, books: Books, account: int) -> None:
    async with served.socket() as client:
        await client.subscribe(PURCHASES, account)
        await client.say({"type": "ping"})
        await tell(books, account, purchase(account, succeeded_at=START), refund("re_1", "40"))
        found = []
        while len(found) < 3 and (not found or found[-1]["refunded"]["amount"] != "40.00"):
            message = await client.hear()
            if message["type"] == "next":
                found.append(message["payload"]["data"]["creditPurchaseUpdated"])
    assert found[-1] == {
        "id": found[0]["id"],
        "status": "PARTIALLY_REFUNDED",
        "amount": {"amount": "100.00"},
        "refunded": {"amount": "40.00"},
        "account": {"name": "Acme"},
    }
