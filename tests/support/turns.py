"""How long work holds the event loop between two of its turns."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.support.cpu import frozen_heap


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
