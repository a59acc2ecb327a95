"""A run leaves nothing behind: no object of its request, and no work that nobody waits for."""

import asyncio
import gc
import time
import weakref

import strawberry
from graphql import OperationType

from gateway.execution.engine import Engine
from gateway.execution.operation import OperationRequest, OperationResult, Outcome
from gateway.execution.plan.columns import read_columns
from gateway.execution.plan.object_plan import plan_operation
from gateway.settings.documents import DocumentSettings
from tests.gateway.execution.plan.test_object_plan import OPERATIONS, executor

BEGUN: list[str] = []
DEADLINE_SECONDS = 0.05


@strawberry.type
class Query:
    @strawberry.field
    async def slow(self) -> int:
        BEGUN.append("slow")
        await asyncio.sleep(5)
        return 1

    @strawberry.field
    def busy(self) -> int:
        time.sleep(0.1)
        return 1

    @strawberry.field
    async def one(self) -> int:
        return None  # type: ignore[return-value]

    @strawberry.field
    async def many(self) -> list[int]:
        async def late() -> int:
            return 1

        return [late(), late()]  # type: ignore[list-item]


class Context:
    """The context of a request."""


async def answer(text: str, context: object = None) -> OperationResult:
    engine = Engine(
        strawberry.Schema(Query),
        limits=DocumentSettings(),
        deadline_seconds=DEADLINE_SECONDS,
        suggestions=False,
    )
    return await ask(engine, text, context)


async def ask(engine: Engine, text: str, context: object) -> OperationResult:
    prepared = await engine.prepare(
        OperationRequest(query=text), request_id="r", allowed=frozenset({OperationType.QUERY})
    )
    assert not isinstance(prepared, OperationResult)
    return await engine.run(prepared, context)


async def test_no_work_begins_after_the_deadline() -> None:
    BEGUN.clear()
    began = time.monotonic()
    found = await answer("{ slow busy }")
    assert found.outcome is Outcome.STOPPED
    assert time.monotonic() - began < 2
    await asyncio.sleep(0.05)
    assert BEGUN in ([], ["slow"])


async def test_the_awaitables_of_a_list_are_awaited_after_an_error() -> None:
    found = await answer("{ one many }")
    gc.collect()  # a coroutine that was never awaited complains
    assert found.codes == ["INTERNAL_SERVER_ERROR"]


async def test_an_operation_without_a_plan_keeps_no_request() -> None:
    engine = Engine(
        strawberry.Schema(Query),
        limits=DocumentSettings(),
        deadline_seconds=5,
        suggestions=False,
    )
    watched = []
    for _ in range(3):
        context = Context()
        watched.append(weakref.ref(context))
        await ask(engine, "{ __schema { queryType { name } } }", context)
        del context
    gc.collect()
    assert [each() for each in watched] == [None] * 3


def test_the_columns_that_an_operation_reads_are_known() -> None:
    document = OPERATIONS["ConsolePage"]
    read = read_columns(plan_operation(executor(document, "ConsolePage")))
    assert read["Receipt"] == frozenset({"account_id", "number"})
    assert "deployments" in (read["UsageBucket"] or ())
    assert "description" not in (read["CreditPurchase"] or {"description"})
    many = read_columns(plan_operation(executor(OPERATIONS["ManyAccounts"], "ManyAccounts")))
    assert "deployments" not in (many["UsageBucket"] or {"deployments"})
