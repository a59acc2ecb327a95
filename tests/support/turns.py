"""How long work holds the event loop between two of its turns."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from tests.support.cpu import frozen_heap

_RUNS: Final = 2
_MOST_RUNS: Final = 5


@dataclass(slots=True)
class Turns:
    """The longest work of this thread between two turns of its loop, seconds of CPU."""

    longest: float = 0.0


@asynccontextmanager
async def measured_turns() -> AsyncIterator[Turns]:
    """Measure the turns of the loop while entered, without the tracer of coverage: it makes code
    three times slower.
    """
    turns = Turns()

    async def others() -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(0)
            turns.longest = max(turns.longest, time.thread_time() - began)

    tracer = sys.gettrace()
    sys.settrace(None)
    task = asyncio.create_task(others())
    try:
        with frozen_heap():
            yield turns
    finally:
        task.cancel()
        sys.settrace(tracer)


async def least_longest(work: Callable[[], Awaitable[object]], enough: float) -> float:
    """Return the least of the longest work of some runs, in seconds of CPU: of more runs while that
    is more than `enough`. A collection of garbage may fall into one of them, or a machine that
    others slow down.
    """
    least = float("inf")
    for run in range(_MOST_RUNS):
        if run >= _RUNS and least <= enough:
            break
        async with measured_turns() as turns:
            await work()
        least = min(least, turns.longest)
    return least
