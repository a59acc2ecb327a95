"""The Python client gql: it subscribes, loses the gateway and comes back."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportError
from gql.transport.websockets import WebsocketsTransport

from gateway.billing.credits.posting import adjust_balance
from gateway.billing.ledger.source_key import SourceKey
from gateway.ids import encode_global_id
from gateway.principal import Role
from gateway.store import Database
from tests.support.books import NOW, Books, usd
from tests.support.live import BALANCE, Gateway, gateway


async def test_it_subscribes_and_comes_back_to_the_balance_of_now(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    books = Books(database)
    account = await books.account("acme", members=[("ada", Role.OWNER)])
    request = GraphQLRequest(
        BALANCE, variable_values={"account": encode_global_id("Account", account)}
    )
    async with AsyncExitStack() as clients:
        async with gateway(database_url, tmp_path / "data") as first:
            session = await clients.enter_async_context(client_of(first))
            events = session.subscribe(request)
            assert summary(await anext(events)) == (0, "SNAPSHOT")
            await adjust(books, account, "a:1")
            assert summary(await anext(events)) == (1, "ADJUSTMENT")
        with pytest.raises((TransportError, StopAsyncIteration)):
            await anext(events)
    await adjust(books, account, "a:2")
    async with (
        gateway(database_url, tmp_path / "data", port=first.port) as second,
        client_of(second) as again,
    ):
        events = again.subscribe(request)
        assert summary(await anext(events)) == (2, "SNAPSHOT")
        await events.aclose()


def client_of(served: Gateway) -> Client:
    transport = WebsocketsTransport(
        url=f"ws://127.0.0.1:{served.port}/graphql",
        init_payload={"Authorization": f"Bearer {served.token('ada')}"},
    )
    return Client(transport=transport)


def summary(event: dict[str, dict[str, object]]) -> tuple[object, object]:
    return event["balanceUpdated"]["version"], event["balanceUpdated"]["cause"]


async def adjust(books: Books, account_id: int, key: str) -> None:
    async with books.open([account_id]) as book:
        adjust_balance(
            book, account_id, usd("1"), source=SourceKey.adjustment(key), occurred_at=NOW
        )
