"""Later runs of an operation have the variables that graphql-core would give them."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final

import strawberry
from graphql import OperationType

from gateway.execution.engine import Engine
from gateway.execution.operation import OperationRequest, OperationResult
from gateway.settings.documents import DocumentSettings


@strawberry.enum
class Colour(Enum):
    RED = "r"


@strawberry.input
class Window:
    days: int = 7
    tags: list[str] | None = None


@strawberry.type
class Query:
    @strawberry.field
    def seen(
        self,
        number: int | None = 0,
        colour: Colour | None = None,
        many: list[int] | None = None,
        window: Window | None = None,
    ) -> str:
        text = f"{number} {colour} {many} {window}"
        for changed in (many, window and window.tags):
            if changed:
                changed.clear()
        return text


TEXT: Final = """
query Q($n: Int!, $c: Colour = RED, $m: [Int!] = [1, 2], $w: Window = {tags: ["a"]}, $x: Int) {
  seen(number: $n, colour: $c, many: $m, window: $w)
  other: seen(number: $x)
}
"""
VARIABLES: Final[Sequence[Mapping[str, Any]]] = (
    {"n": 1},
    {"n": 2, "c": None, "m": None, "w": None, "x": None},
    {"n": 3, "m": 4, "w": {"days": 1, "tags": "b"}, "x": 5},
    {},
    {"n": None},
    {"n": "1"},
    {"n": 2**40},
    {"n": 1, "c": "BLUE"},
    {"n": 1, "c": "RED", "m": [1, None]},
    {"n": 1, "m": [[1]]},
    {"n": 1, "w": {"day": 1}},
    {"n": 1, "w": {"days": None}},
    {"n": 1, "m": []},
    {"n": 1},
)
SCHEMA: Final = strawberry.Schema(Query)


def build(*, compiled: bool) -> Engine:
    return Engine(
        SCHEMA, limits=DocumentSettings(), deadline_seconds=5, suggestions=True, compiled=compiled
    )


async def run(engine: Engine, variables: Mapping[str, Any], context: object = None) -> object:
    prepared = await engine.prepare(
        OperationRequest(query=TEXT, variables=variables),
        request_id="r1",
        allowed=frozenset({OperationType.QUERY}),
    )
    assert not isinstance(prepared, OperationResult)
    return (await engine.run(prepared, context)).body


async def test_later_runs_coerce_variables_as_graphql_core_does() -> None:
    copying, building = build(compiled=True), build(compiled=False)
    for _ in range(2):
        for variables in VARIABLES:
            assert await run(copying, variables) == await run(building, variables)


async def test_an_executor_that_is_kept_holds_no_context() -> None:
    class Context:
        kept = 0

        def __init__(self) -> None:
            Context.kept += 1

        def __del__(self) -> None:
            Context.kept -= 1

    engine = build(compiled=True)
    for _ in range(3):
        await run(engine, {"n": 1}, Context())
    assert Context.kept == 0
