"""A deadline ends its block alone, and differs from a cancellation."""

import asyncio

import pytest

from gateway.execution.deadline import Deadline


async def test_a_block_that_takes_too_long_times_out() -> None:
    with pytest.raises(TimeoutError), Deadline(0.01) as deadline:
        await asyncio.sleep(10)
    assert deadline.has_passed
    await asyncio.sleep(0)  # the task is not cancelled any more


async def test_a_block_in_time_is_left_alone() -> None:
    with Deadline(0.01) as deadline:
        await asyncio.sleep(0)
    await asyncio.sleep(0.03)
    assert not deadline.has_passed


async def test_a_timeout_of_the_block_itself_is_no_deadline() -> None:
    with pytest.raises(TimeoutError), Deadline(10) as deadline:
        raise TimeoutError
    assert not deadline.has_passed


async def test_a_cancellation_passes_through() -> None:
    async def work() -> None:
        with Deadline(10):
            await asyncio.sleep(10)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_in_the_moment_of_the_deadline_stays_one() -> None:
    async def work() -> None:
        with Deadline(0.01):
            try:
                await asyncio.sleep(10)
            finally:
                asyncio.current_task().cancel()  # type: ignore[union-attr]

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(work())


async def test_the_inner_of_two_deadlines_leaves_the_outer() -> None:
    with Deadline(10) as outer, pytest.raises(TimeoutError), Deadline(0.01):
        await asyncio.sleep(10)
    assert not outer.has_passed
