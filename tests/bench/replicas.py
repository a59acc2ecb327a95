"""How long a webhook to one gateway takes to a WebSocket subscriber of another, on one Postgres.

    python -m tests.bench.replicas [--webhooks 200]

From before the webhook is sent until the balance with it has arrived; one after the other.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import httpx

from tests.support.postgres import own_postgres
from tests.support.replicas import pay, two_gateways, version_of, watching

WARM_UP = 20


async def measure(url: str, folder: Path, webhooks: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds until each answer and each arrival."""
    answers, arrivals = [], []
    async with (
        two_gateways(url, folder) as ((first, second), account),
        watching(second, account) as subscriber,
        httpx.AsyncClient(base_url=first.url, timeout=30) as client,
    ):
        await version_of(subscriber)
        for number in range(1, WARM_UP + webhooks + 1):
            began = time.perf_counter()
            arrival = asyncio.create_task(version_of(subscriber))
            assert await pay(client, number) == 200
            answers.append((time.perf_counter() - began) * 1000)
            assert await arrival == number
            arrivals.append((time.perf_counter() - began) * 1000)
    return answers[WARM_UP:], arrivals[WARM_UP:]


def show(name: str, milliseconds: list[float]) -> None:
    parts = statistics.quantiles(milliseconds, n=100, method="inclusive")
    print(f"{name:<46} p50 {parts[49]:6.1f} ms   p99 {parts[98]:6.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--webhooks", type=int, default=200)
    options = parser.parse_args()
    with own_postgres() as postgres, tempfile.TemporaryDirectory() as folder:
        answers, arrivals = asyncio.run(measure(postgres.url, Path(folder), options.webhooks))
    print(f"{options.webhooks} webhooks to one gateway, each with a purchase and a receipt.")
    show("answered", answers)
    show("arrived at a subscriber of another gateway", arrivals)


if __name__ == "__main__":
    main()
