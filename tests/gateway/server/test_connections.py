"""Connections beyond a limit replace idle ones, and never keep health checks out."""

import asyncio
import resource
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from gateway.server.connections import Connections, Refusal
from gateway.server.open_files import BACKLOG, DEFAULT_CONNECTIONS, capacity
from gateway.settings import load_settings
from tests.support.live import Gateway, gateway
from tests.support.patience import PATIENCE_SECONDS

PROBES = ("/livez", "/readyz", "/metrics")
HALF = b"GET /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\n"
HANDSHAKE = HALF + (
    b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
)
MOST = 16
"""The fewest connections that a process may have."""
EACH = 8


@pytest.fixture
async def served(sqlite_database_url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway(
        sqlite_database_url,
        tmp_path / "data",
        http_connections=MOST,
        http_address_connections=EACH,
        http_health_connections=2,
    ) as served:
        yield served


@asynccontextmanager
async def connections(
    served: Gateway, count: int, sent: bytes = b"", host: str = "127.0.0.1"
) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Hold connections of a client address, on each of which something is sent."""
    pairs = [
        await asyncio.open_connection("127.0.0.1", served.port, local_addr=(host, 0))
        for _ in range(count)
    ]
    for _, writer in pairs:
        writer.write(sent)
    await asyncio.sleep(0.05)
    try:
        yield [reader for reader, _ in pairs]
    finally:
        for _, writer in pairs:
            writer.close()


async def get(served: Gateway, path: str, host: str = "127.0.0.1") -> httpx.Response:
    transport = httpx.AsyncHTTPTransport(local_address=host)
    async with httpx.AsyncClient(transport=transport, base_url=served.url) as client:
        return await client.get(path)


def closed(readers: list[asyncio.StreamReader]) -> int:
    return sum(reader.at_eof() or reader.exception() is not None for reader in readers)


async def test_idle_connections_give_way_to_requests(served: Gateway) -> None:
    async with (
        connections(served, EACH) as silent,
        connections(served, EACH, HALF, "127.0.0.2") as half,
        connections(served, 5, HALF, "127.0.0.3") as later,
    ):
        for path in PROBES * 2:
            assert (await get(served, path)).status_code == 200
        assert closed(later) == 0
        assert 0 < closed(silent) + closed(half) < 2 * EACH
    assert served.app.state.metrics.registry.get_sample_value(
        "gateway_connections_closed_total", {"reason": "idle"}
    )


async def test_an_address_replaces_its_own_idle_connections(served: Gateway) -> None:
    async with (
        connections(served, 4) as others,
        connections(served, 3 * EACH, HALF, "127.0.0.2") as many,
    ):
        assert (closed(others), closed(many)) == (0, 2 * EACH)
        assert (await get(served, "/livez", "127.0.0.2")).status_code == 200
        assert (closed(others), closed(many)) == (0, 2 * EACH + 1)


async def test_a_connection_in_use_outlives_idle_ones(served: Gateway) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    for _ in range(3):
        writer.write(b"GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")
        async with connections(served, EACH + 3, HALF) as idle:
            assert closed(idle) == 4
    writer.close()


async def test_health_checks_have_places_where_all_are_busy(served: Gateway) -> None:
    async with (
        connections(served, EACH, HANDSHAKE, "127.0.0.2") as sockets,
        connections(served, MOST - EACH, HANDSHAKE, "127.0.0.3"),
    ):
        for path in PROBES:
            assert (await get(served, path)).status_code == 200
        refused = await get(served, "/graphql")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.headers["connection"] == "close"
        async with connections(served, 1, HANDSHAKE) as (socket,):
            assert (await socket.read()).startswith(b"HTTP/1.1 503 ")
        async with connections(served, 1, host="127.0.0.2") as (beyond,):
            assert (await beyond.read()).startswith(b"HTTP/1.1 503 ")
        async with connections(served, 6, HALF):
            assert (await get(served, "/livez")).status_code == 200
        assert closed(sockets) == 0


async def test_a_place_is_free_after_its_connection(served: Gateway) -> None:
    for sent in (b"", HALF, HANDSHAKE):
        async with connections(served, EACH, sent):
            pass
    async with asyncio.timeout(PATIENCE_SECONDS):
        while served.count("gateway_connections"):  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.01)


class Idle:
    """A connection that never asks for anything."""

    has_served = False
    is_idle = False

    def drop(self) -> None:
        """Nothing: it is never idle."""


@pytest.mark.parametrize(
    ("hosts", "refusals"),
    [
        (["10.0.0.1"] * 3, [None, None, Refusal.ADDRESS]),
        (["10.0.0.1", "::ffff:10.0.0.1", "10.0.0.1"], [None, None, Refusal.ADDRESS]),
        (["2001:db8::1", "2001:db8::ffff:1%eth0", "2001:db8::3"], [None, None, Refusal.ADDRESS]),
        (["2001:db8::1", "2001:db8:0:1::1", "2001:db8:0:2::1"], [None, None, None]),
        (["192.168.1.7"] * 3, [None, None, None]),
        ([None] * 3, [None, None, None]),
        (["192.168.1.7"] * 5, [None, None, None, None, Refusal.PROCESS]),
    ],
    ids=["IPv4", "mapped", "IPv6", "networks", "proxy", "local socket", "process"],
)
def test_clients_are_counted_by_address(
    hosts: list[str | None], refusals: list[Refusal | None]
) -> None:
    places = Connections(most=4, each=2, health=1, exempt=["192.168.0.0/16", "fd00::/8"])
    transports = [asyncio.Transport() for _ in hosts]
    pairs = zip(transports, hosts, strict=True)
    assert [places.add(transport, Idle(), host) for transport, host in pairs] == refusals
    for transport in transports * 2:
        places.remove(transport)
    assert len(places) == 0
    assert places.add(transports[0], Idle(), hosts[0]) is None


def test_the_limit_of_open_files_is_raised_to_what_is_needed() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_024, before[1]))
    try:
        room = capacity(load_settings(environment="dev", http_connections=1_000))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert (room.connections, soft > 1_024) == (1_000, True)
        assert capacity(load_settings(environment="dev")).connections <= DEFAULT_CONNECTIONS
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert room.backlog <= BACKLOG


def test_too_few_open_files_stop_the_start() -> None:
    code = (
        "from gateway.server.open_files import capacity\n"
        "from gateway.settings import load_settings\n"
        "from gateway.errors import ConfigurationError\n"
        "try:\n    print(capacity(load_settings(environment='dev')))\n"
        "except ConfigurationError as error:\n    print(error.message)"
    )
    said = [
        subprocess.run(
            ["sh", "-c", f'ulimit -n {files}; exec "$0" -c "$1"', sys.executable, code],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for files in (150, 200)
    ]
    assert said[0].startswith("GATEWAY_HTTP_CONNECTIONS: 16 connections need more open files")
    assert said[1].startswith("Capacity(connections=")
