"""A whole gateway in this process, and clients of its sockets."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
from pydantic import SecretStr
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from gateway.app import create_app
from gateway.clock import SystemClock
from gateway.dev.keys import dev_key
from gateway.dev.tokens import mint
from gateway.ids import encode_global_id
from gateway.server.process import Server, server_config
from gateway.settings import Settings, load_settings
from tests.support.patience import PATIENCE_SECONDS

GRAPHQL_WS = Subprotocol("graphql-transport-ws")
BALANCE = (
    "subscription ($account: ID!) { balanceUpdated(accountId: $account)"
    " { version cause change { amount } balance { version available { amount } } } }"
)
PURCHASES = (
    "subscription ($account: ID!) { creditPurchaseUpdated(accountId: $account)"
    " { id status amount { amount } refunded { amount } account { name } } }"
)


@dataclass(kw_only=True)
class Gateway:
    """A gateway that serves; `settings` as it was made with."""

    app: Starlette
    port: int
    settings: Settings
    server: Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, subject: str, lifetime: timedelta = timedelta(hours=1)) -> str:
        return mint(dev_key(self.settings.data_dir), subject, SystemClock(), lifetime)

    def connect(self, **options: Any) -> connect:
        arguments = {"subprotocols": [GRAPHQL_WS], "compression": None} | options
        return connect(f"ws://127.0.0.1:{self.port}/graphql", **arguments)

    @asynccontextmanager
    async def socket(self, subject: str = "ada", **options: Any) -> AsyncIterator["Client"]:
        """Lend a connection that is acknowledged."""
        async with self.connect(**options) as connection:
            client = Client(connection)
            payload = {"Authorization": f"Bearer {self.token(subject)}"}
            await client.send({"type": "connection_init", "payload": payload})
            assert await client.hear() == {"type": "connection_ack"}
            yield client

    async def watched_by(self, count: int) -> None:
        """Wait until `count` subscriptions are registered in the hub."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.app.state.operations.hub.members != count:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.01)

    def count(self, name: str) -> float:
        """Return one of the metrics' values."""
        value: float | None = self.app.state.metrics.registry.get_sample_value(name)
        assert value is not None
        return value


@dataclass
class Client:
    """One connection, message by message."""

    connection: ClientConnection
    heard: list[Any] = field(default_factory=list)

    async def send(self, message: Mapping[str, Any] | str | bytes) -> None:
        text = message if isinstance(message, str | bytes) else orjson.dumps(message).decode()
        await self.connection.send(text)

    async def hear(self) -> Any:
        return orjson.loads(await asyncio.wait_for(self.connection.recv(), PATIENCE_SECONDS))

    async def next(self, operation_id: str = "1") -> Any:
        """Return the payload of the next message, which must be an operation's `next`."""
        message = await self.hear()
        assert (message["type"], message["id"]) == ("next", operation_id), message
        return message["payload"]

    async def subscribe(self, query: str, account_id: int, operation_id: str = "1") -> None:
        variables = {"account": encode_global_id("Account", account_id)}
        payload = {"query": query, "variables": variables}
        await self.send({"type": "subscribe", "id": operation_id, "payload": payload})

    async def closed(self) -> tuple[int, str]:
        """Wait for the end; return its code and reason."""
        with suppress(ConnectionClosed):
            while True:
                await asyncio.wait_for(self.connection.recv(), PATIENCE_SECONDS)
        return self.connection.close_code or 0, self.connection.close_reason or ""


@asynccontextmanager
async def gateway(database_url: str, data_dir: Path, **changes: Any) -> AsyncIterator[Gateway]:
    """Serve a database on a free port of loopback."""
    settings = load_settings(
        environment="dev",
        database_url=SecretStr(database_url),
        data_dir=data_dir,
        **({"port": 0, "stop_notice_seconds": 0, "stop_grace_seconds": 3} | changes),
    )
    app = create_app(settings)
    server = Server(server_config(app, settings, loop="none"), app.state.drain, settings)
    task = asyncio.create_task(server._serve())
    while not server.started:
        assert not task.done()
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Gateway(app=app, port=port, settings=settings, server=server)
    finally:
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await task
