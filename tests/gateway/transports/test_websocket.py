"""The rules of graphql-transport-ws, and the limits of a socket."""

import asyncio
import gc
import logging
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from gateway.ids import encode_global_id
from tests.support.edge import eventually
from tests.support.live import BALANCE, GRAPHQL_WS, Client, Gateway, gateway

INIT: dict[str, Any] = {"type": "connection_init"}
QUERY = {"type": "subscribe", "id": "q", "payload": {"query": "{ viewer { __typename } }"}}


@pytest.fixture
async def served(sqlite_database_url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway(
        sqlite_database_url,
        tmp_path / "data",
        live_socket_operations=3,
        live_unauthenticated_sockets=2,
        live_sockets=2,
        jwt_leeway_seconds=0,
        stop_grace_seconds=30,
    ) as served:
        yield served


LONG = "é" * 200
BROKEN = [
    ("no JSON", "{", 4400),
    ("no object", "[]", 4400),
    ("a number", "1", 4400),
    ("empty", "", 4400),
    ("NaN", '{"type":"ping","payload":{"a":NaN}}', 4400),
    ("lone surrogate", r'{"type":"ping","payload":{"a":"\ud800"}}', 4400),
    ("key twice", '{"type":"ping","type":"ping"}', 4400),
    ("inner key twice", '{"type":"ping","payload":{"é":{"a":1,"a":2}}}', 4400),
    ("long key twice", f'{{"type":"ping","{LONG}":1,"{LONG}":2}}', 4400),
    ("deep", "[" * 50_000, 4400),
    ("binary", b'{"type":"ping"}', 4400),
    ("no type", "{}", 4400),
    ("unknown type", {"type": "start"}, 4400),
    ("type is no string", {"type": ["ping"]}, 4400),
    ("ping's payload", {"type": "ping", "payload": 1}, 4400),
    ("pong's payload", {"type": "pong", "payload": []}, 4400),
    ("second init", INIT, 4429),
    ("no id", {"type": "subscribe", "payload": {"query": "{ a }"}}, 4400),
    ("empty id", {**QUERY, "id": ""}, 4400),
    ("long id", {**QUERY, "id": "x" * 129}, 4400),
    ("numeric id", {**QUERY, "id": 1}, 4400),
    ("no payload", {"type": "subscribe", "id": "1"}, 4400),
    ("no query", {"type": "subscribe", "id": "1", "payload": {}}, 4400),
    ("query is no string", {"type": "subscribe", "id": "1", "payload": {"query": 1}}, 4400),
    ("variables", {**QUERY, "payload": {"query": "{ a }", "variables": []}}, 4400),
    ("complete without id", {"type": "complete"}, 4400),
    ("too long", "x" * 140_000, 1009),
]


@pytest.mark.parametrize(("message", "code"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
async def test_a_protocol_violation_closes_the_socket(
    served: Gateway, message: Any, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with served.socket() as client:
        await client.send(message)
        assert (await client.closed())[0] == code
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([QUERY], 4401),
        ([INIT], 4401),
        ([{**INIT, "payload": {}}], 4401),
        ([{**INIT, "payload": {"Authorization": "Bearer x"}}], 4403),
        ([{**INIT, "payload": {"Authorization": 1}}], 4400),
        ([{**INIT, "payload": "Bearer x"}], 4400),
    ],
)
async def test_nothing_is_served_before_a_credential_holds(
    served: Gateway, messages: list[Any], code: int
) -> None:
    async with served.connect() as connection:
        client = Client(connection)
        for message in messages:
            await client.send(message)
        assert (await client.closed())[0] == code


@pytest.mark.parametrize("messages", [[{"type": "complete", "id": "1"}], []])
async def test_a_socket_without_credential_is_closed(
    sqlite_database_url: str, tmp_path: Path, messages: list[Any]
) -> None:
    async with (
        gateway(sqlite_database_url, tmp_path / "data", live_init_seconds=1) as served,
        served.connect() as connection,
    ):
        client = Client(connection)
        for message in messages:
            await client.send(message)
        assert (await client.closed())[0] == 4408


async def test_a_credential_may_come_with_the_handshake(served: Gateway) -> None:
    headers = {"Authorization": f"Bearer {served.token('ada')}"}
    async with served.connect(additional_headers=headers) as connection:
        client = Client(connection)
        await client.send(INIT)
        assert await client.hear() == {"type": "connection_ack"}
    async with served.connect(additional_headers=headers) as connection:
        client = Client(connection)
        await client.send({**INIT, "payload": {"authorization": "Bearer other"}})
        assert await client.closed() == (4400, "Send exactly one credential per request.")


async def test_a_credential_in_the_address_is_refused(served: Gateway) -> None:
    for headers in (None, {"Authorization": f"Bearer {served.token('ada')}"}):
        uri = f"ws://127.0.0.1:{served.port}/graphql?access_token=x"
        with pytest.raises(InvalidStatus) as refused:
            await connect(uri, subprotocols=[GRAPHQL_WS], additional_headers=headers)
        assert refused.value.response.status_code == 400


@pytest.mark.parametrize("place", ["header", "payload"])
async def test_failed_credentials_count_together_with_requests(served: Gateway, place: str) -> None:
    wrong = {"Authorization": "Bearer gw_dev_wrong"}
    headers, payload = (wrong, {}) if place == "header" else ({}, wrong)
    # One comes back every three seconds, which a busy machine may take.
    served.app.state.operations.quotas.failures._buckets._now = lambda: 1_000.0
    codes = []
    for _ in range(21):
        async with served.connect(additional_headers=headers) as connection:
            client = Client(connection)
            await client.send({**INIT, "payload": payload})
            codes.append((await client.closed())[0])
    assert codes == [4403] * 20 + [4429]
    async with httpx.AsyncClient(headers=wrong) as http:
        answer = await http.post(f"{served.url}/graphql", json={"query": "{ __typename }"})
    assert answer.status_code == 429
    # A connection without one says so, as before.
    async with served.connect() as connection:
        client = Client(connection)
        await client.send(INIT)
        assert (await client.closed())[0] == 4401


@pytest.mark.parametrize("subprotocols", [["graphql-ws"], None])
async def test_other_protocols_are_refused(served: Gateway, subprotocols: Any) -> None:
    async with served.connect(subprotocols=subprotocols) as connection:
        assert (await Client(connection).closed())[0] == 4406


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://127.0.0.1:9", "http://127.0.0.1.evil.example"],
)
async def test_pages_of_other_origins_may_not_connect(served: Gateway, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await served.connect(origin=origin)
    assert refused.value.response.status_code == 403


async def test_pages_of_allowed_origins_may(served: Gateway) -> None:
    async with served.socket(origin="http://localhost:0") as client:
        await client.send({"type": "ping", "payload": {"n": 1}})
        assert await client.hear() == {"type": "pong", "payload": {"n": 1}}


async def test_another_host_name_is_refused(served: Gateway) -> None:
    with pytest.raises(InvalidStatus):
        await served.connect(additional_headers={"Host": "evil.example"})


async def test_queries_are_answered_and_completed(served: Gateway) -> None:
    async with served.socket() as client:
        await client.send(QUERY)
        answer = await client.hear()
        assert (answer["id"], answer["type"]) == ("q", "next")
        assert answer["payload"]["data"] == {"viewer": {"__typename": "Viewer"}}
        assert await client.hear() == {"id": "q", "type": "complete"}
        await client.send({"type": "complete", "id": "q"})
        await client.send(QUERY)
        assert (await client.hear())["type"] == "next"


DEEP = "{ viewer " + "{ a " * 12 + "}" * 12 + "}"
TWO = "query A { viewer { __typename } } query B { viewer { __typename } }"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        (DEEP, "QUERY_TOO_COMPLEX"),
        (TWO, "OPERATION_RESOLUTION_FAILURE"),
        ("mutation { a }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription ($a: ID!) { balanceUpdated(accountId: $a) { version } }", "BAD_USER_INPUT"),
        ('subscription { balanceUpdated(accountId: "x") { version } }', "NOT_FOUND"),
        ('subscription { creditPurchaseUpdated(accountId: "x") { id } }', "NOT_FOUND"),
    ],
)
async def test_an_operation_that_is_refused_leaves_the_socket_open(
    served: Gateway, query: str, code: str
) -> None:
    async with served.socket() as client:
        await client.send({"type": "subscribe", "id": "1", "payload": {"query": query}})
        message = await client.hear()
        assert (message["id"], message["type"]) == ("1", "error")
        assert [each["extensions"]["code"] for each in message["payload"]] == [code]
        await client.send(QUERY)
        assert (await client.hear())["type"] == "next"


async def test_an_id_in_use_cannot_be_used_again(served: Gateway) -> None:
    async with served.socket() as client:
        await client.send(QUERY)
        await client.send(QUERY)
        assert await client.closed() == (4409, "Subscriber for q already exists")


async def test_an_id_may_have_any_characters(served: Gateway) -> None:
    async with served.socket() as client:
        for _ in range(2):
            await client.send({**QUERY, "id": "🙂" * 128})
        code, reason = await client.closed()
    assert (code, reason.startswith("Subscriber for 🙂🙂")) == (4409, True)


async def test_operations_of_a_socket_are_limited(served: Gateway) -> None:
    async with served.socket() as client:
        for number in range(5):
            await client.send({**QUERY, "id": str(number)})
        messages = [await client.hear() for _ in range(8)]
    refused = [each for each in messages if each["type"] == "error"]
    assert [each["id"] for each in refused] == ["3", "4"]
    assert refused[0]["payload"][0]["extensions"] == {"code": "TOO_MANY_SUBSCRIPTIONS"}


async def test_sockets_of_a_principal_are_limited(served: Gateway) -> None:
    async with served.socket(), served.socket():
        assert served.count("gateway_sockets") == 2
        async with served.connect() as connection:
            client = Client(connection)
            payload = {"Authorization": f"Bearer {served.token('ada')}"}
            await client.send({**INIT, "payload": payload})
            assert (await client.closed())[0] == 4429
        async with served.socket("bob"):
            assert served.count("gateway_sockets") == 3
    await eventually(lambda: served.count("gateway_sockets") == 0)


async def test_unauthenticated_sockets_of_an_address_are_limited(served: Gateway) -> None:
    async with served.connect(), served.connect():
        with pytest.raises(InvalidStatus) as refused:
            await served.connect()
        assert refused.value.response.status_code == 429


async def test_an_expired_token_closes_the_socket(served: Gateway) -> None:
    async with served.connect() as connection:
        client = Client(connection)
        began = time.monotonic()
        payload = {"Authorization": f"Bearer {served.token('ada', timedelta(seconds=4))}"}
        await client.send({**INIT, "payload": payload})
        assert await client.hear() == {"type": "connection_ack"}
        assert await client.closed() == (4403, "token expired")
        assert time.monotonic() - began < 4 + 5


async def test_a_flood_of_messages_closes_the_socket(served: Gateway) -> None:
    async with served.socket() as client:
        for _ in range(600):
            await client.send({"type": "ping"})
        assert await client.closed() == (1008, "Too many messages")


async def test_messages_up_to_the_limit_are_no_flood(
    served: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.transports.connection.RATE_SECONDS", 0.5)
    async with served.socket() as client:
        for _ in range(3):
            # With the first message, as many as one period may have.
            for _ in range(49):
                await client.send({"type": "ping"})
            for _ in range(49):
                assert await client.hear() == {"type": "pong"}
            await asyncio.sleep(0.6)
            await client.send({"type": "ping"})
            assert await client.hear() == {"type": "pong"}


async def test_a_peer_that_reads_nothing_is_closed(
    sqlite_database_url: str, tmp_path: Path
) -> None:
    async with (
        gateway(sqlite_database_url, tmp_path / "data", live_unread_seconds=2) as served,
        served.socket() as client,
    ):
        client.connection.transport.pause_reading()
        await eventually(lambda: served.count("gateway_sockets") == 0)
        client.connection.transport.abort()


async def test_vanished_clients_leave_no_subscription(served: Gateway) -> None:
    tasks = len(asyncio.all_tasks())
    for _ in range(20):
        async with served.socket() as client:
            await client.send({**QUERY, "id": "1"})
            client.connection.transport.abort()
    await eventually(lambda: served.count("gateway_sockets") == 0)
    gc.collect()
    await eventually(lambda: len(asyncio.all_tasks()) <= tasks)


async def test_a_stop_closes_sockets_as_a_restart(served: Gateway) -> None:
    async with served.socket() as client:
        served.server.should_exit = True
        async with asyncio.timeout(3):
            assert (await client.closed())[0] == 1012


async def test_a_refused_subscription_is_not_counted(
    served: Gateway,
) -> None:
    async with served.socket() as client:
        await client.subscribe(BALANCE, 1)
        message = await client.hear()
        assert message["payload"][0]["extensions"] == {"code": "NOT_FOUND"}
        assert encode_global_id("Account", 1) not in str(message)
        assert served.count("gateway_subscriptions") == 0
