"""Worker processes that can be killed: `python -m tests.scenarios.chaos.workers URL FOLDER`.

Each line of standard input starts one, by a fork, so that no time goes by with imports; its process
id is printed. They defer jobs until the folder has a file `over`, and end with the standard input.
"""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from sqlalchemy import BigInteger, Float, Integer, Text, bindparam, text

from gateway.clock import SystemClock
from gateway.errors import GatewayError
from gateway.ids import KeyFactory
from gateway.observability.logs import configure_logging
from gateway.settings import load_settings
from gateway.settings.work import WorkSettings
from gateway.store import Database, Statement, connect
from gateway.work.jobs import Job, NoPayload, Retry, Task
from gateway.work.loops import Loops
from gateway.work.outbox import Outbox
from gateway.work.periodic import Periodic
from gateway.work.tasks import Tasks
from gateway.work.worker import Worker
from tests.support.books import ACTOR

LEASE_SECONDS: Final = 2
LOCKS: Final = 4
FACTS: Final = "CREATE TABLE fact (id text PRIMARY KEY)"
EFFECTS: Final = (
    "CREATE TABLE effect (job_id bigint, attempt integer, pid integer, fact_id text, lock text, "
    "began double precision, ended double precision)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """The fact that a job was deferred with, and how long the job takes."""

    id: str
    lock: str | None
    milliseconds: int


class RolledBack(Exception):
    """A business transaction that fails after it deferred a job."""


RUN: Final = Task(name="chaos.run", payload=Fact, retry=Retry(delays=(0.1,) * 50))
TICK: Final = Task(name="chaos.tick", payload=NoPayload)

_INSERT_FACT: Final = Statement[None](
    text("INSERT INTO fact (id) VALUES (:id)").bindparams(bindparam("id", type_=Text()))
)
_BEGIN: Final = Statement[None](
    text(
        "INSERT INTO effect (job_id, attempt, pid, fact_id, lock, began) "
        "VALUES (:job_id, :attempt, :pid, :fact_id, :lock, :began)"
    ).bindparams(
        bindparam("job_id", type_=BigInteger()),
        bindparam("attempt", type_=Integer()),
        bindparam("pid", type_=Integer()),
        bindparam("fact_id", type_=Text()),
        bindparam("lock", type_=Text()),
        bindparam("began", type_=Float()),
    )
)
_END: Final = Statement[None](
    text("UPDATE effect SET ended = :ended WHERE job_id = :job_id AND began = :began").bindparams(
        bindparam("ended", type_=Float()),
        bindparam("job_id", type_=BigInteger()),
        bindparam("began", type_=Float()),
    )
)


class Effects:
    """Does jobs, and keeps from when to when; the clock is the same in all processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, job: Job[Fact]) -> None:
        fact = job.payload
        await self._effect(job.id, job.attempt, fact.id, fact.lock, fact.milliseconds / 1_000)

    async def tick(self) -> None:
        await self._effect(0, 0, None, "tick", 0.02)

    async def _effect(
        self, job_id: int, attempt: int, fact_id: str | None, lock: str | None, seconds: float
    ) -> None:
        began = time.monotonic()
        async with self._database.writing(ACTOR) as transaction:
            await transaction.execute(
                _BEGIN,
                job_id=job_id,
                attempt=attempt,
                pid=os.getpid(),
                fact_id=fact_id,
                lock=lock,
                began=began,
            )
        try:
            await asyncio.sleep(seconds)
        finally:
            ended = time.monotonic()
            async with self._database.writing(ACTOR) as transaction:
                await transaction.execute(_END, ended=ended, job_id=job_id, began=began)


async def defer(database: Database, outbox: Outbox, number: int, chance: random.Random) -> None:
    """Write a fact and its job in one transaction; one in ten fails."""
    lock = f"lock-{number % LOCKS}" if number % 5 == 0 else None
    fails = chance.random() < 0.1
    # Some outlast their lease, and live by its renewal.
    milliseconds = 3_000 if chance.random() < 0.03 else chance.randrange(5, 400)
    fact = Fact(id=f"{os.getpid()}-{number}", lock=lock, milliseconds=milliseconds)
    async with database.writing(ACTOR) as transaction:
        await transaction.execute(_INSERT_FACT, id=fact.id)
        await outbox.defer(transaction, RUN, fact, lock=lock)
        if fails:
            raise RolledBack


async def work(url: str, over: Path) -> None:
    chance = random.Random(os.getpid())
    keys = KeyFactory(SystemClock())
    database = await connect(load_settings(database_url=SecretStr(url)))
    effects, tasks = Effects(database), Tasks()
    tasks.add(RUN, effects.run)
    tasks.add_periodic(Periodic(task=TICK, seconds=0.1), effects.tick)
    worker = Worker(
        database,
        tasks,
        keys=keys,
        loops=Loops(),
        settings=WorkSettings.model_construct(
            concurrency=6, poll_seconds=0.2, lease_seconds=LEASE_SECONDS
        ),
        grace_seconds=5,
    )
    outbox = Outbox(keys, worker.wake)
    async with worker.running():
        for number in count():
            if over.exists():  # noqa: ASYNC240  # it takes no time
                await asyncio.sleep(3_600)
            with suppress(RolledBack, GatewayError):
                await defer(database, outbox, number, chance)
            await asyncio.sleep(chance.uniform(0.02, 0.06))


def main(arguments: Sequence[str]) -> None:
    url, folder = arguments
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that are killed
    children = []
    while sys.stdin.readline():
        child = os.fork()
        if child == 0:
            configure_logging("error", pretty=False)
            asyncio.run(work(url, Path(folder) / "over"))
            return
        children.append(child)
        print(child, flush=True)
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
