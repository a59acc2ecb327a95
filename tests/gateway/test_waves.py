"""Waves: coroutines that run together without tasks, and work that is put off until all wait."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from gateway.waves import Promise, Wave


class Doubles:
    """Doubles numbers, all that were requested meanwhile at once."""

    def __init__(self, wave: Wave) -> None:
        self.wave = wave
        self.batches: list[list[int]] = []
        self._numbers: list[int] = []
        self._doubled: Promise[dict[int, int]] | None = None

    async def of(self, number: int) -> int:
        assert self.wave.running
        if self._doubled is None:
            self._doubled = self.wave.put_off(self._double)
        self._numbers.append(number)
        return (await self._doubled)[number]

    async def _double(self) -> dict[int, int]:
        numbers, self._numbers, self._doubled = self._numbers, [], None
        self.batches.append(numbers)
        return {number: 2 * number for number in numbers}


async def test_work_begins_when_every_coroutine_waits() -> None:
    wave = Wave()
    doubles = Doubles(wave)

    async def four_times(number: int) -> int:
        return await doubles.of(await doubles.of(number))

    assert await wave.outcomes([four_times(1), doubles.of(5), four_times(3)]) == [4, 10, 12]
    assert doubles.batches == [[1, 5, 3], [2, 6]]
    assert not wave.running


async def test_work_for_a_server_is_last_and_runs_in_the_callers_task() -> None:
    wave, order = Wave(), []

    async def serve() -> str:
        async with asyncio.timeout(5):
            await asyncio.sleep(0)
        assert asyncio.current_task() is mine
        order.append("last")
        return "served"

    async def prepare() -> str:
        order.append("first")
        return "prepared"

    async def both() -> list[str]:
        served, prepared = wave.put_off(serve, last=True), wave.put_off(prepare)
        return [await served, await prepared]

    mine = asyncio.current_task()
    assert await wave.outcomes([both()]) == [["served", "prepared"]]
    assert order == ["first", "last"]


async def test_an_error_is_the_outcome_of_its_coroutine_alone() -> None:
    wave = Wave()
    doubles = Doubles(wave)

    async def fail() -> int:
        await doubles.of(1)
        raise ValueError("no")

    async def fail_at_work() -> None:
        raise KeyError("work")

    async def wait_for_work() -> None:
        await wave.put_off(fail_at_work, last=True)

    failed, doubled, worked = await wave.outcomes([fail(), doubles.of(2), wait_for_work()])
    assert (str(failed), doubled, type(worked)) == ("no", 4, KeyError)


async def test_a_coroutine_that_awaits_anything_else_goes_on_as_a_task() -> None:
    wave = Wave()
    doubles = Doubles(wave)
    loop = asyncio.get_running_loop()
    future: asyncio.Future[int] = loop.create_future()
    loop.call_later(0.01, future.set_result, 7)

    async def mixed() -> list[int]:
        doubled = await doubles.of(1)
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            return [doubled, await future]

    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("later")

    task = asyncio.create_task(asyncio.sleep(0, "task"))
    mixed_, failed, plain, done = await wave.outcomes([mixed(), fails(), future, task])
    assert mixed_ == [2, 7]
    assert str(failed) == "later"
    assert (plain, done) == (7, "task")


async def test_a_promise_can_be_awaited_in_a_task() -> None:
    wave = Wave()
    doubles = Doubles(wave)

    async def beside() -> list[Any]:
        promise = wave.put_off(lambda: asyncio.sleep(0, 3), last=True)
        return [*await asyncio.gather(_awaited(promise), asyncio.sleep(0, 4))]

    assert await wave.outcomes([beside(), doubles.of(1)]) == [[3, 4], 2]


async def test_a_timeout_of_the_wave_itself_is_an_error() -> None:
    async def limited() -> None:
        async with asyncio.timeout(1):
            await asyncio.sleep(0)

    (error,) = await Wave().outcomes([limited()])
    assert isinstance(error, RuntimeError)


@pytest.mark.parametrize("last", [True, False])
async def test_cancelling_ends_all(last: bool) -> None:
    wave, ended = Wave(), []

    async def work() -> None:
        await asyncio.sleep(60)

    async def wait(name: str) -> None:
        try:
            await (wave.put_off(work, last=last) if name == "promise" else asyncio.sleep(60))
        finally:
            ended.append(name)

    running = asyncio.create_task(wave.outcomes([wait("promise"), wait("sleep")]))
    for _ in range(5):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sorted(ended) == ["promise", "sleep"]
    assert await wave.outcomes([]) == []


async def test_pauses_come_between_stretches() -> None:
    paused = 0

    async def pause() -> None:
        nonlocal paused
        paused += 1

    async def number(value: int) -> int:
        return value

    found = await Wave().outcomes([number(value) for value in range(200)], pause)
    assert found == list(range(200))
    assert paused == 3


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


async def test_one_coroutine_runs_without_the_wave_in_the_callers_task() -> None:
    wave, mine = Wave(), asyncio.current_task()

    async def alone() -> str:
        await asyncio.sleep(0)
        assert wave.is_alone
        assert not wave.running
        assert asyncio.current_task() is mine
        return "done"

    async def fail() -> None:
        raise ValueError("wrong")

    async def give_up() -> None:
        raise asyncio.CancelledError

    assert wave.is_empty
    assert await wave.outcome_alone(alone()) == "done"
    assert isinstance(await wave.outcome_alone(fail()), ValueError)
    assert isinstance(await wave.outcome_alone(give_up()), asyncio.CancelledError)
    assert not wave.is_alone


async def test_one_coroutine_is_cancelled_with_the_caller() -> None:
    wave, begun = Wave(), asyncio.Event()

    async def wait() -> None:
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(wave.outcome_alone(wait()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not wave.is_alone
