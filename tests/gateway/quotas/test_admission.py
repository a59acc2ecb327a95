"""One principal's requests leave room for others, and those beyond a gate are refused at once."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import pytest

from gateway.errors import ServiceUnavailable
from gateway.quotas.admission import (
    DELAYED,
    EXPIRED,
    FULL,
    OVERLOADED,
    AdmissionGate,
)


def make_gate(
    running: int = 4, waiting: int = 4, delay_seconds: float = 60, wait_seconds: float = 60
) -> AdmissionGate:
    return AdmissionGate(
        running=running,
        waiting=waiting,
        delay_seconds=delay_seconds,
        wait_seconds=wait_seconds,
    )


async def enter(gate: AdmissionGate, *principals: str) -> list[asyncio.Task[str]]:
    """Begin to enter; a task is done when its principal is in, or refused."""

    async def run(principal: str) -> str:
        await gate.admitted(principal).__aenter__()
        return principal

    tasks = [asyncio.create_task(run(each)) for each in principals]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


def outcomes(tasks: Sequence[asyncio.Task[str]]) -> list[bool | None]:
    """Return for each whether it was admitted; None while it waits."""
    return [each.exception() is None if each.done() else None for each in tasks]


async def test_one_principal_leaves_places_for_others() -> None:
    gate = make_gate()
    assert outcomes(await enter(gate, "ada", "ada", "ada", "ada", "bob")) == [
        *(True, True, True, None, True)
    ]
    assert (gate.running, gate.waiting) == (4, 1)


async def test_those_that_wait_run_in_turn_by_principal() -> None:
    gate = make_gate(running=1)
    tasks = await enter(gate, "eve", "ada", "ada", "bob")
    order = []
    for principal in ("eve", "ada", "bob", "ada"):
        gate.leave(principal)
        await asyncio.sleep(0)
        order.append(outcomes(tasks)[1:])
    assert order == [
        [True, None, None],
        [True, None, True],
        [True, True, True],
        [True, True, True],
    ]
    assert (gate.running, gate.waiting) == (0, 0)


async def test_a_flood_gives_way_to_another_principal() -> None:
    gate = make_gate(running=1, waiting=3)
    flood = await enter(gate, *["ada"] * 6)
    assert outcomes(flood) == [True, None, None, None, False, False]
    others = await enter(gate, "bob", "cid", "dan")
    assert outcomes(others) == [None, None, False]
    assert outcomes(flood) == [True, None, False, False, False, False]
    with pytest.raises(ServiceUnavailable, match=OVERLOADED):
        await others[-1]
    assert dict(gate.refused) == {FULL: 5}
    for refused in flood[2:]:
        with suppress(ServiceUnavailable):
            await refused


async def test_requests_behind_one_that_waits_long_are_refused() -> None:
    gate = make_gate(running=1, delay_seconds=0.01)
    await enter(gate, "ada", "ada")
    await asyncio.sleep(0.02)
    late, other = await enter(gate, "ada", "bob")
    assert outcomes([late, other]) == [False, None]
    assert dict(gate.refused) == {DELAYED: 1}
    with suppress(ServiceUnavailable):
        await late


async def test_a_request_that_would_wait_too_long_is_refused_at_once() -> None:
    gate = make_gate(running=1, waiting=100, delay_seconds=0.1)
    entries = await enter(gate, *(["ada"] * 11))
    for _ in range(10):
        await asyncio.sleep(0.02)
        gate.leave("ada")
    await asyncio.sleep(0)
    # A place became free every 20 ms, on a busy machine more rarely.
    more = await enter(gate, *(["ada"] * 20), "bob")
    waits = outcomes(more)
    assert outcomes(entries) == [True] * 11
    assert waits.count(None) < 18
    assert waits[0] is None
    assert (waits[-2], waits[-1]) == (False, None)
    assert gate.refused[DELAYED] == waits.count(False)
    for refused in more[:-1]:
        if refused.done():
            with suppress(ServiceUnavailable):
                await refused


async def test_a_request_that_waited_too_long_is_refused() -> None:
    gate = make_gate(running=1, wait_seconds=0.01)
    _, late = await enter(gate, "ada", "ada")
    with pytest.raises(ServiceUnavailable, match=OVERLOADED):
        await late
    assert (gate.running, gate.waiting, dict(gate.refused)) == (1, 0, {EXPIRED: 1})


async def test_a_cancelled_request_gives_its_place_on() -> None:
    gate = make_gate(running=1)
    _, waits, given, last = await enter(gate, "ada", "ada", "bob", "cid")
    waits.cancel()
    await asyncio.sleep(0)
    gate.leave("ada")  # bob has the place, and does not know yet
    given.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert outcomes([last]) == [True]
    assert (gate.running, gate.waiting) == (1, 0)


@pytest.mark.parametrize("turns", [0, 1])
async def test_requests_cancelled_at_any_moment_lose_no_place(turns: int) -> None:
    gate = make_gate(running=1, waiting=2)
    await enter(gate, "ada")
    first, second = await enter(gate, "ada", "ada")
    for _ in range(turns):
        await asyncio.sleep(0)
    first.cancel()
    gate.leave("ada")  # before the cancelled one has had its turn
    assert await second == "ada"
    await asyncio.wait([first])
    assert (gate.running, gate.waiting) == (1, 0)
    (third,) = await enter(gate, "ada")
    gate.leave("ada")
    third.cancel()  # after it was given the place
    await asyncio.wait([third])
    assert (gate.running, gate.waiting) == (0, 0)


async def test_a_request_cancelled_as_it_is_refused_holds_no_place() -> None:
    gate = make_gate(running=1, waiting=2)
    await enter(gate, "ada")
    _, last = await enter(gate, "ada", "ada")
    (other,) = await enter(gate, "grace")  # which takes the room of the last
    last.cancel()
    await asyncio.wait([last])
    assert (gate.running, gate.waiting) == (1, 2)
    other.cancel()
    await enter(gate, "grace")
    assert gate.running == 1
