"""A periodic task runs in one process at a time, however many there are."""

import asyncio
from typing import Any

import pytest

from gateway.errors import GatewayError
from gateway.store import Database
from gateway.work.jobs import NoPayload, Task
from gateway.work.periodic import Periodic
from gateway.work.tasks import Tasks
from tests.support.jobs import at_rest, eventually, pass_time, stored, worker
from tests.support.patience import PATIENCE_SECONDS

SWEEP = Task(name="test.sweep", payload=NoPayload)


class Sweeps:
    """Counts runs, and those that run at once."""

    def __init__(self, *, lasts: float = 0, fails: int = 0) -> None:
        self.lasts, self.fails = lasts, fails
        self.runs = self.running = self.most = 0

    async def reached(self, runs: int) -> None:
        await eventually(lambda: self.runs == runs)

    async def run(self) -> None:
        self.runs += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.lasts)
            if self.runs <= self.fails:
                raise GatewayError("The disk is full.")
        finally:
            self.running -= 1

    def tasks(self, seconds: float, *, at_once: bool = True) -> Tasks:
        tasks = Tasks()
        tasks.add_periodic(Periodic(task=SWEEP, seconds=seconds, at_once=at_once), self.run)
        return tasks


async def row_of(database: Database) -> dict[str, Any]:
    (row,) = await stored(database)
    return row


async def test_three_workers_run_it_once_a_period(database: Database) -> None:
    sweeps = Sweeps(lasts=0.05)
    workers = [worker(database, sweeps.tasks(3_600)) for _ in range(3)]
    async with workers[0].running(), workers[1].running(), workers[2].running():
        for runs in (1, 2, 3):
            await sweeps.reached(runs)
            await at_rest(database)
            await asyncio.sleep(0.1)
            assert (sweeps.runs, sweeps.most) == (runs, 1)
            await pass_time(database, 4_000)
    assert (await row_of(database))["is_periodic"]


async def test_a_short_period_runs_again_and_again(database: Database) -> None:
    sweeps = Sweeps()
    async with worker(database, sweeps.tasks(0.03), poll_seconds=3_600).running():
        await eventually(lambda: sweeps.runs >= 3)


async def test_a_run_that_fails_is_followed_by_the_next(database: Database) -> None:
    sweeps = Sweeps(fails=30)
    async with worker(database, sweeps.tasks(0.01), poll_seconds=3_600).running():
        await eventually(lambda: sweeps.runs >= 10)
        row = await row_of(database)
        assert (row["state"] != "DEAD", row["reason"]) == (True, "The disk is full.")
        await eventually(lambda: sweeps.runs > 30)
        await eventually(lambda: not sweeps.running)
    row = await row_of(database)
    assert (row["attempts"], row["reason"]) == (0, None)


async def test_the_first_run_may_come_after_a_pause(database: Database) -> None:
    sweeps = Sweeps()
    async with worker(database, sweeps.tasks(3_600, at_once=False)).running():
        await asyncio.sleep(0.15)
        assert sweeps.runs == 0
        await pass_time(database, 4_000)
        await eventually(lambda: sweeps.runs == 1)


@pytest.mark.parametrize(("seconds", "sooner"), [(60, True), (86_400, False)])
async def test_a_shorter_period_counts_from_the_next_start(
    database: Database, seconds: float, sooner: bool
) -> None:
    sweeps = Sweeps()
    async with worker(database, sweeps.tasks(3_600)).running():
        await eventually(lambda: sweeps.runs == 1)
        await at_rest(database)
    before = await row_of(database)
    async with worker(database, sweeps.tasks(seconds)).running():
        await asyncio.sleep(0.1)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while sooner and (await row_of(database))["due_at"] == before["due_at"]:  # noqa: ASYNC110  # it is in a database
                await asyncio.sleep(0.01)
    after = await row_of(database)
    assert sweeps.runs == 1
    assert (after["due_at"] < before["due_at"]) is sooner
    assert after["id"] == before["id"]
