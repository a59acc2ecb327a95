"""What a subscriber costs, and how long one change takes to reach all of them.

    python -m tests.bench.subscribers [--subscribers 5000] [--changes 7]

Beside the gateway, in the same run, stands `graphql-ws` on Node, with the same subscription over an
event in memory (npm installs its packages). The gateway's change is
a ledger entry that another process commits to Postgres: from before its transaction to the last
message received. Medians; memory is what the process grew by, for each subscriber.
"""

import argparse
import asyncio
import os
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from time import perf_counter

import httpx
import orjson
from pydantic import SecretStr

from gateway.billing.credits.posting import adjust_balance
from gateway.billing.ledger.source_key import SourceKey
from gateway.ids import encode_global_id
from gateway.migrations import migrate
from gateway.principal import Role
from gateway.settings import load_settings
from gateway.store import accounts, connect
from tests.bench import figures
from tests.bench.data import SUBJECT
from tests.bench.servers import Running, Server, gateway, started
from tests.conftest import as_runtime
from tests.support.books import ACTOR, NOW, Books, usd
from tests.support.npm import NODE
from tests.support.postgres import running_postgres

PEER = Path(__file__).parent / "peers" / "graphql_ws"
QUERY = (
    "subscription ($account: ID!) { balanceUpdated(accountId: $account) { version cause"
    " change { amount currency } balance { available { amount currency } version asOf } } }"
)
AT_ONCE = 100
LIFTED = {
    "GATEWAY_LIVE_SOCKETS": "100000",
    "GATEWAY_LIVE_SUBSCRIPTIONS": "100000",
    "GATEWAY_LIVE_PROCESS_SUBSCRIPTIONS": "100000",
    "GATEWAY_LIVE_UNAUTHENTICATED_SOCKETS": "1000",
    "GATEWAY_HTTP_ADDRESS_CONNECTIONS": "100000",
}


@dataclass(slots=True)
class Crowd:
    """All the subscribers; `heard` is how many messages came since it was last set to 0."""

    heard: int = 0
    wanted: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, count: int) -> None:
        self.heard += count
        if self.heard >= self.wanted:
            self.done.set()

    async def expect(self, count: int, change: Callable[[], Awaitable[object]]) -> float:
        """Make a change; return the seconds until so many messages came."""
        self.heard, self.wanted = 0, count
        self.done.clear()
        began = perf_counter()
        await change()
        async with asyncio.timeout(60):
            await self.done.wait()
        return perf_counter() - began


class Subscriber(asyncio.Protocol):
    """As little of a WebSocket client as counts messages."""

    def __init__(self, crowd: Crowd, messages: list[bytes]) -> None:
        self.crowd = crowd
        self.messages = messages

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(
            b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
        )

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"HTTP/1.1 101"):
            self.transport.write(_frame(self.messages[0]))
        if b"connection_ack" in data:
            self.transport.write(_frame(self.messages[1]))
        self.crowd.hear(data.count(b'"next"'))


def _frame(text: bytes) -> bytes:
    """Return a client's text frame; a mask of zeros is one too."""
    length = len(text)
    size = bytes((0x80 | length,)) if length < 126 else b"\xfe" + length.to_bytes(2, "big")
    return b"\x81" + size + bytes(4) + text


async def measure(
    running: Running,
    count: int,
    changes: int,
    messages: list[bytes],
    change: Callable[[], Awaitable[object]],
) -> tuple[float, float, float]:
    """Return kB for each subscriber, and the median and worst milliseconds of a push."""
    crowd = Crowd()
    loop = asyncio.get_running_loop()
    before = running.memory_bytes
    transports = []
    for first in range(0, count, AT_ONCE):

        async def join(size: int = min(AT_ONCE, count - first)) -> None:
            for _ in range(size):
                transport, _protocol = await loop.create_connection(
                    lambda: Subscriber(crowd, messages), "127.0.0.1", running.port
                )
                transports.append(transport)

        await crowd.expect(min(AT_ONCE, count - first), join)
    await asyncio.sleep(1)
    memory = (running.memory_bytes - before) / count / 1_000
    times = [await crowd.expect(count, change) * 1_000 for _ in range(changes)]
    for transport in transports:
        transport.abort()
    return memory, median(times), max(times)


@asynccontextmanager
async def watched_account(url: str) -> AsyncIterator[tuple[Books, int]]:
    """Lend the books of an empty database and the key of the one account in it."""
    database = await connect(load_settings(database_url=SecretStr(url), database_pool_size=1))
    try:
        books = Books(database)
        key = await books.account("watched")
        async with database.writing(ACTOR) as transaction:
            await accounts.put_member(transaction, [key], SUBJECT, Role.OWNER, NOW)
        yield books, key
    finally:
        await database.close()


async def measure_gateway(count: int, changes: int) -> tuple[float, float, float]:
    made = gateway()
    server = replace(made, environment=lambda place: {**made.environment(place), **LIFTED})
    with running_postgres() as owner_url:
        await migrate(owner_url, runtime_url=as_runtime(owner_url))
        async with watched_account(as_runtime(owner_url)) as (books, key):
            version = 0

            async def change() -> None:
                nonlocal version
                version += 1
                async with books.open([key]) as book:
                    source = f"bench:{version}"
                    adjust_balance(
                        book, key, usd("1"), source=SourceKey.adjustment(source), occurred_at=NOW
                    )

            with started(server, owner_url) as running:
                messages = _messages(encode_global_id("Account", key), dict(made.headers))
                return await measure(running, count, changes, messages, change)


async def measure_peer(count: int, changes: int) -> tuple[float, float, float]:
    server = Server(
        name="graphql-ws on Node",
        command=(str(NODE), "server.mjs"),
        environment=lambda place: {"PORT": str(place.port), "NODE_ENV": "production"},
        needs=PEER,
        ready="/",
    )
    with started(server, "") as running:
        async with httpx.AsyncClient() as client:
            return await measure(
                running,
                count,
                changes,
                _messages("watched", {}),
                lambda: client.post(f"http://127.0.0.1:{running.port}/"),
            )


def _messages(account: str, payload: dict[str, str]) -> list[bytes]:
    operation = {"query": QUERY, "variables": {"account": account}}
    return [
        orjson.dumps({"type": "connection_init", "payload": payload}),
        orjson.dumps({"type": "subscribe", "id": "1", "payload": operation}),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=5_000)
    parser.add_argument("--changes", type=int, default=7)
    figures.add_option(parser)
    arguments = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count = arguments.subscribers
    own = asyncio.run(measure_gateway(count, arguments.changes))
    peer = asyncio.run(measure_peer(count, arguments.changes))
    print(f"{count:,} subscribers of one account, {os.cpu_count()} processors")
    print(f"{'server':<22}{'kB each':>10}{'push ms':>10}{'worst ms':>10}")
    for name, found in (("gateway", own), ("graphql-ws on Node", peer)):
        print(f"{name:<22}{found[0]:>10.1f}{found[1]:>10.0f}{found[2]:>10.0f}")
    ratios = [theirs / ours for theirs, ours in zip(peer, own, strict=True)]
    print(f"{'ratio':<22}{ratios[0]:>9.1f}×{ratios[1]:>9.1f}×{ratios[2]:>9.1f}×")
    pushes = {
        f"push/{name}/{what}": value
        for name, found in (("gateway", own), ("graphql-ws", peer))
        for what, value in zip(("kB", "ms", "worst_ms"), found, strict=True)
    }
    figures.write(arguments.figures, pushes)


if __name__ == "__main__":
    main()
