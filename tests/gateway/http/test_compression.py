"""Answers and files are compressed for clients that accept it; event streams are not."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from gateway.ids import encode_global_id
from gateway.principal import Permission
from gateway.store import Database
from tests.support.rows import account, purchase, put
from tests.support.served import Served, serving

LARGE = {"query": "{ __schema { types { name description fields { name description } } } }"}
SMALL = {"query": "{ __typename }"}
EXPORT = f"/exports/credit-purchases?account={encode_global_id('Account', 1)}&format=CSV"
PLAIN = {"accept-encoding": "identity"}


@pytest.fixture
async def served(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(database, database_url, tmp_path) as served:
        yield served


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
async def test_an_answer_is_compressed_and_says_the_same(served: Served, encoding: str) -> None:
    key = await served.key(Permission.BILLING_READ)
    accepting = key | {"accept-encoding": encoding}
    plain = await served.client.post("/graphql", json=LARGE, headers=key | PLAIN)
    packed = await served.client.post("/graphql", json=LARGE, headers=accepting)
    small = await served.client.post("/graphql", json=SMALL, headers=accepting)
    assert packed.headers["content-encoding"] == encoding
    assert "accept-encoding" in packed.headers["vary"].lower()
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    assert packed.content == plain.content
    assert not {"content-encoding"} & (plain.headers.keys() | small.headers.keys())


async def test_an_export_is_compressed_and_says_the_same(served: Served) -> None:
    await put(served.database, account(1), *(purchase(1, n) for n in range(1, 200)))
    key = await served.key(Permission.BILLING_READ)
    plain = await served.client.get(EXPORT, headers=key | PLAIN)
    packed = await served.client.get(EXPORT, headers=key | {"accept-encoding": "gzip"})
    assert (plain.status_code, packed.status_code) == (200, 200)
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["x-export-rows"] == plain.headers["x-export-rows"] == "199"
    assert packed.content == plain.content
    assert packed.num_bytes_downloaded < len(plain.content) / 3


async def test_an_event_stream_is_not_compressed(served: Served) -> None:
    headers = await served.key(Permission.BILLING_READ) | {"accept-encoding": "gzip"}
    body = {"query": "{ __schema { types { name description } } }"}
    answer: httpx.Response = await served.client.post(
        "/graphql/stream", json=body, headers=headers | {"accept": "text/event-stream"}
    )
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "content-encoding" not in answer.headers
    assert len(answer.content) > 1_024
