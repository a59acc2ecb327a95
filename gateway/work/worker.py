"""The worker of a process: takes due jobs under a lease, runs them, and writes how they ended."""

import asyncio
import os
import secrets
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import structlog

from gateway.errors import Conflict, GatewayError
from gateway.ids import KeyFactory
from gateway.principal import Actor
from gateway.settings.work import WorkSettings
from gateway.store import Database, Snapshot, Transaction, job_control, jobs
from gateway.store.engine.database import within
from gateway.store.job_control import JobFigures
from gateway.store.jobs import Lease, TakenJob
from gateway.work.jobs import Job, Unrecoverable
from gateway.work.loops import Loops
from gateway.work.periodic import ensure_periodic
from gateway.work.tasks import Registered, Tasks

ACTOR: Final = Actor.job("worker")

FIGURES_SECONDS: Final = 15
WRITE_AGAIN_SECONDS: Final = 1
RELEASE_SECONDS: Final = 1
"""How long the stop waits for jobs that were cut off to be given back."""
LEAST_GRACE_SECONDS: Final = 0.5
LEASE_BITS: Final = 63
SAFE_SHARE: Final = 0.9
"""Share of a lease after which a job that could not be renewed is cancelled: before it ends."""

log = structlog.get_logger(__name__)

Outcome: TypeAlias = Literal["done", "failed", "dead", "released", "lost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """How an attempt ended. A job that waits again does so for `delay_milliseconds`."""

    outcome: Outcome
    delay_milliseconds: int = 0
    attempts: int = 0
    reason: str | None = None


@dataclass(slots=True, eq=False)
class _Held:
    """A job that this process runs; `timer` cancels it before a lease ends that was not renewed."""

    taken: TakenJob
    timer: asyncio.TimerHandle | None = None
    task: asyncio.Task[None] | None = None
    cancelled: Literal["lost", "released"] | None = None
    is_ending: bool = False

    @property
    def lease(self) -> Lease:
        return Lease(self.taken.id, self.taken.lease)

    def cancel(self, why: Literal["lost", "released"]) -> None:
        if self.task is not None and not self.is_ending:
            self.cancelled = self.cancelled or why
            self.task.cancel()


class Worker:
    """Runs the jobs of the tasks that this process knows, `concurrency` of each queue at once.

    It looks for due jobs every `poll_seconds`, when the next one is due, when a transaction of this
    process deferred one, and when a place becomes free. A look that finds nothing is one read. A
    lease that cannot be renewed ends its job here, before another process may take it.
    """

    def __init__(
        self,
        database: Database,
        tasks: Tasks,
        *,
        keys: KeyFactory,
        loops: Loops,
        settings: WorkSettings,
        grace_seconds: float,
    ) -> None:
        self._database = database
        self._tasks = tasks
        self._keys = keys
        self._settings = settings
        self._grace_seconds = grace_seconds
        self._name = f"{socket.gethostname()}/{os.getpid()}"[:100]
        self._held: dict[_Held, None] = {}
        self._is_prepared = False
        self._stopped_at: float | None = None
        self._finished: Counter[tuple[str, Outcome]] = Counter()
        self._looking = loops.make("work.look", self._look, seconds=settings.poll_seconds)
        self._renewing = loops.make(
            "work.renew", self._renew, seconds=settings.lease_seconds / 3, stop_seconds=0
        )
        self._counting = loops.make(
            "work.count", self._count, seconds=FIGURES_SECONDS, stop_seconds=0
        )
        self.figures = JobFigures(0, 0, 0, 0)

    @property
    def finished(self) -> Mapping[tuple[str, Outcome], int]:
        """Attempts that ended in this process, by task and outcome."""
        return self._finished

    def wake(self) -> None:
        """Look for due jobs now."""
        self._looking.wake()

    def stop(self) -> None:
        """Take no more jobs. Those that run get the grace period from now on."""
        if self._stopped_at is None:
            self._stopped_at = time.monotonic()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work beside the caller's block; at its end, wait for the jobs that run, and give back
        those that do not end in time.
        """
        self._stopped_at = None
        async with self._counting.running(), self._renewing.running():
            try:
                async with self._looking.running():
                    yield
            finally:
                await self._drain()

    async def _drain(self) -> None:
        self.stop()
        now = time.monotonic()
        left = (self._stopped_at or now) + self._grace_seconds - now
        await self._wait_for_jobs(max(left, LEAST_GRACE_SECONDS))
        for held in list(self._held):
            held.cancel("released")
        await self._wait_for_jobs(RELEASE_SECONDS)
        for held in list(self._held):
            if held.task is not None:
                held.task.cancel()

    async def _wait_for_jobs(self, seconds: float) -> None:
        if running := [held.task for held in self._held if held.task is not None]:
            await asyncio.wait(running, timeout=seconds)

    async def _look(self) -> float | None:
        """Start due jobs; return in how many seconds the next one is due."""
        if not self._is_prepared:
            await self._prepare()
        free = self._free_places()
        if not free or self._stopped_at is not None:
            return None
        known = self._tasks.by_queue
        async with Snapshot(self._database, ACTOR) as snapshot:
            waits = await jobs.next_due(
                snapshot, queues=free, tasks=[name for queue in free for name in known[queue]]
            )
        due = [queue for queue, wait in waits.items() if wait <= 0]
        if due:
            return 0 if await self._take({queue: free[queue] for queue in due}) else None
        pauses = [wait / 1_000_000 for wait in waits.values()]
        return min(pauses) if pauses and min(pauses) < self._settings.poll_seconds else None

    async def _prepare(self) -> None:
        if self._tasks.periodic:
            async with self._database.writing(ACTOR) as transaction:
                await ensure_periodic(transaction, self._tasks.periodic, self._keys)
        self._is_prepared = True

    def _free_places(self) -> Mapping[str, int]:
        taken = Counter(self._tasks[held.taken.task].task.queue for held in self._held)
        places = {
            queue: self._settings.concurrency - taken[queue] for queue in self._tasks.by_queue
        }
        return {queue: free for queue, free in places.items() if free > 0}

    async def _take(self, free: Mapping[str, int]) -> int:
        """Take due jobs of queues, as many as there is place for, and start them."""
        # From before the statement: here a lease ends no later than in the database.
        began = asyncio.get_running_loop().time()
        taken: list[TakenJob] = []
        try:
            async with self._database.writing(ACTOR) as transaction:
                for queue, most in free.items():
                    taken += await jobs.take(
                        transaction,
                        queue=queue,
                        tasks=self._tasks.by_queue[queue],
                        most=most,
                        lease=secrets.randbits(LEASE_BITS),
                        lease_milliseconds=int(self._settings.lease_seconds * 1000),
                        worker=self._name,
                    )
        except Conflict:
            return 0  # another process took a job of the same lock at this moment
        for each in taken:
            held = _Held(each)
            self._set_timer(held, began)
            self._held[held] = None
            held.task = asyncio.create_task(self._work(held), name=f"{each.task} {each.id}")
        return len(taken)

    def _set_timer(self, held: _Held, began: float) -> None:
        if held.timer is not None:
            held.timer.cancel()
        ends = began + self._settings.lease_seconds * SAFE_SHARE
        held.timer = asyncio.get_running_loop().call_at(ends, held.cancel, "lost")

    async def _renew(self) -> None:
        running = [held for held in self._held if not held.is_ending]
        if not running:
            return
        began = asyncio.get_running_loop().time()
        async with (
            within(self._settings.lease_seconds / 3),
            self._database.writing(ACTOR) as transaction,
        ):
            kept = await jobs.renew(
                transaction,
                [held.lease for held in running],
                lease_milliseconds=int(self._settings.lease_seconds * 1000),
            )
        for held in running:
            if held.taken.id not in kept:
                held.cancel("lost")
            elif held in self._held:
                self._set_timer(held, began)

    async def _count(self) -> None:
        async with Snapshot(self._database, ACTOR) as snapshot:
            self.figures = await job_control.figures(snapshot)

    async def _work(self, held: _Held) -> None:
        """Run a job and write how it ended. Nothing of it reaches other jobs."""
        try:
            end = await self._attempt(held)
            held.is_ending = True
            await self._write_end(held, end)
        finally:
            if held.timer is not None:
                held.timer.cancel()
            del self._held[held]
            self.wake()

    async def _attempt(self, held: _Held) -> _End:
        taken = held.taken
        registered = self._tasks[taken.task]
        try:
            await _run(registered, taken)
        except asyncio.CancelledError:
            if held.cancelled is None:
                raise
            return _End(outcome=held.cancelled, attempts=taken.attempt - 1)
        except GatewayError as error:
            log.warning("job.failed", job=taken.id, task=taken.task, reason=error.message)
            is_last = isinstance(error, Unrecoverable)
            return self._failed(registered, taken, error.message, is_last=is_last)
        except Exception as error:  # whatever it is, it is this job's alone
            log.exception("job.failed", job=taken.id, task=taken.task, attempt=taken.attempt)
            reason = f"{type(error).__name__}: the log explains it, job {taken.id}."
            return self._failed(registered, taken, reason)
        if registered.periodic is not None:
            return _End(outcome="done", delay_milliseconds=registered.periodic.pause_milliseconds())
        return _End(outcome="done")

    def _failed(
        self, registered: Registered, taken: TakenJob, reason: str, *, is_last: bool = False
    ) -> _End:
        if registered.periodic is not None:
            delay = registered.periodic.pause_milliseconds()
        else:
            seconds = registered.task.retry.delay_seconds(taken.attempt)
            if is_last or seconds is None:
                return _End(outcome="dead", reason=reason)
            delay = int(seconds * 1000)
        return _End(
            outcome="failed", delay_milliseconds=delay, attempts=taken.attempt, reason=reason
        )

    async def _write_end(self, held: _Held, end: _End) -> None:
        """Write how a job ended, again while the database is away, as long as the lease lasts."""
        clock = asyncio.get_running_loop().time
        ends = held.timer.when() if held.timer is not None else clock()
        outcome = end.outcome
        while outcome != "lost":
            try:
                async with self._database.writing(ACTOR) as transaction:
                    if not await _end_job(transaction, held, end):
                        outcome = "lost"
                break
            except GatewayError as error:
                log.warning("job.end_not_written", job=held.taken.id, reason=error.message)
                if clock() + WRITE_AGAIN_SECONDS >= ends:
                    outcome = "lost"
                else:
                    await asyncio.sleep(WRITE_AGAIN_SECONDS)
            except Exception:  # the lease ends, and the job is done again
                log.exception("job.end_not_written", job=held.taken.id)
                outcome = "lost"
        if outcome == "lost":
            log.warning("job.lease_lost", job=held.taken.id, task=held.taken.task)
        self._finished[held.taken.task, outcome] += 1


async def _run(registered: Registered, taken: TakenJob) -> None:
    """Run one attempt. Raises Unrecoverable where the job cannot be run at all."""
    task = registered.task
    if registered.periodic is None and taken.attempt > task.retry.attempts:
        raise Unrecoverable(
            f"The process ended, or lost the database, in the last of {task.retry.attempts} "
            "attempts."
        )
    job = Job(
        id=taken.id,
        attempt=taken.attempt,
        account_id=taken.account_id,
        payload=task.load(taken.payload),
    )
    try:
        async with asyncio.timeout(task.timeout_seconds) as limit:
            await registered.run(job)
    except TimeoutError:
        if not limit.expired():
            raise
        raise GatewayError(f"The job ran longer than {task.timeout_seconds:g} seconds.") from None


async def _end_job(transaction: Transaction, held: _Held, end: _End) -> bool:
    """Return False where the lease was not held any more."""
    if end.outcome == "dead":
        return await jobs.bury(transaction, held.lease, reason=end.reason or "")
    if end.outcome == "done" and not held.taken.is_periodic:
        return await jobs.finish(transaction, held.lease)
    return await jobs.wait(
        transaction,
        held.lease,
        delay_milliseconds=end.delay_milliseconds,
        attempts=end.attempts,
        reason=end.reason,
    )
