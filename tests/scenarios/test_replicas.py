"""Two gateways on one Postgres: what one hears, the other tells, whatever happens meanwhile."""

import asyncio
import time
from pathlib import Path

import httpx

from tests.support.live import Client
from tests.support.postgres import own_postgres
from tests.support.replicas import pay, two_gateways, version_of, watching

RETURN_SECONDS = 5
PATIENCE_SECONDS = 20
"""How long a loaded machine may take where nothing is promised."""


async def version_reached(client: Client, version: int) -> None:
    """Read balances, and nothing else, until one is of this version."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await version_of(client) < version:
            pass


async def paid_when_it_can_be(client: httpx.AsyncClient, number: int) -> None:
    for _ in range(10 * PATIENCE_SECONDS):
        if await pay(client, number) == 200:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the database did not come back")


async def test_a_webhook_to_one_reaches_subscribers_of_the_other_through_every_failure(
    tmp_path: Path,
) -> None:
    with own_postgres() as postgres:
        async with (
            two_gateways(postgres.url, tmp_path) as ((first, second), account),
            watching(first, account) as here,
            watching(second, account) as there,
            httpx.AsyncClient(base_url=first.url, timeout=30) as to_first,
            httpx.AsyncClient(base_url=second.url, timeout=30) as to_second,
        ):
            assert (await version_of(here), await version_of(there)) == (0, 0)
            assert await pay(to_first, 1) == 200
            await version_reached(there, 1)
            await version_reached(here, 1)

            await asyncio.to_thread(postgres.stop)
            assert await pay(to_first, 2) == 503
            await asyncio.to_thread(postgres.start)
            await paid_when_it_can_be(to_first, 2)
            # Booked before anybody listens again, as likely as not.
            booked = time.monotonic()
            await version_reached(there, 2)
            await version_reached(here, 2)
            assert time.monotonic() - booked < RETURN_SECONDS

            await first.kill()
            assert await pay(to_second, 3) == 200
            await version_reached(there, 3)
