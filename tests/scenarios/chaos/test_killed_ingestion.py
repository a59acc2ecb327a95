"""Gateways that are killed while meters send: nothing is lost, halved or counted twice.

KILLS=20 make test ARGS=tests/scenarios/chaos/test_killed_ingestion.py
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import httpx
import orjson
import pytest

from gateway.principal import Permission
from gateway.store import Database
from tests.support.books import Books
from tests.support.processes import GatewayProcess, gateway_process
from tests.support.served import issued_key
from tests.support.tables import all_rows

KILLS = int(os.environ.get("KILLS", "1"))
METERS = 4
GATEWAYS = min(METERS, KILLS + 1)
EVENTS = 100
BATCHES = 30
"""What a meter has to say; then it says it again."""
PAUSE_SECONDS = 0.02
RETURN_SECONDS = 15
ACCOUNTS = ("acme", "beta")
FIRST = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)


def batch(meter: int, number: int) -> bytes:
    """Return a meter's batch, the same each time; the meters share the accounts."""
    return orjson.dumps([event(meter, number, position) for position in range(EVENTS)])


def event(meter: int, number: int, position: int) -> dict[str, Any]:
    start = FIRST + timedelta(seconds=60 * number + position)
    return {
        "account": ACCOUNTS[position % 2],
        "source": f"meter-{meter}",
        "id": f"{number}-{position}",
        "deployment": {"externalId": f"box-{position % 7}"},
        "resource": "GPU",
        "quantity": "0.25",
        "unit": "gpu-hour",
        "amount": f"0.000{meter}{position:03}",
        "currency": "USD",
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=1)).isoformat(),
    }


@pytest.fixture
async def gateways(
    database: Database, database_url: str, tmp_path: Path
) -> AsyncIterator[list[GatewayProcess]]:
    """Several on Postgres; on SQLite one serves all meters."""
    count = GATEWAYS if database.dialect == "postgresql" else 1
    async with AsyncExitStack() as stack:
        processes = (gateway_process(database_url, tmp_path) for _ in range(count))
        yield await asyncio.gather(*map(stack.enter_async_context, processes))


@pytest.fixture
async def key(database: Database) -> str:
    books = Books(database)
    for name in ACCOUNTS:
        await books.account(name)
    made = await issued_key(database, Permission.USAGE_WRITE)
    return made.text


async def send(gateway: GatewayProcess, key: str, body: bytes) -> dict[str, Any]:
    """Send a batch until it is answered, as a meter does."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    async with httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=30) as client:
        while True:
            with suppress(httpx.TransportError):
                answer = await client.post("/v1/usage-events", content=body)
                if answer.status_code == 200:
                    found: dict[str, Any] = answer.json()
                    return found
                assert answer.status_code in {429, 503}, answer.text
            await asyncio.sleep(0.05)


@pytest.mark.timeout(300 + 20 * KILLS)
async def test_killed_gateways_leave_books_that_are_right_and_batches_that_can_be_sent_again(
    database: Database, gateways: list[GatewayProcess], key: str
) -> None:
    over = asyncio.Event()
    sent: list[set[int]] = [set() for _ in range(METERS)]

    async def meter(number: int) -> None:
        for each in cycle(range(BATCHES)):
            if over.is_set():
                break
            answer = await send(gateways[number % len(gateways)], key, batch(number, each))
            assert answer["accepted"] + answer["duplicates"] == EVENTS, answer
            sent[number].add(each)
            await asyncio.sleep(PAUSE_SECONDS)

    async def again(number: int) -> None:
        for each in sent[number]:
            answer = await send(gateways[number % len(gateways)], key, batch(number, each))
            assert answer == {"accepted": 0, "duplicates": EVENTS, "rejected": []}

    chance = Random(KILLS)
    async with asyncio.TaskGroup() as meters:
        for number in range(METERS):
            meters.create_task(meter(number))
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.05, 0.8))
            struck = chance.choice(gateways)
            await struck.kill()
            began = time.monotonic()
            await struck.start()
            assert time.monotonic() - began < RETURN_SECONDS
        over.set()

    assert await gateways[0].command("doctor") == "No difference in 2 accounts."
    before = await all_rows(database)
    assert all(sent)
    assert len(before["usage_event"]) == EVENTS * sum(map(len, sent))
    await asyncio.gather(*map(again, range(METERS)))
    assert await all_rows(database) == before
