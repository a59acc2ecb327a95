"""Long transfers let short requests go first.

A transfer always has work at hand, and a request needs several turns of the event loop: it would
wait for a part of the file in each of them.
"""

import asyncio
from collections import deque
from contextlib import suppress
from time import perf_counter
from typing import Final, Protocol

LATELY_SECONDS: Final = 0.05
"""Age from which on a request is no longer let go first: it is a stream, or long itself."""
PAUSE_SECONDS: Final = 0.01
"""Longest pause of a transfer before its next part, however many requests come."""
_LATEST: Final = 64


class Arrived(Protocol):
    """A request: when it came, in seconds of `time.perf_counter`, and whether it is answered."""

    began: float
    is_over: bool


class Arrivals:
    """The latest requests of a process."""

    __slots__ = ("_latest", "_paused")

    def __init__(self) -> None:
        self._latest: deque[Arrived] = deque(maxlen=_LATEST)
        self._paused: list[asyncio.Future[None]] = []

    def begin(self, request: Arrived) -> None:
        """Add a request that has just come."""
        self._latest.append(request)

    def finish(self, request: Arrived) -> None:
        """Wake the transfers that pause: a request is answered."""
        request.is_over = True
        latest, earliest = self._latest, perf_counter() - LATELY_SECONDS
        while latest and (latest[0].is_over or latest[0].began < earliest):
            latest.popleft()
        if self._paused:
            paused, self._paused = self._paused, []
            for each in paused:
                if not each.done():
                    each.set_result(None)

    async def give_way(self, own: Arrived) -> None:
        """Return when no other request that came lately waits for its answer, after PAUSE_SECONDS
        at the latest.
        """
        await asyncio.sleep(0)  # so that requests that are being read begin
        if not self._others_wait(own):
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_SECONDS):
                while self._others_wait(own):
                    paused = asyncio.get_running_loop().create_future()
                    self._paused.append(paused)
                    await paused

    def _others_wait(self, own: Arrived) -> bool:
        earliest = perf_counter() - LATELY_SECONDS
        return any(
            each.began > earliest and not each.is_over and each is not own for each in self._latest
        )
