"""Two gateways on one Postgres: webhooks go to one, subscribers listen to the other."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from pydantic import SecretStr
from websockets.asyncio.client import connect as connect_socket

from gateway.principal import Role
from gateway.settings import load_settings
from gateway.store import connect
from tests.support.books import Books
from tests.support.live import BALANCE, GRAPHQL_WS, Client
from tests.support.processes import GatewayProcess, gateway_process
from tests.support.stripe import SECRET, charge, event, signed

Pair = tuple[GatewayProcess, GatewayProcess]


@asynccontextmanager
async def two_gateways(url: str, folder: Path) -> AsyncIterator[tuple[Pair, int]]:
    """Lend two gateways on an empty database, and the key of Ada's account in it."""
    async with (
        gateway_process(url, folder, stripe_webhook_secrets=SECRET) as first,
        gateway_process(url, folder, stripe_webhook_secrets=SECRET) as second,
    ):
        database = await connect(load_settings(database_url=SecretStr(url), database_pool_size=1))
        account = await Books(database).account("acme", members=[("ada", Role.OWNER)])
        await database.close()
        yield (first, second), account


@asynccontextmanager
async def watching(gateway: GatewayProcess, account: int) -> AsyncIterator[Client]:
    """Lend a socket that is subscribed to the balance."""
    url = f"ws://127.0.0.1:{gateway.port}/graphql"
    async with connect_socket(url, subprotocols=[GRAPHQL_WS], compression=None) as connection:
        client = Client(connection)
        payload = {"Authorization": f"Bearer {gateway.token('ada')}"}
        await client.send({"type": "connection_init", "payload": payload})
        assert await client.hear() == {"type": "connection_ack"}
        await client.subscribe(BALANCE, account)
        yield client


async def pay(client: httpx.AsyncClient, number: int) -> int:
    """Send the webhook of a new payment of 119 USD; return the answer's status."""
    paid = charge(id=f"ch_{number}", payment_intent=None, metadata={"account": "acme"})
    body = json.dumps(event("charge.succeeded", paid, at=61, event_id=f"evt_{number}")).encode()
    headers = {"stripe-signature": signed(body, at=time.time())}
    return (await client.post("/webhooks/stripe", content=body, headers=headers)).status_code


async def version_of(client: Client) -> int:
    """Return the ledger's version in the next message, which must be one of the balance."""
    payload = await client.next()
    assert payload.keys() == {"data"}, payload
    version: int = payload["data"]["balanceUpdated"]["version"]
    return version
