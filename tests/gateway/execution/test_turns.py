"""Long operations leave the event loop to others, and end at their deadline."""

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from threading import Event

import pytest
import strawberry
from graphql import OperationType

from gateway.execution.engine import Engine
from gateway.execution.operation import OperationRequest, OperationResult, PreparedOperation
from gateway.execution.turns import STRETCH_SECONDS, Turns
from gateway.settings.documents import DocumentSettings
from tests.support.patience import PATIENCE_SECONDS

MANY = 100
LIMITS = DocumentSettings().model_copy(update={"answer_values": 10**7})


@strawberry.type
class Item:
    number: int

    @strawberry.field
    def half(self) -> float:
        return self.number / 2


def make_items() -> list[Item]:
    return [Item(number=number) for number in range(MANY)]


async def load_items() -> list[Item]:
    await asyncio.sleep(0)
    return make_items()


@strawberry.type
class Group:
    items: list[Item] = strawberry.field(resolver=make_items)
    loaded: list[Item] = strawberry.field(resolver=load_items)


@strawberry.type
class Query:
    @strawberry.field
    def groups(self) -> list[Group]:
        return [Group() for _ in range(MANY)]


SCHEMA = strawberry.Schema(Query)


def engine_of(*, compiled: bool, deadline_seconds: float) -> Engine:
    return Engine(
        SCHEMA,
        limits=LIMITS,
        deadline_seconds=deadline_seconds,
        suggestions=False,
        compiled=compiled,
    )


async def run(engine: Engine, query: str) -> OperationResult:
    request = OperationRequest(query=query)
    prepared = await engine.prepare(
        request, request_id="r1", allowed=frozenset({OperationType.QUERY})
    )
    assert isinstance(prepared, PreparedOperation)
    return await engine.run(prepared, None)


@asynccontextmanager
async def waits() -> AsyncIterator[list[float]]:
    """Give the seconds that another task waited for each of its turns meanwhile."""
    found: list[float] = []

    async def other() -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(0)
            found.append(time.thread_time() - began)

    task = asyncio.create_task(other())
    try:
        yield found
    finally:
        task.cancel()


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(
    "query",
    [
        "{ groups { items { half number } } }",
        "{ groups { loaded { half number } } }",
    ],
)
async def test_a_long_run_stops_at_its_deadline(query: str, compiled: bool) -> None:
    engine = engine_of(compiled=compiled, deadline_seconds=0.01)
    began = time.thread_time()
    answer = await run(engine, query)
    assert answer.codes == ["TIMEOUT"]
    assert time.thread_time() - began < 1


@pytest.mark.parametrize("field", ["items", "loaded"])
async def test_graphql_core_leaves_the_loop_to_others(field: str) -> None:
    engine = engine_of(compiled=False, deadline_seconds=60)
    async with waits() as others:
        answer = await run(engine, f"{{ groups {{ {field} {{ half number }} }} }}")
    assert answer.errors == []
    assert answer.data is not None
    for group in answer.data["groups"]:
        assert [each["number"] for each in group[field]] == list(range(MANY))
    assert len(others) > 10
    assert sorted(others)[-3] < 0.05


async def test_two_event_loops_do_not_take_each_others_turns() -> None:
    turns = Turns()
    entered, may_leave = Event(), Event()

    def block() -> None:
        entered.set()
        may_leave.wait(PATIENCE_SECONDS)

    async def wait_beside_another_loop() -> None:
        asyncio.get_running_loop().call_soon(block)  # before the end of the turn
        assert not turns.is_over()
        time.sleep(2 * STRETCH_SECONDS)  # noqa: ASYNC251  # the work of an operation
        async with asyncio.timeout(PATIENCE_SECONDS):
            await turns.wait()

    with ThreadPoolExecutor(1) as thread:
        other = thread.submit(asyncio.run, wait_beside_another_loop())
        assert entered.wait(PATIENCE_SECONDS)
        assert not turns.is_over()  # a stretch of this loop begins
        may_leave.set()
        await asyncio.wrap_future(other)


async def test_turns_forget_loops_that_are_closed() -> None:
    turns = Turns()
    for _ in range(3):
        await asyncio.to_thread(asyncio.run, turns.wait())
    await turns.wait()
    assert len(turns._others) == 1
