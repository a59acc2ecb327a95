"""Watching a balance over a socket, on both databases."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from graphql import print_ast

from gateway.auth.key_store import issue_key
from gateway.billing.credits.posting import adjust_balance
from gateway.billing.ledger.source_key import SourceKey
from gateway.clock import FixedClock
from gateway.ids import encode_global_id
from gateway.principal import Permission, Role
from gateway.store import Database, accounts, api_keys
from tests.support.books import ACTOR, NOW, Books, usd
from tests.support.contract import operations
from tests.support.edge import eventually
from tests.support.facts import START, purchase, refund, save
from tests.support.live import BALANCE, PURCHASES, Client, Gateway, gateway
from tests.support.patience import PATIENCE_SECONDS
from tests.support.raw import execute
from tests.support.tables import table_rows


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
    async with gateway(
        database_url, tmp_path / "data", live_recheck_seconds=0.2, stop_grace_seconds=30
    ) as served:
        yield served


async def join(books: Books, account_id: int, subject: str, role: Role) -> None:
    async with books.database.writing(ACTOR) as transaction:
        await accounts.put_member(transaction, [account_id], subject, role, NOW)


async def adjust(books: Books, account_id: int, amount: str, key: str) -> None:
    async with books.open([account_id]) as book:
        adjust_balance(
            book, account_id, usd(amount), source=SourceKey.adjustment(key), occurred_at=NOW
        )


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
        await save(books, account, purchase(account, succeeded_at=START))
        # Two entries in one transaction: the last says why.
        assert await client.next() == told(4, "BONUS", "10.00", "113.50")


async def test_a_subscription_costs_points_once(
    served: Gateway, books: Books, account: int
) -> None:
    points = served.app.state.operations.quotas.points
    points._buckets._now = lambda: 1_000.0  # none come back
    async with served.socket("vic") as client:
        await client.subscribe(BALANCE, account)
        await client.next()
        left = points.left("person:vic")
        assert points.most - 5 < left < points.most
        await adjust(books, account, "5", "a:1")
        await client.next()
        assert points.left("person:vic") == left
        await points.take("person:vic", left)
        await client.subscribe(BALANCE, account, "2")
        refused = await client.hear()
        assert (refused["type"], refused["id"]) == ("error", "2")
        assert refused["payload"][0]["extensions"]["code"] == "THROTTLED"
        await adjust(books, account, "5", "a:2")
        assert (await client.next())["data"]["balanceUpdated"]["version"] == 2


async def test_changed_purchases_are_pushed(served: Gateway, books: Books, account: int) -> None:
    async with served.socket() as client:
        await client.subscribe(PURCHASES, account)
        await served.watched_by(1)
        await save(books, account, purchase(account, succeeded_at=START), refund("re_1", "40"))
        found: list[Any] = []
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


async def test_subscriptions_of_the_contract_are_answered(
    served: Gateway, books: Books, account: int
) -> None:
    async with served.socket() as client:
        for name, document in operations(subscriptions=True).items():
            if name in {"BalanceUpdated", "CreditPurchaseUpdated"}:
                await client.subscribe(print_ast(document), account, name)
        first = await client.next("BalanceUpdated")
        assert first["data"]["balanceUpdated"]["balance"]["runway"]["status"]
        await served.watched_by(2)
        await save(books, account, purchase(account))
        told_of = await client.next("CreditPurchaseUpdated")
    assert told_of["data"]["creditPurchaseUpdated"]["status"] == "PENDING"
    assert "errors" not in told_of


async def error_code(client: Client) -> str:
    message = await client.hear()
    assert message["type"] == "error"
    return str(message["payload"][0]["extensions"]["code"])


async def test_a_removed_member_gets_no_more_updates(
    served: Gateway, books: Books, account: int
) -> None:
    async with served.socket() as client:
        await client.subscribe(BALANCE, account)
        await client.next()
        await replace_members(books, account, ("vic", Role.VIEWER))
        assert await error_code(client) == "NOT_FOUND"
        await client.subscribe(BALANCE, account)
        assert await error_code(client) == "NOT_FOUND"
        assert served.count("gateway_subscriptions") == 0


async def test_a_changed_role_ends_the_subscription(
    served: Gateway, books: Books, account: int
) -> None:
    async with served.socket() as client:
        await client.subscribe(PURCHASES, account)
        await replace_members(books, account, ("ada", Role.VIEWER))
        assert await error_code(client) == "FORBIDDEN"
        await client.subscribe(PURCHASES, account)
        assert await error_code(client) == "FORBIDDEN"


async def replace_members(books: Books, account_id: int, *those: tuple[str, Role]) -> None:
    async with books.database.writing(ACTOR) as transaction:
        await accounts.replace_members(transaction, account_id, dict(those), NOW)


async def test_a_viewer_does_not_see_purchases_through_a_balance_shared_with_owners(
    served: Gateway, account: int
) -> None:
    async with served.socket("ada") as ada, served.socket("vic") as vic:
        await ada.subscribe(PURCHASES, account)
        await vic.subscribe(PURCHASES, account)
        assert await error_code(vic) == "FORBIDDEN"


async def test_each_event_has_a_fresh_read(served: Gateway, books: Books, account: int) -> None:
    async with served.socket() as client:
        await client.subscribe(PURCHASES, account)
        await served.watched_by(1)
        await books.account("acme", name="Acme & Sons", members=[("ada", Role.OWNER)])
        await save(books, account, purchase(account))
        payload = await client.next()
    assert payload["data"]["creditPurchaseUpdated"]["account"] == {"name": "Acme & Sons"}


async def test_a_slow_reader_gets_the_latest(served: Gateway, books: Books, account: int) -> None:
    async with served.socket() as client:
        await client.subscribe(BALANCE, account)
        await client.next()
        for number in range(1, 21):
            await adjust(books, account, "1", f"a:{number}")
        versions = [0]
        while versions[-1] < 20:
            versions.append((await client.next())["data"]["balanceUpdated"]["version"])
    assert versions == sorted(set(versions))


async def test_all_subscribers_get_the_same_bytes(
    served: Gateway, books: Books, account: int
) -> None:
    async with served.socket("ada") as ada, served.socket("vic") as vic:
        for number in range(3):
            await ada.subscribe(BALANCE, account, str(number))
            await ada.next(str(number))
        await vic.subscribe(BALANCE, account)
        await vic.next()
        assert served.count("gateway_subscriptions") == 4
        await adjust(books, account, "2", "a:1")
        expected = told(1, "ADJUSTMENT", "2.00", "2.00")
        assert [(await ada.hear())["payload"] for _ in range(3)] == [expected] * 3
        assert await vic.next() == expected
        await ada.send({"type": "complete", "id": "0"})
        await eventually(lambda: served.count("gateway_subscriptions") == 3)
    await eventually(lambda: served.count("gateway_subscriptions") == 0)


async def test_a_socket_reads_afresh_for_each_operation(
    served: Gateway, books: Books, account: int
) -> None:
    query = "query ($account: ID!) { account(id: $account) { name } }"
    async with served.socket() as client:
        for name in ("Acme", "Acme & Sons"):
            await books.account("acme", name=name, members=[("ada", Role.OWNER)])
            await client.subscribe(query, account)
            assert (await client.next())["data"] == {"account": {"name": name}}
            assert (await client.hear())["type"] == "complete"


async def test_subscriptions_of_a_principal_and_a_process_are_limited(
    database_url: str, account: int, tmp_path: Path
) -> None:
    limits = {"live_subscriptions": 2, "live_process_subscriptions": 3}
    async with (
        gateway(database_url, tmp_path / "data", **limits) as served,
        served.socket("ada") as ada,
        served.socket("ada") as again,
        served.socket("vic") as vic,
    ):
        await ada.subscribe(BALANCE, account)
        await again.subscribe(BALANCE, account)
        await ada.next()
        await again.next()
        await ada.subscribe(BALANCE, account, "2")
        assert await error_code(ada) == "TOO_MANY_SUBSCRIPTIONS"
        await vic.subscribe(BALANCE, account)
        await vic.next()
        await vic.subscribe(BALANCE, account, "2")
        assert await error_code(vic) == "TOO_MANY_SUBSCRIPTIONS"
        await again.send({"type": "complete", "id": "1"})
        await served.watched_by(2)
        await ada.subscribe(BALANCE, account, "2")
        await ada.next("2")


HELD = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state LIKE 'idle in transaction%'"""


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_waiting_subscription_holds_no_connection(
    database_url: str, account: int, tmp_path: Path
) -> None:
    small = {"database_pool_size": 2, "database_pool_wait_seconds": 2}
    async with (
        gateway(database_url, tmp_path / "data", **small) as served,
        served.socket() as client,
        httpx.AsyncClient(headers={"Authorization": f"Bearer {served.token('ada')}"}) as http,
    ):
        for number in range(20):
            await client.subscribe(BALANCE, account, str(number))
            await client.next(str(number))
        # The transaction of a read ends soon after it.
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await execute(database_url, HELD) != [(0,)]:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.05)
        query = {"query": "{ viewer { accounts { nodes { name } } } }"}
        answer = await http.post(f"{served.url}/graphql", json=query)
    assert answer.json()["data"]["viewer"]["accounts"]["nodes"] == [{"name": "Acme"}]


async def test_metrics_count_live_updates(served: Gateway, books: Books, account: int) -> None:
    await eventually(lambda: served.count("gateway_live_listening") == 1)
    async with served.socket("ada") as ada, served.socket("vic") as vic:
        for client in (ada, vic):
            await client.subscribe(BALANCE, account)
            await client.next()
        # An owner and a viewer do not get the same.
        assert served.count("gateway_live_groups") == 2
        pushed = served.count("gateway_live_pushes_total")
        await adjust(books, account, "2", "a:1")
        assert await ada.next() == await vic.next()
        assert served.count("gateway_live_pushes_total") == pushed + 2
    async with httpx.AsyncClient() as http:
        text = (await http.get(f"{served.url}/metrics")).text
    assert "# TYPE gateway_live_resyncs_total counter" in text


async def test_a_revoked_key_closes_its_socket(served: Gateway, books: Books, account: int) -> None:
    async with books.database.writing(ACTOR) as transaction:
        scopes = frozenset({Permission.BILLING_READ})
        key = await issue_key(
            transaction,
            environment="dev",
            name="watcher",
            scopes=scopes,
            actor=ACTOR,
            clock=FixedClock(NOW),
        )
    async with served.connect() as connection:
        client = Client(connection)
        await client.send(
            {"type": "connection_init", "payload": {"Authorization": f"Bearer {key.text}"}}
        )
        assert await client.hear() == {"type": "connection_ack"}
        await client.subscribe(BALANCE, account)
        await client.next()
        async with books.database.writing(ACTOR) as transaction:
            await api_keys.revoke(transaction, key.id, NOW)
        assert await client.closed() == (4403, "credential revoked")
    await eventually(lambda: served.count("gateway_subscriptions") == 0)


async def test_subscriptions_of_a_platform_key_are_audited_as_they_begin(
    served: Gateway, books: Books, account: int
) -> None:
    async with books.database.writing(ACTOR) as transaction:
        key = await issue_key(
            transaction,
            environment="dev",
            name="watcher",
            scopes=frozenset({Permission.BILLING_READ}),
            actor=ACTOR,
            clock=FixedClock(NOW),
        )
    bearer = {"Authorization": f"Bearer {key.text}"}
    body = {"query": BALANCE, "variables": {"account": encode_global_id("Account", account)}}
    async with (
        served.connect() as connection,
        httpx.AsyncClient(headers=bearer | {"Accept": "text/event-stream"}) as http,
        http.stream("POST", f"{served.url}/graphql/stream", json=body),
    ):
        client = Client(connection)
        await client.send({"type": "connection_init", "payload": bearer})
        assert await client.hear() == {"type": "connection_ack"}
        await client.subscribe(BALANCE, account)
        await client.next()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                rows = await table_rows(books.database, "audit_event")
                reads = [row for row in rows if row["deed"] == "data.read"]
                if len(reads) == 2:
                    break
                await asyncio.sleep(0.1)
    assert {(row["actor"], row["account_id"], row["result"]) for row in reads} == {
        (key.id, account, "DONE")
    }
    assert {row["target"] for row in reads} == {"/graphql", "/graphql/stream"}


async def test_a_stream_sends_the_same_as_a_socket(
    served: Gateway, books: Books, account: int
) -> None:
    body = {"query": BALANCE, "variables": {"account": encode_global_id("Account", account)}}
    headers = {"Authorization": f"Bearer {served.token('ada')}", "Accept": "text/event-stream"}
    async with (
        httpx.AsyncClient(headers=headers) as http,
        http.stream("POST", f"{served.url}/graphql/stream", json=body) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        lines = response.aiter_lines()
        assert await event(lines) == ("next", told(0, "SNAPSHOT", None, "0.00"))
        await adjust(books, account, "3", "a:1")
        assert await event(lines) == ("next", told(1, "ADJUSTMENT", "3.00", "3.00"))
        assert served.count("gateway_subscriptions") == 1
    await eventually(lambda: served.count("gateway_subscriptions") == 0)


async def test_a_stream_ends_with_the_membership(
    served: Gateway, books: Books, account: int
) -> None:
    body = {"query": BALANCE, "variables": {"account": encode_global_id("Account", account)}}
    headers = {"Authorization": f"Bearer {served.token('ada')}"}
    async with (
        httpx.AsyncClient(headers=headers) as http,
        http.stream("POST", f"{served.url}/graphql/stream", json=body) as response,
    ):
        lines = response.aiter_lines()
        await event(lines)
        await replace_members(books, account)
        kind, payload = await event(lines)
        assert (kind, payload["errors"][0]["extensions"]) == ("next", {"code": "NOT_FOUND"})
        assert await event(lines) == ("complete", None)
        assert [line async for line in lines if line] == []


async def test_a_stop_ends_streams(served: Gateway, account: int) -> None:
    body = {"query": BALANCE, "variables": {"account": encode_global_id("Account", account)}}
    headers = {"Authorization": f"Bearer {served.token('ada')}"}
    async with (
        httpx.AsyncClient(headers=headers) as http,
        http.stream("POST", f"{served.url}/graphql/stream", json=body) as response,
    ):
        lines = response.aiter_lines()
        await event(lines)
        served.server.should_exit = True
        async with asyncio.timeout(3):
            assert [line async for line in lines if line] == []


@pytest.mark.parametrize(
    ("query", "token", "accept", "status", "code"),
    [
        ("{ viewer { __typename } }", None, "*/*", 401, "UNAUTHENTICATED"),
        ("{", "ada", "*/*", 400, "GRAPHQL_PARSE_FAILED"),
        ("{ viewer { __typename } }", "ada", "application/json", 406, "BAD_REQUEST"),
        (BALANCE, "bob", "*/*", 404, "NOT_FOUND"),
        (PURCHASES, "vic", "*/*", 403, "FORBIDDEN"),
    ],
)
async def test_a_refused_stream_does_not_start(
    served: Gateway,
    account: int,
    query: str,
    token: str | None,
    accept: str,
    status: int,
    code: str,
) -> None:
    headers = {"Accept": accept}
    if token:
        headers["Authorization"] = f"Bearer {served.token(token)}"
    body = {"query": query, "variables": {"account": encode_global_id("Account", account)}}
    async with httpx.AsyncClient(headers=headers) as http:
        response = await http.post(f"{served.url}/graphql/stream", json=body)
    assert response.status_code == status
    assert response.json()["errors"][0]["extensions"]["code"] == code


async def test_a_query_is_a_stream_of_one(served: Gateway) -> None:
    headers = {"Authorization": f"Bearer {served.token('ada')}"}
    async with httpx.AsyncClient(headers=headers) as http:
        query = {"query": "{ viewer { __typename } }"}
        response = await http.get(f"{served.url}/graphql/stream", params=query)
    head, data, end = response.text.partition('{"data":{"viewer":{"__typename":"Viewer"}}')
    assert (head, bool(data)) == ("event: next\ndata: ", True)
    assert end.startswith(',"extensions":{"cost":{')
    assert end.endswith("}\n\nevent: complete\ndata:\n\n")
    assert response.text.count("event: next") == 1


async def event(lines: AsyncIterator[str]) -> tuple[str, Any]:
    """Return the next event of a stream: its kind and what it says."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (line := await anext(lines)).startswith("event:"):
            pass
        data = (await anext(lines)).removeprefix("data:").strip()
    return line.removeprefix("event: "), orjson.loads(data) if data else None
