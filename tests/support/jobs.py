"""Workers in the test's process, and time that passes for jobs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, Interval, bindparam, update

from gateway.clock import SystemClock
from gateway.ids import KeyFactory
from gateway.models import Job as StoredJob
from gateway.models import table_of
from gateway.settings.work import WorkSettings
from gateway.store import Database, Statement
from gateway.store.engine.sql import DialectName
from gateway.work.jobs import Job, Retry, Task
from gateway.work.loops import Loops
from gateway.work.outbox import Outbox
from gateway.work.tasks import Tasks
from gateway.work.worker import Worker
from tests.support.books import ACTOR
from tests.support.patience import PATIENCE_SECONDS
from tests.support.tables import table_rows

Rows: TypeAlias = list[dict[str, Any]]
KEYS = KeyFactory(SystemClock())
JOB = table_of(StoredJob)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """The payload of the tests' tasks."""

    text: str


NOTE = Task(name="test.note", payload=Note, retry=Retry(delays=(100, 1_000), jitter=0))
SLOW = Task(name="test.slow", payload=Note, queue="slow", timeout_seconds=0.05)
OUTBOX = Outbox(KEYS, lambda: None)


@dataclass
class Notes:
    """Does the tests' jobs: keeps the jobs that it ran, and fails for some payloads."""

    ran: list[Job[Note]] = field(default_factory=list)
    failing: dict[str, Exception] = field(default_factory=dict)
    until: dict[str, asyncio.Event] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    most: int = 0

    async def run(self, job: Job[Note]) -> None:
        text = job.payload.text
        self.ran.append(job)
        self.running.add(text)
        self.most = max(self.most, len(self.running))
        try:
            if text in self.until:
                await self.until[text].wait()
            if text in self.failing:
                raise self.failing[text]
        finally:
            self.running.remove(text)

    async def begun(self, text: str) -> None:
        await eventually(lambda: text in self.running)

    @property
    def texts(self) -> list[str]:
        return [job.payload.text for job in self.ran]

    def tasks(self) -> Tasks:
        tasks = Tasks()
        tasks.add(NOTE, self.run)
        tasks.add(SLOW, self.run)
        return tasks


def worker(
    database: Database,
    tasks: Tasks,
    *,
    concurrency: int = 4,
    poll_seconds: float = 0.02,
    lease_seconds: float = 60,
    grace_seconds: float = 10,
) -> Worker:
    return Worker(
        database,
        tasks,
        keys=KEYS,
        loops=Loops(),
        # Shorter times than an operator may set.
        settings=WorkSettings.model_construct(
            concurrency=concurrency, poll_seconds=poll_seconds, lease_seconds=lease_seconds
        ),
        grace_seconds=grace_seconds,
    )


async def defer(database: Database, *texts: str, task: Task[Note] = NOTE, **choices: Any) -> None:
    """Defer a job for each text, in a transaction of its own."""
    for text in texts:
        async with database.writing(ACTOR) as transaction:
            await OUTBOX.defer(transaction, task, Note(text=text), **choices)


async def stored(database: Database) -> Rows:
    return await table_rows(database, "job")


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110  # it may be in a database
            await asyncio.sleep(0.005)


@asynccontextmanager
async def done(database: Database, worker: Worker) -> AsyncIterator[None]:
    """Work until no job is due and none runs; then run the block, and stop."""
    async with worker.running():
        await at_rest(database)
        yield


async def at_rest(database: Database) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            rows = [row for row in await stored(database) if row["state"] != "DEAD"]
            now = SystemClock().now()
            if all(row["state"] == "WAITING" and row["due_at"] > now for row in rows):
                return
            await asyncio.sleep(0.01)


def _earlier(dialect: DialectName) -> Any:
    if dialect == "postgresql":
        return update(JOB).values(due_at=JOB.c.due_at - bindparam("time", type_=Interval()))
    return update(JOB).values(due_at=JOB.c.due_at.op("-")(bindparam("time", type_=BigInteger())))


_EARLIER = Statement[None](_earlier)


async def pass_time(database: Database, seconds: float) -> None:
    """Let every job be due earlier, as if the time had passed."""
    time: Any = timedelta(seconds=seconds)
    if database.dialect == "sqlite":
        time = int(seconds * 1_000_000)
    async with database.writing(ACTOR) as transaction:
        await transaction.execute(_EARLIER, time=time)
