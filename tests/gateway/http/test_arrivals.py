"""Transfers let short requests go first, and are not held up for long."""

import asyncio
from dataclasses import dataclass, field
from time import perf_counter

from gateway.http.arrivals import LATELY_SECONDS, PAUSE_SECONDS, Arrivals
from tests.support.patience import PATIENCE_SECONDS


@dataclass
class Request:
    began: float = field(default_factory=perf_counter)
    is_over: bool = False


async def is_held_up(latest: Arrivals, transfer: Request) -> bool:
    """Return whether the transfer pauses, rather than go on after a turn of the loop."""
    pause = asyncio.create_task(latest.give_way(transfer))
    for _ in range(3):
        await asyncio.sleep(0)
    held_up = not pause.done()
    await pause
    return held_up


async def test_a_transfer_waits_for_a_request_that_came_lately() -> None:
    latest, transfer, request = Arrivals(), Request(), Request()
    latest.begin(transfer)
    latest.begin(request)
    assert await is_held_up(latest, transfer)


async def test_a_transfer_waits_for_no_other_work() -> None:
    latest, transfer = Arrivals(), Request()
    old, answered = Request(began=perf_counter() - LATELY_SECONDS), Request()
    for each in (old, transfer, answered):
        latest.begin(each)
    latest.finish(answered)
    assert not await is_held_up(latest, transfer)


async def test_a_transfer_goes_on_at_the_answer() -> None:
    latest, transfers, request = Arrivals(), [Request(), Request()], Request()
    latest.begin(request)
    pauses = [asyncio.create_task(latest.give_way(each)) for each in transfers]
    for _ in range(3):
        await asyncio.sleep(0)
    latest.finish(request)
    for _ in range(3):
        await asyncio.sleep(0)
    assert all(each.done() for each in pauses)


async def test_a_transfer_goes_on_under_load() -> None:
    latest, transfer = Arrivals(), Request()
    for _ in range(100):
        latest.begin(Request())
    began = perf_counter()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await latest.give_way(transfer)
    assert perf_counter() - began >= PAUSE_SECONDS


async def test_a_cancelled_pause_ends() -> None:
    latest, transfer, request = Arrivals(), Request(), Request()
    latest.begin(request)
    pause = asyncio.create_task(latest.give_way(transfer))
    for _ in range(3):
        await asyncio.sleep(0)
    pause.cancel()
    await asyncio.wait([pause])
    assert pause.cancelled()
    latest.finish(request)
