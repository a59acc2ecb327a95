"""A gateway that is stopped, or killed, while clients hold on to it in every way."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
import pytest

from gateway.ids import encode_global_id, parse_global_id
from tests.conftest import as_runtime
from tests.support.live import BALANCE
from tests.support.operator import Operator
from tests.support.postgres import OwnPostgres
from tests.support.processes import GatewayProcess, gateway_process
from tests.support.replicas import watching

SOCKETS: Final = 20
GRACE_SECONDS: Final = 2
STOP_SECONDS: Final = GRACE_SECONDS + 5
"""With the grace period of 10 s that is the default: 15 s."""
KILLED_SECONDS: Final = 15
QUERY: Final = {"query": '{ account(externalId: "stopped") { name } }'}


@pytest.fixture
async def gateway(postgres: OwnPostgres, tmp_path: Path) -> AsyncIterator[GatewayProcess]:
    async with gateway_process(
        as_runtime(postgres.url),
        tmp_path,
        stop_grace_seconds=str(GRACE_SECONDS),
        live_sockets=str(SOCKETS),
        log_level="warning",
    ) as gateway:
        yield gateway


@pytest.fixture
async def account(gateway: GatewayProcess, key: str) -> int:
    operator = Operator(url=gateway.url, key=key)
    found = await operator.put_account("stopped", members=[{"subject": "ada", "role": "OWNER"}])
    return parse_global_id(found).account_id


async def raw(gateway: GatewayProcess, text: str) -> asyncio.StreamWriter:
    """Send the beginning of a request, and nothing more."""
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(text.format(token=gateway.token("ada")).replace("\n", "\r\n").encode())
    await writer.drain()
    return writer


HALF_BODY: Final = (
    "POST /graphql HTTP/1.1\nhost: 127.0.0.1\nauthorization: Bearer {token}\n"
    "content-type: application/json\ncontent-length: 900\n\n{{"
)
HALF_HANDSHAKE: Final = "GET /graphql HTTP/1.1\nhost: 127.0.0.1\nupgrade: websocket\nconnection: up"


@asynccontextmanager
async def held(gateway: GatewayProcess, account: int) -> AsyncIterator[None]:
    """Hold an event stream, 20 WebSockets with subscriptions, half a body, half a handshake."""
    async with AsyncExitStack() as stack:
        for _ in range(SOCKETS):
            await stack.enter_async_context(watching(gateway, account))
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=60))
        body = {"query": BALANCE, "variables": {"account": encode_global_id("Account", account)}}
        headers = {
            "authorization": f"Bearer {gateway.token('ada')}",
            "accept": "text/event-stream",
        }
        stream = client.stream("POST", f"{gateway.url}/graphql/stream", json=body, headers=headers)
        answer = await stack.enter_async_context(stream)
        assert answer.status_code == 200
        for text in (HALF_BODY, HALF_HANDSHAKE):
            stack.callback((await raw(gateway, text)).close)
        yield


@asynccontextmanager
async def locked(postgres: OwnPostgres) -> AsyncIterator[None]:
    """Make every statement that needs an account wait."""
    connection = await asyncpg.connect(postgres.url)
    async with connection.transaction():
        await connection.execute("LOCK TABLE account IN ACCESS EXCLUSIVE MODE")
        yield
    await connection.close()


@asynccontextmanager
async def frozen(postgres: OwnPostgres) -> AsyncIterator[None]:
    with postgres.frozen():
        yield


async def stopped(gateway: GatewayProcess) -> float:
    """Wait for the end of the process, with code 0; return the seconds that it took."""
    assert gateway.child is not None
    began = time.monotonic()
    gateway.child.send_signal(signal.SIGTERM)
    async with asyncio.timeout(60):
        assert await gateway.child.wait() == 0
    return time.monotonic() - began


@pytest.mark.parametrize("slow", [locked, frozen])
async def test_a_stop_ends_in_time_and_answers_what_runs(
    postgres: OwnPostgres, key: str, gateway: GatewayProcess, account: int, slow: Any
) -> None:
    headers = {"authorization": f"Bearer {key}"}
    new = {"name": "New", "currency": "USD", "timeZone": "UTC"}
    async with (
        held(gateway, account),
        httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=60) as client,
    ):
        await client.post("/graphql", json=QUERY)  # the key is known from now on
        async with slow(postgres):
            running = [
                asyncio.create_task(client.post("/graphql", json=QUERY)),
                asyncio.create_task(client.put("/v1/accounts/new", json=new)),
            ]
            await asyncio.sleep(0.3)
            took = await stopped(gateway)
            answers = await asyncio.gather(*running)
    print(slow.__name__, f"{took:.1f} s")
    assert took < STOP_SECONDS
    codes = {each.json()["errors"][0]["extensions"]["code"] for each in answers}
    assert codes <= {"SERVICE_UNAVAILABLE", "TIMEOUT"}


async def test_a_second_signal_ends_at_once(
    postgres: OwnPostgres, gateway: GatewayProcess, account: int
) -> None:
    assert gateway.child is not None
    async with held(gateway, account):
        with postgres.frozen():
            gateway.child.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.2)
            began = time.monotonic()
            gateway.child.send_signal(signal.SIGTERM)
            async with asyncio.timeout(60):
                assert await gateway.child.wait() == 1
            took = time.monotonic() - began
    print(f"second signal: {took:.1f} s")
    assert took < GRACE_SECONDS


async def test_a_killed_gateway_is_back_soon(gateway: GatewayProcess, account: int) -> None:
    async with held(gateway, account):
        await gateway.kill()
        began = time.monotonic()
        await gateway.start()
        took = time.monotonic() - began
    print(f"back after {took:.1f} s")
    assert took < KILLED_SECONDS
