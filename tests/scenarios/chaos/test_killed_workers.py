"""Workers that are killed while jobs are deferred: each job is done, and none by two at once.

make soak KILLS=500
"""

import asyncio
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.store import Database
from tests.scenarios.chaos.workers import EFFECTS, FACTS, TICK
from tests.support.jobs import stored
from tests.support.patience import PATIENCE_SECONDS
from tests.support.raw import execute, same_database

KILLS = int(os.environ.get("KILLS", "4"))
Effect = tuple[Any, ...]


@dataclass
class Workers:
    """Processes by their ids, and when each of them was killed."""

    nursery: asyncio.subprocess.Process
    alive: list[int]
    killed: dict[int, float]

    async def start(self) -> None:
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        self.nursery.stdin.write(b"\n")
        self.alive.append(int(await self.nursery.stdout.readline()))

    def kill(self, chance: Random) -> None:
        struck = chance.choice(self.alive)
        self.alive.remove(struck)
        os.kill(struck, signal.SIGKILL)
        self.killed[struck] = time.monotonic()


@pytest.fixture
async def tables(database_url: str, request: pytest.FixtureRequest) -> str:
    """Make the tables of facts and effects; returns the URL of a role that may read them."""
    if database_url.startswith("sqlite"):
        await execute(database_url, FACTS, EFFECTS)
        return database_url
    owner = same_database(request.getfixturevalue("postgres_template"), database_url)
    role = urlsplit(database_url).username
    await execute(owner, FACTS, EFFECTS, f"GRANT ALL ON fact, effect TO {role}")
    return owner


@pytest.fixture
async def workers(
    database: Database, database_url: str, tables: str, tmp_path: Path
) -> AsyncIterator[Workers]:
    """Three processes on Postgres; two on SQLite, where all write in turn."""
    nursery = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.scenarios.chaos.workers", database_url, str(tmp_path)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    workers = Workers(nursery, [], {})
    for _ in range(3 if database.dialect == "postgresql" else 2):
        await workers.start()
    yield workers
    await nursery.communicate(b"")  # with its input they all end


async def until_done(database: Database) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS + KILLS):
        while {row["state"] for row in await jobs_of(database)} - {"DEAD"}:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert await jobs_of(database) == []


async def jobs_of(database: Database) -> list[dict[str, Any]]:
    return [row for row in await stored(database) if row["task"] != TICK.name]


def overlaps(effects: list[Effect], killed: dict[int, float]) -> list[tuple[Effect, Effect]]:
    """Return which effects began before an earlier one ended, be it by a kill."""
    found = []
    for earlier, later in pairwise(sorted(effects, key=lambda effect: effect[5])):
        ended = earlier[6] if earlier[6] is not None else killed.get(earlier[2], float("inf"))
        if later[5] < ended:
            found.append((earlier, later))
    return found


@pytest.mark.timeout(300 + 5 * KILLS)
async def test_killed_workers_leave_each_job_done_and_none_by_two_at_once(
    database: Database, tables: str, workers: Workers, tmp_path: Path
) -> None:
    chance = Random(KILLS)
    await asyncio.sleep(0.5)
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.1, 1))
        workers.kill(chance)
        await workers.start()
    (tmp_path / "over").touch()
    await until_done(database)
    await asyncio.sleep(0.5)  # ends of ticks are written

    facts = {fact for (fact,) in await execute(tables, "SELECT id FROM fact")}
    effects = await execute(
        tables, "SELECT job_id, attempt, pid, fact_id, lock, began, ended FROM effect"
    )
    assert {effect[3] for effect in effects} - {None} == facts
    assert len(facts) > 2 * KILLS
    ended = {effect[3] for effect in effects if effect[6] is not None}
    assert facts <= ended
    by_job, by_lock = defaultdict(list), defaultdict(list)
    for effect in effects:
        by_job[effect[0]].append(effect)
        by_lock[effect[4] or effect[0]].append(effect)
    assert [each for some in by_job.values() for each in overlaps(some, workers.killed)] == []
    assert [each for some in by_lock.values() for each in overlaps(some, workers.killed)] == []
    # The kills struck running jobs; later attempts did them.
    assert any(effect[2] in workers.killed and effect[6] is None for effect in effects)
    assert any(effect[1] > 1 for effect in effects)
    assert len(by_job[0]) > 5
