"""Gates: they let a number of requests run at once.

The next requests wait a moment, in turn by principal; beyond that they are refused before they cost
anything.
"""

import asyncio
import math
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from gateway.errors import ServiceUnavailable
from gateway.settings.admission import AdmissionSettings
from gateway.settings.database import DatabaseSettings

_PRINCIPAL_SHARE: Final = 0.75
"""Of the requests that run at once, those that one principal may run."""

_NEWEST_SHARE: Final = 0.1
"""Of the average time between two free places, that of the newest."""
_FEWEST_WRITES: Final = 2

OVERLOADED: Final = "The server is busy; please try again."
DELAYED: Final = "delayed"
FULL: Final = "full"
EXPIRED: Final = "expired"
REASONS: Final = (DELAYED, FULL, EXPIRED)
"""Why a gate refuses: an earlier request of the principal waits too long, no place to wait is free,
or the request itself waited too long.
"""


class AdmissionGate:
    """Lets `running` requests run at once; `waiting` others wait in turn by principal.

    One principal runs at most three quarters of them at once, so that its slow requests leave room
    for others. A request is refused with ServiceUnavailable at once where an earlier one of its
    principal waits and has waited for `delay_seconds`, or where its own wait would be longer, as
    fast as places become free; or where no place to wait is free. In the end it is refused if it
    did not run within `wait_seconds`. A new principal takes the place of the newest request of the
    principal with the most.
    """

    def __init__(
        self, *, running: int, waiting: int, delay_seconds: float, wait_seconds: float
    ) -> None:
        self.running = 0
        self.waiting = 0
        self.refused: Counter[str] = Counter()
        """Refused requests by reason: DELAYED, FULL or EXPIRED."""
        self._most_running = running
        self._most_by_principal = math.ceil(running * _PRINCIPAL_SHARE)
        self._most_waiting = waiting
        self._delay_seconds = delay_seconds
        self._wait_seconds = wait_seconds
        self._freed_at = 0.0
        """Time at which a place last became free while others waited; 0 where none did."""
        self._interval = 0.0
        """Seconds between two places that become free while others wait, averaged."""
        self._held: dict[str, int] = {}
        self._queues: dict[str, deque[_Waiter]] = {}
        """By principal; the first of the dictionary is the next in turn."""

    def admitted(self, principal: str) -> "_Admission":
        """Run the block once it is admitted. Entering raises ServiceUnavailable."""
        return _Admission(self, principal)

    def try_enter(self, principal: str) -> bool:
        """Take a place if one is free for the principal."""
        held = self._held.get(principal, 0)
        if self.running >= self._most_running or held >= self._most_by_principal:
            return False
        self.running += 1
        self._held[principal] = held + 1
        return True

    async def wait(self, principal: str) -> None:
        """Wait for a place and take it. Raises ServiceUnavailable."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        queue = self._queues.get(principal)
        if queue and max(now - queue[0].since, self._expected(len(queue))) > self._delay_seconds:
            raise self._refusal(DELAYED)
        if self.waiting >= self._most_waiting:
            self._make_room(len(queue) if queue else 0)
        waiter = _Waiter(loop.create_future(), now)
        self._queues.setdefault(principal, deque()).append(waiter)
        self.waiting += 1
        timer = loop.call_at(now + self._wait_seconds, self._expire, principal, waiter)
        try:
            await waiter.place
        except asyncio.CancelledError:
            self._forget(principal, waiter)
            if not waiter.place.cancelled() and waiter.place.exception() is None:
                self.leave(principal)  # the place was given a moment before
            raise
        finally:
            timer.cancel()

    def leave(self, principal: str) -> None:
        """Give the place back: the next one that waits gets it."""
        self.running -= 1
        held = self._held[principal] - 1
        if held:
            self._held[principal] = held
        else:
            del self._held[principal]
        if self.waiting:
            self._count_freed()
            self._admit_next()
        elif self._freed_at:
            self._freed_at = 0.0

    def _count_freed(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._freed_at:
            newest = now - self._freed_at
            known = self._interval or newest
            self._interval = known + _NEWEST_SHARE * (newest - known)
        self._freed_at = now

    def _expected(self, own: int) -> float:
        """Return the seconds that a principal's next request would wait behind its `own`."""
        before = min(self.waiting, (own + 1) * len(self._queues))
        return before * self._interval

    def _admit_next(self) -> None:
        for principal, queue in self._queues.items():
            # One that was cancelled stays in the queue until its own turn of the event loop.
            waiter = next((each for each in queue if not each.place.done()), None)
            if waiter is not None and self.try_enter(principal):
                self._forget(principal, waiter)
                if queue:
                    self._queues[principal] = self._queues.pop(principal)  # the last in turn
                waiter.place.set_result(None)
                return

    def _make_room(self, own: int) -> None:
        """Refuse the newest request of the principal with the most, or the new one if that is its
        own principal.
        """
        if not self._queues:
            raise self._refusal(FULL)
        principal, queue = max(self._queues.items(), key=lambda item: len(item[1]))
        if len(queue) <= own + 1:
            raise self._refusal(FULL)
        self._refuse(principal, queue[-1], FULL)

    def _expire(self, principal: str, waiter: "_Waiter") -> None:
        if not waiter.place.done():
            self._refuse(principal, waiter, EXPIRED)

    def _refuse(self, principal: str, waiter: "_Waiter", reason: str) -> None:
        self._forget(principal, waiter)
        if not waiter.place.done():
            waiter.place.set_exception(self._refusal(reason))

    def _forget(self, principal: str, waiter: "_Waiter") -> None:
        if not waiter.is_queued:
            return
        waiter.is_queued = False
        queue = self._queues[principal]
        queue.remove(waiter)
        if not queue:
            del self._queues[principal]
        self.waiting -= 1

    def _refusal(self, reason: str) -> ServiceUnavailable:
        self.refused[reason] += 1
        return ServiceUnavailable(OVERLOADED)


class _Waiter:
    """A request that waits; `place` has a result once it is admitted, else an exception."""

    __slots__ = ("is_queued", "place", "since")

    def __init__(self, place: asyncio.Future[None], since: float) -> None:
        self.is_queued = True
        self.place = place
        self.since = since


class _Admission:
    """A place of a gate, held while entered."""

    __slots__ = ("_gate", "_principal")

    def __init__(self, gate: AdmissionGate, principal: str) -> None:
        self._gate = gate
        self._principal = principal

    async def __aenter__(self) -> None:
        if not self._gate.try_enter(self._principal):
            await self._gate.wait(self._principal)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._gate.leave(self._principal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """The gates of one process: `reads` for GraphQL operations and REST reads, `writes` for REST
    writes, which wait for one another's locks.
    """

    reads: AdmissionGate
    writes: AdmissionGate

    def refused(self) -> Iterable[tuple[tuple[str, ...], int]]:
        """Return the number of refused requests by gate and reason."""
        for name, gate in (("reads", self.reads), ("writes", self.writes)):
            for reason in REASONS:
                yield (name, reason), gate.refused[reason]


def admission_gates(limits: AdmissionSettings, database: DatabaseSettings) -> Gates:
    """Return the gates of one process."""
    return Gates(
        reads=AdmissionGate(
            running=limits.running or database.pool_size,
            waiting=limits.waiting,
            delay_seconds=limits.delay_seconds,
            wait_seconds=database.pool_wait_seconds,
        ),
        writes=AdmissionGate(
            running=limits.writing or _writing(database),
            waiting=limits.waiting,
            delay_seconds=database.pool_wait_seconds,
            wait_seconds=database.pool_wait_seconds,
        ),
    )


def _writing(database: DatabaseSettings) -> int:
    """Return the default number of writes at once. SQLite writes one at a time: meanwhile the next
    one is read.
    """
    return max(_FEWEST_WRITES, database.pool_size // 2) if database.is_postgres else _FEWEST_WRITES
