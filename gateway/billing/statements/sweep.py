"""Finds the accounts that lack a statement, and has a job issue those of each.

The accounts of before this feature get their past months in the same way, some months a job.
"""

from dataclasses import dataclass
from typing import Final

from gateway.billing.statements.issuing import GRACE, issue_next
from gateway.billing.statements.month import latest_ended
from gateway.clock import Clock
from gateway.ids import KeyFactory
from gateway.principal import Actor
from gateway.store import Database, Snapshot, Transaction, statements
from gateway.store.statements import DueZone
from gateway.windows import zone
from gateway.work.jobs import Job, NoPayload, Task
from gateway.work.outbox import Outbox
from gateway.work.periodic import Periodic
from gateway.work.tasks import Tasks

SWEEP_SECONDS: Final = 600
"""About how long a month that has ended may wait for its statements' jobs."""
MONTHS: Final = 6
"""Most statements that one job issues; for further ones there is another job."""
TOGETHER: Final = 500
"""Accounts of one statement, and of one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfAccount:
    """The account that a job issues statements for."""

    account_id: int


SWEEP: Final = Task(name="statements.sweep", payload=NoPayload, timeout_seconds=SWEEP_SECONDS)
ISSUE: Final = Task(
    name="statements.issue", payload=OfAccount, queue="statements", timeout_seconds=600
)


class StatementJobs:
    """Defers jobs and does them. `outbox` wakes the workers of this process. Unless it `is_on`,
    none are deferred, and jobs of before issue nothing.
    """

    def __init__(
        self, database: Database, clock: Clock, outbox: Outbox, *, is_on: bool = True
    ) -> None:
        self._database = database
        self._clock = clock
        self._keys = KeyFactory(clock)
        self._outbox = outbox
        self._is_on = is_on

    def register(self, tasks: Tasks) -> None:
        """Have one process sweep now and again, and every process issue statements."""
        if self._is_on:
            sweep = Periodic(task=SWEEP, seconds=SWEEP_SECONDS, at_once=False)
            tasks.add_periodic(sweep, self.sweep)
        tasks.add(ISSUE, self.issue)

    async def sweep(self) -> int:
        """Defer a job for each account that lacks a statement; return how many. An account with a
        job, also a dead one, gets no other one.
        """
        actor, after, deferred = Actor.job(SWEEP.name), -1, 0
        now = self._clock.now() - GRACE
        while True:
            async with Snapshot(self._database, actor) as snapshot:
                zones = [
                    DueZone(name, month.text, month.span(zone(name)).end)
                    for name in await statements.time_zones(snapshot)
                    for month in [latest_ended(now, zone(name))]
                ]
                found = (
                    await statements.due(
                        snapshot, zones, task=ISSUE.name, after=after, limit=TOGETHER
                    )
                    if zones
                    else []
                )
            if found:
                async with self._database.writing(actor) as transaction:
                    for account_id in found:
                        await self._defer(transaction, account_id)
            deferred += len(found)
            if len(found) < TOGETHER:
                return deferred
            after = found[-1]

    async def issue(self, job: Job[OfAccount]) -> None:
        """Issue the next statements of an account, MONTHS of them at most."""
        if not self._is_on:
            return
        actor, account_id = Actor.job(ISSUE.name), job.payload.account_id
        for _ in range(MONTHS):
            if not await issue_next(
                self._database, account_id, actor=actor, clock=self._clock, keys=self._keys
            ):
                return
        async with self._database.writing(actor) as transaction:
            await self._defer(transaction, account_id)

    async def _defer(self, transaction: Transaction, account_id: int) -> None:
        name = f"{ISSUE.name}:{account_id}"
        await self._outbox.defer(
            transaction,
            ISSUE,
            OfAccount(account_id=account_id),
            account_id=account_id,
            lock=name,
            queueing_lock=name,
        )
