"""Events of requests: reads and refusals, which no transaction of a deed carries."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

from gateway.audit.deeds import Act, cells, with_other_keys
from gateway.clock import Clock
from gateway.errors import KeyTaken
from gateway.observability.metrics import ObservedValue
from gateway.principal import Actor
from gateway.store import Database, audit_events
from gateway.store.audit_events import AuditCells
from gateway.work.loops import Loops

ACTOR: Final = Actor.job("audit")

WRITE_SECONDS: Final = 1
MOST_PENDING: Final = 10_000
"""Most events that wait to be written; further ones are dropped and counted."""


class AuditBuffer:
    """Writes events together, every second and at the end. Requests do not wait for it; a process
    that is killed loses those of its last second.
    """

    def __init__(self, database: Database, clock: Clock, loops: Loops) -> None:
        self._database = database
        self._clock = clock
        self._pending: list[AuditCells] = []
        self._dropped = 0
        self._loop = loops.make(
            "audit.write", self._write, seconds=WRITE_SECONDS, at_once=False, at_end=True
        )

    def add(self, act: Act, actor: Actor, result: str) -> None:
        """Keep an event; it is written in the background."""
        if len(self._pending) >= MOST_PENDING:
            self._dropped += 1
        else:
            self._pending.append(cells(act, actor, result=result, at=self._clock.now()))

    def writing(self) -> AbstractAsyncContextManager[None]:
        """Write events in the background, and the remaining ones at the end."""
        return self._loop.running()

    def metrics(self) -> Sequence[ObservedValue]:
        """Return the metrics of the events that wait and that were dropped."""
        return (
            ObservedValue(
                name="gateway_audit_pending",
                text="Audit events of requests that wait to be written.",
                read=lambda: len(self._pending),
            ),
            ObservedValue(
                name="gateway_audit_dropped",
                text="Audit events of requests that were not kept: too many waited.",
                read=lambda: self._dropped,
                grows=True,
            ),
        )

    async def _write(self) -> None:
        pending = self._pending[:]
        if not pending:
            return
        try:
            await self._append(pending)
        except KeyTaken:
            await self._append(with_other_keys(pending))
        del self._pending[: len(pending)]

    async def _append(self, events: Sequence[AuditCells]) -> None:
        async with self._database.writing(ACTOR) as transaction:
            await audit_events.append(transaction, events)
