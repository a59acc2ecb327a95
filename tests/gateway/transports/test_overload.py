"""Three times the requests that the gateway can serve. Operations sleep, so that the capacity
depends little on the machine.
"""

import asyncio
import json
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

import psutil

from gateway.settings import load_settings
from tests.bench.arrivals import Arrivals, Overload
from tests.bench.load import Load, measure
from tests.support import application
from tests.support.edge import ADA, Listen

PLACES: Final = 8
OWN_PLACES: Final = math.ceil(PLACES * 0.75)
"""Those that one principal may take."""
OPERATION_SECONDS: Final = 0.25
MOST: Final = OWN_PLACES / OPERATION_SECONDS
"""Good answers a second of a machine that does nothing else."""
SECONDS: Final = 4
KEPT: Final = 0.7
REFUSAL_MILLISECONDS: Final = 100
POOL_WAIT_MILLISECONDS: Final = 1_000
"""Half of the time that a request may wait for a connection."""
RECOVERY_SECONDS: Final = 5
MEMORY_SECONDS: Final = 0.05
MEGABYTES: Final = 30
TRIES: Final = 3


async def test_three_times_the_capacity_keeps_most_of_its_rate(listen: Listen) -> None:
    settings = load_settings(environment="dev", admission_running=PLACES)
    load = Load(
        host="127.0.0.1",
        port=await listen(application.make_app(settings)),
        headers=dict(ADA),
        bodies=[json.dumps({"query": f"{{ sleep(seconds: {OPERATION_SECONDS}) }}"})],
        connections=2 * OWN_PLACES,
        seconds=SECONDS,
    )
    peak = await _peak(load)
    assert MOST / 2 < peak <= MOST
    async with growing() as grown:
        outcome = await Overload(Arrivals(load=load, rate=3 * MOST, peak=peak)).run()
    assert KEPT * peak <= outcome.good / SECONDS <= MOST
    # All others have a 503 with Retry-After, but for those that waited at the end.
    assert (outcome.failed, outcome.lost, outcome.unsent) == (0, 0, 0)
    assert outcome.refused == outcome.sent - outcome.good - outcome.late > MOST * SECONDS
    # Other work of the machine adds to some parts, and not to all.
    assert 0 < outcome.refusal_quiet_p99 < REFUSAL_MILLISECONDS
    assert outcome.refusal_p50 < REFUSAL_MILLISECONDS
    assert outcome.refusal_p99 < POOL_WAIT_MILLISECONDS
    assert outcome.recovery < RECOVERY_SECONDS
    assert max(grown) < MEGABYTES


async def _peak(load: Load) -> float:
    """Return the most good answers a second: the best of some tries on a busy machine."""
    best = 0.0
    for _ in range(TRIES):
        best = max(best, (await measure(replace(load, seconds=4 * OPERATION_SECONDS))).rate)
        if best > MOST / 2:
            break
    return best


@asynccontextmanager
async def growing() -> AsyncIterator[list[float]]:
    """Yield a list that gets the MB by which the process, with the clients in it, has grown."""
    process = psutil.Process()
    before, found = process.memory_info().rss, [0.0]

    async def look() -> None:
        while True:
            found.append((process.memory_info().rss - before) / 1_000_000)
            await asyncio.sleep(MEMORY_SECONDS)

    task = asyncio.create_task(look())
    yield found
    task.cancel()
