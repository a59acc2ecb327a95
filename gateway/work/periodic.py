"""Periodic tasks: one row each, which is taken like a job and then waits for its next time."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from gateway.ids import KeyFactory
from gateway.store import Transaction, jobs
from gateway.work.jobs import NoPayload, Task, spread

JITTER: Final = 0.1
"""Share by which the pauses differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Periodic:
    """A task that runs about every `seconds`, in one process at a time, however many there are.

    The pause counts from the end of a run. A run that fails is logged, and the next one comes after
    the same pause. The first one comes at once, or after a pause.
    """

    task: Task[NoPayload]
    seconds: float
    at_once: bool = True

    def pause_milliseconds(self) -> int:
        """Return the time from the end of a run to the next one."""
        return int(spread(self.seconds, JITTER) * 1000)


async def ensure_periodic(
    transaction: Transaction, periodic: Collection[Periodic], keys: KeyFactory
) -> None:
    """Make the rows that are missing. A row that waits for longer than its task's pause, which may
    have become shorter, is brought forward.
    """
    for each in periodic:
        pause = each.pause_milliseconds()
        row = jobs.NewJob(
            id=keys.new(),
            account_id=None,
            queue=each.task.queue,
            task=each.task.name,
            payload=each.task.dump(NoPayload()),
            lock=None,
            queueing_lock=None,
            delay_milliseconds=0 if each.at_once else pause,
        )
        await jobs.ensure_periodic(transaction, row, pause_milliseconds=pause)
