"""Bodies that arrive at once are limited in bytes, whichever endpoint reads them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from gateway.principal import Permission
from gateway.store import connect
from tests.support.live import Gateway, gateway
from tests.support.patience import PATIENCE_SECONDS
from tests.support.served import issued_key
from tests.support.stripe import SECRET

HALF = b"x" * 700_000
"""More than half of what may be held; each body says that it is longer."""


@pytest.fixture
async def served(sqlite_database_url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway(
        sqlite_database_url,
        tmp_path / "data",
        http_bodies_bytes=1_048_576,
        stripe_webhook_secrets=SECRET,
    ) as served:
        yield served


async def usage_key(served: Gateway) -> str:
    database = await connect(served.settings)
    key = await issued_key(database, Permission.USAGE_WRITE)
    await database.close()
    return key.text


@asynccontextmanager
async def half_sent(
    served: Gateway, path: str, token: str, body: bytes = HALF, length: int = 1_000_000
) -> AsyncIterator[asyncio.StreamReader]:
    """Send a part of a body, and wait until the gateway holds it."""
    before = served.count("gateway_body_bytes")
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n"
        f"content-type: application/json\r\ncontent-length: {length}\r\n\r\n".encode()
        + body
    )
    await writer.drain()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while served.count("gateway_body_bytes") < before + len(body):
                if served.count("gateway_bodies_refused_total"):
                    break
                await asyncio.sleep(0.01)
        yield reader
    finally:
        writer.close()


async def test_bodies_beyond_the_limit_of_a_principal_are_503(served: Gateway) -> None:
    key, token = await usage_key(served), served.token("ada")
    async with (
        half_sent(served, "/v1/usage-events", key),
        half_sent(served, "/v1/usage-events", key) as refused,
        half_sent(served, "/graphql", token, b"x" * 100_000) as other,
    ):
        head = (await refused.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 503 ")
        assert b"\r\nretry-after: 1\r\n" in head
        assert not other.at_eof()
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=served.url, headers=headers) as client:
        assert (await client.post("/v1/usage-events", json=["x" * 900_000])).status_code == 200
    assert served.count("gateway_body_bytes") == 0


async def test_webhooks_have_bytes_of_their_own(served: Gateway) -> None:
    async with (
        half_sent(served, "/webhooks/stripe", "", b"", 500_000),
        half_sent(served, "/webhooks/stripe", "", b"", 500_000) as refused,
        half_sent(served, "/graphql", served.token("ada"), HALF),
    ):
        assert (await refused.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 503 ")
