"""The loops of a process: written once, and counted.

A loop is for work that every process does for itself: flushing its buffers, listening, checking its
own connections. Work that one process does for all of them is a periodic task
(`gateway.work.periodic`).
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final, Literal, TypeAlias

import structlog

from gateway.errors import GatewayError

LEAST_RETRY_SECONDS: Final = 0.05
FIRST_RETRY_SECONDS: Final = 0.4
JITTER: Final = 0.1
STOP_SECONDS: Final = 1
"""How long a step may go on when its loop is left; then it is cancelled."""

log = structlog.get_logger(__name__)

Outcome: TypeAlias = Literal["done", "failed"]
Step: TypeAlias = Callable[[], Awaitable[float | None]]
"""One turn of a loop; returns the seconds until the next one, None for the loop's interval."""


class LoopOver(Exception):
    """Raised by a step: its loop has nothing more to do."""


class Loops:
    """Makes the loops of a process, and counts their steps by name and outcome."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, Outcome]] = Counter()

    @property
    def counts(self) -> Mapping[tuple[str, Outcome], int]:
        """Steps by loop and outcome."""
        return self._counts

    def make(
        self,
        name: str,
        step: Step,
        *,
        seconds: float,
        at_once: bool = True,
        failed_seconds: float | None = None,
        stop_seconds: float = STOP_SECONDS,
        at_end: bool = False,
    ) -> "Loop":
        """Return a loop that is not running yet. See `Loop`."""
        self._counts |= Counter({(name, "done"): 0})
        return Loop(
            name,
            step,
            count=lambda outcome: self._counts.update([(name, outcome)]),
            seconds=seconds,
            at_once=at_once,
            failed_seconds=seconds if failed_seconds is None else failed_seconds,
            stop_seconds=stop_seconds,
            at_end=at_end,
        )


class Loop:
    """Runs a step about every `seconds` (a tenth less or more), the first time at once or after an
    interval.

    A step that fails is logged, and tried again after a random pause: of up to 0.4 seconds, then up
    to twice as long each time, and `failed_seconds` at most. `wake` ends a pause. When the loop is
    left, a step may go on for `stop_seconds`, with `at_end` once more; then it is cancelled.
    """

    def __init__(
        self,
        name: str,
        step: Step,
        *,
        count: Callable[[Outcome], None],
        seconds: float,
        at_once: bool,
        failed_seconds: float,
        stop_seconds: float,
        at_end: bool,
    ) -> None:
        self._name = name
        self._step = step
        self._count = count
        self._seconds = seconds
        self._at_once = at_once
        self._failed_seconds = failed_seconds
        self._stop_seconds = stop_seconds
        self._at_end = at_end
        self._failures = 0
        self._woken = asyncio.Event()
        self._leaving = False

    def wake(self) -> None:
        """Run the step now; while it runs, once more after it."""
        self._woken.set()

    def recovered(self) -> None:
        """Forget earlier failures: the step, which goes on for long, has begun well."""
        self._failures = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run beside the caller's block."""
        self._leaving = False
        task = asyncio.create_task(self.run(), name=self._name)
        try:
            yield
        finally:
            self._leaving = True
            self._woken.set()
            try:
                await asyncio.wait([task], timeout=self._stop_seconds)
            finally:
                task.cancel()
                await asyncio.wait([task])

    async def run(self) -> None:
        """Run until the loop is left, its step raises `LoopOver`, or the caller is cancelled."""
        pause = 0 if self._at_once else _spread(self._seconds)
        while True:
            await self._pause(pause)
            is_last = self._leaving
            if is_last and not self._at_end:
                return
            self._woken.clear()
            try:
                next_pause = await self._step()
            except LoopOver:
                self._count("done")
                return
            except Exception as error:  # whatever it is, the loop goes on
                pause = self._failed(error)
            else:
                self._failures = 0
                self._count("done")
                pause = _spread(self._seconds) if next_pause is None else next_pause
            if is_last:
                return

    def _failed(self, error: Exception) -> float:
        self._count("failed")
        self._failures += 1
        if isinstance(error, GatewayError):
            log.warning("loop.failed", loop=self._name, reason=error.message)
        else:
            log.error("loop.failed", loop=self._name, exc_info=error)
        growing = FIRST_RETRY_SECONDS * float(2 ** min(self._failures - 1, 20))
        longest = min(self._failed_seconds, growing)
        # As much chance as there is: after an outage, processes do not come back all at once.
        return random.uniform(min(LEAST_RETRY_SECONDS, longest), longest)  # noqa: S311

    async def _pause(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        # Not `wait_for`, which before Python 3.12 swallows a cancellation that comes with a wake.
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()


def _spread(seconds: float) -> float:
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # only spreads load
