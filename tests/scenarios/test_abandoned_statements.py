"""Statements end with the operation that runs them: at its deadline, and when its client leaves."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from gateway.principal import Role
from gateway.settings import load_settings
from gateway.store import connect
from tests.support.books import Books
from tests.support.live import Gateway, gateway
from tests.support.patience import PATIENCE_SECONDS
from tests.support.raw import same_database

CLIENTS: Final = 20
QUERY: Final = {"query": "{ viewer { accounts { nodes { id } } } }"}
SLEEPING: Final = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'PgSleep'"""


class Slow:
    """The owner's connection to a database in which every read of an account by a person sleeps."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def statements(self) -> int:
        count: int = await self.connection.fetchval(SLEEPING)
        return count

    async def wake(self) -> None:
        await self.connection.execute("DROP POLICY slow ON account")

    async def seconds_until_idle(self) -> float:
        began = time.monotonic()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self.statements():  # noqa: ASYNC110 - a database has no event
                await asyncio.sleep(0.02)
        return time.monotonic() - began


@pytest.fixture
async def slow(postgres_database_url: str, postgres_url: str) -> AsyncIterator[Slow]:
    database = await connect(load_settings(database_url=SecretStr(postgres_database_url)))
    await Books(database).account("acme", members=[("ada", Role.OWNER)])
    await database.close()
    owner = await asyncpg.connect(same_database(postgres_url, postgres_database_url))
    await owner.execute("ALTER TABLE account ENABLE ROW LEVEL SECURITY")
    await owner.execute("CREATE POLICY everything ON account USING (true)")
    await owner.execute(
        """CREATE POLICY slow ON account AS RESTRICTIVE USING (
            CASE WHEN current_setting('app.principal', true) <> '' THEN pg_sleep(60) IS NOT NULL
            ELSE true END)"""
    )
    yield Slow(owner)
    await owner.close()


@pytest.fixture
async def served(
    slow: Slow, postgres_database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Gateway]:
    limits = {
        "operation_seconds": request.param,
        "statement_timeout_seconds": 120,
        "database_pool_wait_seconds": 60,
        "live_sockets": CLIENTS,
    }
    async with gateway(postgres_database_url, tmp_path / "data", **limits) as place:
        yield place
    del slow


@pytest.mark.parametrize("served", [1], indirect=True)
async def test_a_deadline_ends_the_statement_too(served: Gateway, slow: Slow) -> None:
    headers = {"authorization": f"Bearer {served.token('ada')}"}
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:
        answer = await client.post(f"{served.url}/graphql", json=QUERY)
        assert (await slow.seconds_until_idle()) < 1
        assert answer.json()["errors"][0]["extensions"] == {"code": "TIMEOUT"}
        await slow.wake()
        assert (await client.post(f"{served.url}/graphql", json=QUERY)).json()["data"]


async def leave_requests(served: Gateway, slow: Slow, path: str) -> None:
    """Send a request on each of many connections, and close all while statements run."""
    body = json.dumps(QUERY).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {served.token('ada')}"
        f"\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    writers = []
    for _ in range(CLIENTS):
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(head.encode() + body)
        writers.append(writer)
    await begun(slow)
    for writer in writers:
        writer.close()


async def leave_sockets(served: Gateway, slow: Slow) -> None:
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(served.socket()) for _ in range(CLIENTS)]
        for each in sockets:
            await each.send({"type": "subscribe", "id": "1", "payload": QUERY})
        await begun(slow)
        for each in sockets:
            each.connection.transport.abort()


async def begun(slow: Slow) -> None:
    """Wait until statements run."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await slow.statements() < 3:  # noqa: ASYNC110 - a database has no event
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("served", [100], indirect=True)
@pytest.mark.parametrize("transport", ["/graphql", "/graphql/stream", "socket"])
async def test_statements_end_with_their_clients(
    served: Gateway, slow: Slow, transport: str
) -> None:
    if transport == "socket":
        await leave_sockets(served, slow)
    else:
        await leave_requests(served, slow, transport)
    assert await slow.seconds_until_idle() < 3
    await slow.wake()
    headers = {"authorization": f"Bearer {served.token('ada')}"}
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:
        answers = [await client.post(f"{served.url}/graphql", json=QUERY) for _ in range(10)]
    assert {answer.status_code for answer in answers} == {200}
    assert served.count("gateway_reads_running") == 0
    assert served.count("gateway_reads_waiting") == 0
