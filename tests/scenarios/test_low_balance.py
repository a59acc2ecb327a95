"""Hearing that a balance is low, on both databases: when it falls, and when the platform says at
what.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.auth.key_store import issue_key
from gateway.billing.credits.posting import adjust_balance
from gateway.billing.ledger.source_key import SourceKey
from gateway.clock import FixedClock
from gateway.ids import encode_global_id
from gateway.principal import Permission, Role
from gateway.store import Database
from tests.scenarios.test_subscriptions import event
from tests.support.books import ACTOR, NOW, Books, usd
from tests.support.live import Gateway, gateway

LOW = (
    "subscription ($account: ID!) { balanceUpdated(accountId: $account)"
    " { version cause change { amount } balance { low } } }"
)


@pytest.fixture
async def books(database: Database) -> Books:
    return Books(database)


@pytest.fixture
async def served(database_url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway(database_url, tmp_path / "data") as served:
        yield served


@pytest.fixture
async def account(books: Books) -> int:
    """Acme's key: it is warned at 50, and has 60."""
    members = [("ada", Role.OWNER)]
    key = await books.account("acme", members=members, low_balance_nanos=usd("50"))
    await adjust(books, key, "60", "a:1")
    return key


async def adjust(books: Books, account_id: int, amount: str, key: str) -> None:
    async with books.open([account_id]) as book:
        adjust_balance(
            book, account_id, usd(amount), source=SourceKey.adjustment(key), occurred_at=NOW
        )


async def put(served: Gateway, books: Books, low: dict[str, Any] | None) -> None:
    """Say of Acme, over HTTP, when its balance is low."""
    async with books.database.writing(ACTOR) as transaction:
        scopes = frozenset({Permission.ACCOUNTS_WRITE, Permission.MEMBERS_WRITE})
        key = await issue_key(
            transaction,
            environment="dev",
            name="platform",
            scopes=scopes,
            actor=ACTOR,
            clock=FixedClock(NOW),
        )
    said = {
        "name": "Acme",
        "currency": "USD",
        "members": [{"subject": "ada", "role": "OWNER"}],
        "lowBalance": low,
    }
    headers = {"Authorization": f"Bearer {key.text}"}
    async with httpx.AsyncClient(base_url=served.url, headers=headers) as http:
        answer = await http.put("/v1/accounts/acme", json=said)
    assert answer.status_code == 200, answer.text


def told(version: int, cause: str, change: str | None, low: str | None) -> dict[str, Any]:
    update = {
        "version": version,
        "cause": cause,
        "change": change and {"amount": change},
        "balance": {"low": low},
    }
    return {"data": {"balanceUpdated": update}}


async def test_a_balance_that_becomes_low_is_told_and_its_end_too(
    served: Gateway, books: Books, account: int
) -> None:
    async with served.socket() as client:
        await client.subscribe(LOW, account)
        assert await client.next() == told(1, "SNAPSHOT", None, None)
        await adjust(books, account, "-10", "a:2")
        assert await client.next() == told(2, "ADJUSTMENT", "-10.00", "MONEY")
        assert await client.next() == told(2, "THRESHOLD", None, "MONEY")
        await adjust(books, account, "4.99", "a:3")
        assert await client.next() == told(3, "ADJUSTMENT", "4.99", "MONEY")
        await adjust(books, account, "0.01", "a:4")
        assert await client.next() == told(4, "ADJUSTMENT", "0.01", None)
        assert await client.next() == told(4, "THRESHOLD", None, None)


async def test_other_thresholds_count_at_once(served: Gateway, books: Books, account: int) -> None:
    async with served.socket() as client:
        await client.subscribe(LOW, account)
        assert await client.next() == told(1, "SNAPSHOT", None, None)
        await put(served, books, {"amount": "60.00", "days": 3})
        assert await client.next() == told(1, "THRESHOLD", None, "MONEY")
        await put(served, books, {"amount": "60.00", "days": 3})
        await put(served, books, None)
        assert await client.next() == told(1, "THRESHOLD", None, None)
        await adjust(books, account, "-60", "a:2")
        assert await client.next() == told(2, "ADJUSTMENT", "-60.00", None)
        await put(served, books, {"days": 3})
        assert await client.next() == told(2, "THRESHOLD", None, "DAYS")


async def test_a_stream_tells_the_change_and_what_it_passed(
    served: Gateway, books: Books, account: int
) -> None:
    body = {"query": LOW, "variables": {"account": encode_global_id("Account", account)}}
    headers = {"Authorization": f"Bearer {served.token('ada')}", "Accept": "text/event-stream"}
    async with (
        httpx.AsyncClient(headers=headers) as http,
        http.stream("POST", f"{served.url}/graphql/stream", json=body) as response,
    ):
        lines = response.aiter_lines()
        assert await event(lines) == ("next", told(1, "SNAPSHOT", None, None))
        await adjust(books, account, "-20", "a:2")
        assert await event(lines) == ("next", told(2, "ADJUSTMENT", "-20.00", "MONEY"))
        assert await event(lines) == ("next", told(2, "THRESHOLD", None, "MONEY"))
