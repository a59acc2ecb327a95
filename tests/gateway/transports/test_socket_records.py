"""WebSockets in the log and the metrics: handshakes, credentials and operations, one line each."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict
from websockets.exceptions import InvalidStatus

from tests.support.edge import eventually
from tests.support.live import BALANCE, Client, Gateway, gateway

NAMED = "query Who { viewer { __typename } }"
HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\n"
)


@pytest.fixture
async def served(sqlite_database_url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway(
        sqlite_database_url,
        tmp_path / "data",
        live_socket_operations=2,
        live_unauthenticated_sockets=1,
    ) as served:
        yield served


def requests(lines: list[EventDict]) -> list[EventDict]:
    return [line for line in lines if line["event"] == "request"]


def counted(served: Gateway, status: int, operation: str, route: str = "WS /graphql") -> float:
    labels = {"route": route, "status": str(status), "operation": operation}
    registry = served.app.state.metrics.registry
    return float(registry.get_sample_value("gateway_http_requests_total", labels) or 0)


async def told(client: Client, query: str, operation_id: str = "1") -> Any:
    await client.send({"type": "subscribe", "id": operation_id, "payload": {"query": query}})
    return await client.hear()


async def test_each_operation_has_a_line_and_is_counted(served: Gateway) -> None:
    with capture_logs() as lines:
        async with served.socket() as client:
            assert (await told(client, NAMED))["type"] == "next"
            assert (await client.hear())["type"] == "complete"
            assert (await told(client, "{ nothing }", "2"))["type"] == "error"
            await client.subscribe(BALANCE, 1, "3")
            assert (await client.hear())["type"] == "error"
    handshake, *operations = requests(lines)
    assert (handshake["method"], handshake["path"], handshake["status"]) == ("WS", "/graphql", 101)
    said = [(line["status"], line.get("operation"), line.get("codes")) for line in operations]
    assert said == [
        (200, "query", None),
        (400, "query", ["GRAPHQL_VALIDATION_FAILED"]),
        (404, "subscription", ["NOT_FOUND"]),
    ]
    assert operations[0]["operation_name"] == "Who"
    assert {line["subject"] for line in operations} == {"ada"}
    assert all(line["milliseconds"] >= 0 and line["client"] == "127.0.0.1" for line in operations)
    assert counted(served, 101, "none") == counted(served, 200, "query") == 1
    assert counted(served, 404, "subscription") == counted(served, 400, "query") == 1
    assert served.count("gateway_http_requests_in_flight") == 0


@pytest.mark.parametrize(
    ("payload", "status", "code"),
    [
        ({"Authorization": "Bearer x"}, 401, "UNAUTHENTICATED"),
        ({}, 401, "UNAUTHENTICATED"),
        ({"Authorization": "Bearer x", "authorization": "Bearer y"}, 400, "BAD_REQUEST"),
    ],
    ids=["rejected", "missing", "two"],
)
async def test_a_refused_credential_has_a_line(
    served: Gateway, payload: dict[str, str], status: int, code: str
) -> None:
    with capture_logs() as lines:
        async with served.connect() as connection:
            client = Client(connection)
            await client.send({"type": "connection_init", "payload": payload})
            await client.closed()
    _, refused = requests(lines)
    assert (refused["status"], refused["codes"]) == (status, [code])
    assert "Bearer" not in str(lines)
    assert counted(served, status, "none") == 1


async def _another_origin(served: Gateway) -> None:
    await served.connect(origin="https://evil.example")


async def _another_host(served: Gateway) -> None:
    await served.connect(additional_headers={"Host": "evil.example"})


async def _too_many(served: Gateway) -> None:
    async with served.connect():
        await served.connect()


@pytest.mark.parametrize(
    ("attempt", "status", "code"),
    [
        (_another_origin, 403, "FORBIDDEN"),
        (_another_host, 400, "BAD_REQUEST"),
        (_too_many, 429, "TOO_MANY_SUBSCRIPTIONS"),
    ],
    ids=["origin", "host", "many"],
)
async def test_a_refused_handshake_is_answered_and_logged_as_such(
    served: Gateway,
    attempt: Callable[[Gateway], Any],
    status: int,
    code: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with capture_logs() as lines, pytest.raises(InvalidStatus) as refused:
        await attempt(served)
    response = refused.value.response
    assert response.status_code == status
    assert f'"code":"{code}"' in (response.body or b"").decode()
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    line = next(line for line in requests(lines) if line["status"] != 101)
    assert (line["status"], line["codes"]) == (status, [code])
    assert line["reason"] in (response.body or b"").decode()
    assert len(response.headers["x-request-id"]) == 32
    assert counted(served, status, "none") == 1
    await asyncio.sleep(0.05)  # the server's task ends after the answer
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"no HTTP\r\n\r\n", 400),
        (HANDSHAKE + b"\r\n", 400),
        (HANDSHAKE.replace(b": 13", b": 12") + b"\r\n", 400),
        (HANDSHAKE + b"content-length: 5\r\n\r\n", 400),
        (HANDSHAKE + b"a: " + b"b" * 9_000 + b"\r\n\r\n", 431),
    ],
    ids=["no HTTP", "no key", "version", "body", "long"],
)
async def test_what_breaks_the_protocol_is_answered_as_everything_else(
    served: Gateway, head: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as lines:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(head)
        answer = (await reader.read()).lower()
        writer.close()
        await eventually(lambda: bool(requests(lines)))
    (line,) = requests(lines)
    assert answer.startswith(b"http/1.1 %d " % status)
    for header in (b"x-content-type-options: nosniff", b"cache-control: no-store"):
        assert header in answer
    assert b"x-request-id: " + line["request_id"].encode() in answer
    assert answer.endswith(b'"extensions":{"code":"bad_request"}}]}')
    assert (line["status"], line["client"], line["codes"]) == (status, "127.0.0.1", ["BAD_REQUEST"])
    assert counted(served, status, "none", route="none") == 1
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []
