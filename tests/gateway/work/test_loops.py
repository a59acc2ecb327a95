"""The loops of a process go on whatever happens, and end when they are left."""

import asyncio
from functools import partial

import pytest
from structlog.testing import capture_logs

from gateway.errors import ServiceUnavailable
from gateway.work.loops import LoopOver, Loops
from tests.support.jobs import eventually


class Steps:
    """Counts steps; the first `fails` of them raise the error."""

    def __init__(self, error: Exception | None = None, fails: int = 0) -> None:
        self.error, self.fails = error, fails
        self.count = 0
        self.ended = 0

    async def reached(self, count: int) -> None:
        await eventually(lambda: self.count == count)

    async def step(self) -> None:
        self.count += 1
        if self.error is not None and self.count <= self.fails:
            raise self.error
        self.ended += 1


async def test_a_step_runs_at_once_and_every_interval() -> None:
    loops, steps = Loops(), Steps()
    async with loops.make("test", steps.step, seconds=0.01).running():
        await eventually(lambda: steps.count >= 5)
    ended = steps.count
    await asyncio.sleep(0.05)
    assert steps.count == ended
    assert loops.counts == {("test", "done"): ended}


async def test_a_loop_may_begin_with_a_pause() -> None:
    steps = Steps()
    async with Loops().make("test", steps.step, seconds=3_600, at_once=False).running():
        await asyncio.sleep(0.02)
    assert steps.count == 0


async def test_a_wake_ends_the_pause() -> None:
    steps = Steps()
    loop = Loops().make("test", steps.step, seconds=3_600)
    async with loop.running():
        for count in (1, 2, 3):
            await steps.reached(count)
            loop.wake()


async def test_a_wake_during_a_step_runs_one_more() -> None:
    steps = Steps()

    async def step() -> None:
        await steps.step()
        if steps.count == 1:
            loop.wake()

    loop = Loops().make("test", step, seconds=3_600)
    async with loop.running():
        await eventually(lambda: steps.count == 2)
        await asyncio.sleep(0.02)
    assert steps.count == 2


async def test_a_step_says_when_the_next_one_comes() -> None:
    steps = Steps()

    async def step() -> float:
        await steps.step()
        return 0.001

    async with Loops().make("test", step, seconds=3_600).running():
        await eventually(lambda: steps.count >= 5)


async def test_failures_are_logged_and_tried_again_ever_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loops, longest = Loops(), list[float]()

    def note(_: float, most: float) -> float:
        longest.append(most)
        return 0

    monkeypatch.setattr("gateway.work.loops.random.uniform", note)

    async def step() -> None:
        if len(longest) == 4:
            loop.recovered()
        if len(longest) < 6:
            raise (ValueError if longest else ServiceUnavailable("The database is away."))
        raise LoopOver

    loop = loops.make("test", step, seconds=1.5)
    with capture_logs() as logs:
        await loop.run()
    assert longest == [0.4, 0.8, 1.5, 1.5, 0.4, 0.8]
    assert [line["event"] for line in logs] == ["loop.failed"] * 6
    assert logs[0]["reason"] == "The database is away."
    assert isinstance(logs[1]["exc_info"], ValueError)
    assert loops.counts == {("test", "done"): 1, ("test", "failed"): 6}


async def test_a_loop_may_run_its_step_once_more_at_the_end() -> None:
    steps = Steps()
    loop = Loops().make("test", steps.step, seconds=3_600, at_once=False, at_end=True)
    async with loop.running():
        await asyncio.sleep(0.02)
        assert steps.count == 0
    assert steps.count == 1


async def test_leaving_waits_for_a_step_then_cancels_it() -> None:
    began, ended = asyncio.Event(), list[str]()

    async def step(lasts: float) -> None:
        began.set()
        try:
            await asyncio.sleep(lasts)
            ended.append("whole")
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    for lasts, stop_seconds in ((0.05, 60.0), (3_600.0, 0.05), (3_600.0, 0.0)):
        began.clear()
        loop = Loops().make("test", partial(step, lasts), seconds=1, stop_seconds=stop_seconds)
        async with loop.running():
            await began.wait()
    assert ended == ["whole", "cancelled", "cancelled"]


async def test_a_step_can_end_its_loop() -> None:
    loops, steps = Loops(), Steps(LoopOver(), 1)
    async with loops.make("test", steps.step, seconds=0.001).running():
        await asyncio.sleep(0.03)
    assert steps.count == 1
    assert loops.counts == {("test", "done"): 1}


async def test_a_loop_runs_again_after_it_was_left() -> None:
    steps = Steps()
    loop = Loops().make("test", steps.step, seconds=3_600)
    for count in (1, 2):
        async with loop.running():
            await steps.reached(count)
