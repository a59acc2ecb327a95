"""Streams that nobody reads are ended, and so are their connections."""

import asyncio
import logging
import socket
from itertools import count
from pathlib import Path

import orjson
import pytest
from pydantic import SecretStr

from gateway.billing.credits.posting import adjust_balance
from gateway.billing.ledger.source_key import SourceKey
from gateway.errors import NotFound
from gateway.ids import encode_global_id
from gateway.live.hub import Update
from gateway.principal import Role
from gateway.settings import load_settings
from gateway.store import connect
from gateway.transports.sse import EventStream
from tests.support.books import NOW, Books, usd
from tests.support.edge import eventually
from tests.support.live import gateway
from tests.support.patience import PATIENCE_SECONDS

# 60 kB an event, so that the buffers below are soon full.
FIELDS = " ".join(f"a{n:02}{'x' * 2_000}: version" for n in range(29))
DOCUMENT = f"subscription($account: ID!) {{ balanceUpdated(accountId: $account) {{ {FIELDS} }} }}"


async def test_a_stream_that_nobody_reads_is_broken_off(
    postgres_database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = await connect(load_settings(database_url=SecretStr(postgres_database_url)))
    books = Books(database)
    account_id = await books.account("acme", members=[("ada", Role.OWNER)])
    variables = {"account": encode_global_id("Account", account_id)}
    body = orjson.dumps({"query": DOCUMENT, "variables": variables})
    async with gateway(postgres_database_url, tmp_path, live_unread_seconds=1) as served:
        with socket.socket() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            peer.connect(("127.0.0.1", served.port))
            peer.sendall(
                b"POST /graphql/stream HTTP/1.1\r\nhost: 127.0.0.1\r\n"
                b"content-type: application/json\r\nauthorization: Bearer %s\r\n"
                b"content-length: %d\r\n\r\n%s" % (served.token("ada").encode(), len(body), body)
            )
            await served.watched_by(1)
            # Until the buffers are full, however many a busy machine makes one event of.
            numbers = count()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while served.count("gateway_subscriptions"):
                    await credit(books, account_id, f"a:{next(numbers)}")
            await eventually(lambda: not served.server.server_state.connections)
    await database.close()
    assert [each.getMessage() for each in caplog.records if each.levelno > logging.INFO] == []


async def credit(books: Books, account_id: int, key: str) -> None:
    async with books.open([account_id]) as book:
        adjust_balance(
            book, account_id, usd("1"), source=SourceKey.adjustment(key), occurred_at=NOW
        )


async def test_nothing_follows_the_end_of_a_stream() -> None:
    stream = EventStream()
    stream.end(NotFound("It is not yours any more."))
    stream.offer(Update(revision=1, key=0, payload=b"{}"))
    text = await stream.wait(1)
    assert text.count(b"event: next") == 1
    assert text.endswith(b"event: complete\ndata:\n\n")
