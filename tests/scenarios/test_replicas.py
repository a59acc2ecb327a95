"""Two gateways on one Postgres: what one hears, the other tells, whatever happens meanwhile."""

import asyncio
import time
from pathlib import Path

import httpx

from tests.support.live import Client
from tests.support.patience import PATIENCE_SECONDS
from tests.support.postgres import OwnPostgres, own_postgres
from tests.support.replicas import pay, two_gateways, version_of, watching

RETURN_SECONDS = 5
HEARD_SECONDS = 0.5
OUTAGES = 3
"""At most so many are tried: a machine that is busy may be late for one."""


async def version_reached(client: Client, version: int) -> None:
    """Read balances, and nothing else, until one is of this version."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await version_of(client) < version:
            pass


async def seconds_to_hear(paid: httpx.AsyncClient, client: Client, number: int) -> float:
    """Return how long after the answer to a webhook a subscriber of the other gateway has it."""
    assert await pay(paid, number) == 200
    answered = time.monotonic()
    await version_reached(client, number)
    return time.monotonic() - answered


async def paid_when_it_can_be(client: httpx.AsyncClient, number: int) -> None:
    for _ in range(10 * PATIENCE_SECONDS):
        if await pay(client, number) == 200:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the database did not come back")


async def seconds_to_return(
    postgres: OwnPostgres, paid: httpx.AsyncClient, subscribers: tuple[Client, ...], number: int
) -> float:
    """Return how long after an outage subscribers hear of what was paid."""
    await asyncio.to_thread(postgres.stop)
    assert await pay(paid, number) == 503
    await asyncio.to_thread(postgres.start)
    await paid_when_it_can_be(paid, number)
    # Booked before anybody listens again, as likely as not.
    booked = time.monotonic()
    for each in subscribers:
        await version_reached(each, number)
    return time.monotonic() - booked


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

            times = [await seconds_to_hear(to_first, there, number) for number in range(2, 12)]
            await version_reached(here, 11)
            # A busy machine may be late for one.
            assert sorted(times)[-2] < HEARD_SECONDS

            last = 11
            for _ in range(OUTAGES):
                last += 1
                took = await seconds_to_return(postgres, to_first, (there, here), last)
                if took < RETURN_SECONDS:
                    break
            assert took < RETURN_SECONDS

            await first.kill()
            assert await pay(to_second, last + 1) == 200
            await version_reached(there, last + 1)
