"""The outbox: jobs written in the transaction that they continue."""

from collections.abc import Callable

from gateway.ids import KeyFactory
from gateway.store import Transaction, jobs
from gateway.work.jobs import P, Task


class Outbox:
    """Defers jobs. `wake` is called after the commit: this process looks for jobs at once."""

    def __init__(self, keys: KeyFactory, wake: Callable[[], None]) -> None:
        self._keys = keys
        self._wake = wake

    async def defer(
        self,
        transaction: Transaction,
        task: Task[P],
        payload: P,
        *,
        account_id: int | None = None,
        lock: str | None = None,
        queueing_lock: str | None = None,
        delay_seconds: float = 0,
    ) -> None:
        """Have a job done once the transaction is committed, and never if it is not.

        Jobs of one `lock` run one after another, in the order in which they were deferred. Of one
        `queueing_lock` at most one job waits: where one does, it gets this payload and the earlier
        time. Both are names of the whole database, such as `alerts:42`. Raises BadUserInput for a
        payload that is too long.
        """
        job = jobs.NewJob(
            id=self._keys.new(),
            account_id=account_id,
            queue=task.queue,
            task=task.name,
            payload=task.dump(payload),
            lock=lock,
            queueing_lock=queueing_lock,
            delay_milliseconds=int(delay_seconds * 1000),
        )
        await jobs.defer(transaction, job)
        if self._wake not in transaction.after_commit:
            transaction.after_commit.append(self._wake)
