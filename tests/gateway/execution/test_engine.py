import asyncio
import gc
import re
from enum import Enum
from typing import Any, NewType

import pytest
import strawberry
import structlog
from graphql import OperationType
from strawberry.schema.config import StrawberryConfig

from gateway.errors import BadCursor, BadUserInput, NotFound
from gateway.execution.engine import Engine
from gateway.execution.operation import OperationRequest, OperationResult, Outcome
from gateway.settings.documents import DocumentSettings

Day = NewType("Day", str)
QUERIES = frozenset({OperationType.QUERY})
SECRET = "hunter2"


def parse_day(value: object) -> str:
    if not isinstance(value, str) or len(value) != 10:
        raise BadUserInput("A day is written like 2026-11-01.")
    return value


@strawberry.enum
class Colour(Enum):
    RED = "r"


@strawberry.input
class Window:
    days: int
    colour: Colour | None = None
    tags: list[str] | None = None


@strawberry.type
class Item:
    number: int


def first_item() -> Item:
    return Item(number=0)


@strawberry.type
class Query:
    old: Item = strawberry.field(resolver=first_item, deprecation_reason="Use `items`.")

    @strawberry.field
    async def items(self) -> list[Item]:
        await asyncio.sleep(0)
        return [Item(number=number) for number in range(20)]

    @strawberry.field
    def seen(self, info: strawberry.Info, x: int = 0) -> str:
        return f"{info.context['user']} {info.field_name} {info.variable_values} {info.query}"

    @strawberry.field
    async def sleep(self) -> str:
        await asyncio.sleep(60)
        return "never"

    @strawberry.field
    async def crash(self, info: strawberry.Info) -> str | None:
        raise info.context["error"]

    @strawberry.field
    def missing(self) -> str | None:
        raise NotFound("Object not found.")

    @strawberry.field
    def cursor(self) -> str | None:
        raise BadCursor("The cursor is from elsewhere.", argument="after")

    @strawberry.field
    def overflow(self) -> int | None:
        return 2**40

    @strawberry.field
    def on(self, day: Day) -> str:
        return day

    @strawberry.field
    def span(self, window: Window, times: int = 1) -> int:
        return window.days * times


SCALAR = strawberry.scalar(name="Day", serialize=str, parse_value=parse_day)
SCHEMA = strawberry.Schema(Query, config=StrawberryConfig(scalar_map={Day: SCALAR}))
ENGINE = Engine(SCHEMA, limits=DocumentSettings(), deadline_seconds=10, suggestions=False)
OPEN = Engine(SCHEMA, limits=DocumentSettings(), deadline_seconds=10, suggestions=True)


async def ask(
    query: str, /, engine: Engine = ENGINE, context: Any = None, **variables: Any
) -> OperationResult:
    request = OperationRequest(query=query, variables=variables)
    prepared = await engine.prepare(request, request_id="r1", allowed=QUERIES)
    if isinstance(prepared, OperationResult):
        return prepared
    return await engine.run(prepared, context)


async def test_resolvers_see_the_info_that_strawberry_gives_them() -> None:
    text = "query Q($x: Int!) { seen(x: $x) }"
    answer = await ask(text, context={"user": "ada"}, x=4)
    assert answer.outcome is Outcome.EXECUTED
    assert answer.data == {"seen": f"ada seen {{'x': 4}} {text}"}
    assert answer.errors == []


async def test_requests_for_deprecated_fields_are_counted() -> None:
    counted: list[str] = []
    engine = Engine(
        SCHEMA,
        limits=DocumentSettings(),
        deadline_seconds=10,
        suggestions=False,
        count_deprecated=counted.append,
    )
    for _ in range(2):
        await ask("{ a: old { number } ...F } fragment F on Query { old { number } }", engine)
        await ask("{ missing }", engine)
    assert (await ask("{ old { nothing } }", engine)).outcome is Outcome.REFUSED
    assert counted == ["Query.old"] * 2


@pytest.mark.parametrize("compiled", [True, False])
async def test_an_answer_of_too_many_values_is_refused(compiled: bool) -> None:
    tight = DocumentSettings().model_copy(update={"answer_values": 61})
    engine = Engine(SCHEMA, limits=tight, deadline_seconds=10, suggestions=False, compiled=compiled)
    # A list, 20 objects, 20 scalars.
    assert (await ask("{ items { number } }", engine)).errors == []
    answer = await ask("{ items { number n: number m: number } }", engine)
    assert (answer.data, answer.codes) == (None, ["QUERY_TOO_COMPLEX"])
    assert (
        answer.errors[0]["message"] == "The answer has more than 61 values; request less at once."
    )


async def test_operations_left_to_graphql_core_are_counted() -> None:
    reasons: list[str] = []
    engine = Engine(
        SCHEMA,
        limits=DocumentSettings(),
        deadline_seconds=10,
        suggestions=False,
        count_fallback=reasons.append,
    )
    assert (await ask("{ items { number } missing }", engine)).data == {
        "items": [{"number": number} for number in range(20)],
        "missing": None,
    }
    assert reasons == []
    assert (await ask("{ overflow }", engine)).codes == ["INTERNAL_SERVER_ERROR"]
    assert (await ask('{ __type(name: "Item") { name } }', engine)).errors == []
    assert reasons == ["an error", "introspection"]


async def test_a_run_leaves_no_garbage_cycles() -> None:
    text = "{ items { number } }"
    await ask(text)
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            await ask(text)
        assert gc.collect() == 0
    finally:
        gc.enable()


async def test_a_slow_operation_is_stopped() -> None:
    engine = Engine(SCHEMA, limits=DocumentSettings(), deadline_seconds=0.05, suggestions=False)
    answer = await ask("{ sleep other: sleep }", engine=engine)
    assert answer.outcome is Outcome.STOPPED
    assert answer.data is None
    assert answer.errors == [
        {
            "message": "The operation took longer than 0.05 s and was stopped.",
            "extensions": {"code": "TIMEOUT"},
        }
    ]


async def test_an_unexpected_error_is_masked_and_logged_once() -> None:
    error = RuntimeError(SECRET)
    with structlog.testing.capture_logs() as lines:
        answer = await ask("{ crash again: crash missing }", context={"error": error})
    masked = {
        "message": "Internal error; see the server's log for request id r1.",
        "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": "r1"},
    }
    assert answer.data == {"crash": None, "again": None, "missing": None}
    assert sorted(answer.errors, key=lambda e: e["path"]) == [
        masked | {"locations": [{"line": 1, "column": 9}], "path": ["again"]},
        masked | {"locations": [{"line": 1, "column": 3}], "path": ["crash"]},
        {
            "message": "Object not found.",
            "locations": [{"line": 1, "column": 22}],
            "path": ["missing"],
            "extensions": {"code": "NOT_FOUND"},
        },
    ]
    assert [(line["event"], line["exc_info"], line["request_id"]) for line in lines] == [
        ("unexpected", error, "r1")
    ]


async def test_a_wrong_resolved_value_is_an_internal_error() -> None:
    with structlog.testing.capture_logs():
        answer = await ask("{ overflow }")
    assert answer.codes == ["INTERNAL_SERVER_ERROR"]
    assert "1099511627776" not in str(answer.errors)


async def test_our_errors_keep_their_extensions() -> None:
    answer = await ask("{ cursor }")
    assert answer.errors[0]["message"] == "The cursor is from elsewhere."
    assert answer.errors[0]["extensions"] == {"code": "BAD_CURSOR", "argument": "after"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ items { number }", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ span(window: {}) }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ a: " + "items { number } a: " * 40 + "items { number } }", "QUERY_TOO_COMPLEX"),
        ("query A { on } query B { on }", "OPERATION_RESOLUTION_FAILURE"),
        ("mutation { anything }", "BAD_REQUEST"),
    ],
)
async def test_a_refused_document_has_its_code(query: str, code: str) -> None:
    answer = await ask(query)
    assert answer.outcome in {Outcome.REFUSED, Outcome.NOT_ALLOWED}
    assert answer.data is None
    assert answer.codes == [code]


async def test_a_malformed_scalar_names_its_argument() -> None:
    sentence = "A day is written like 2026-11-01."
    literal = await ask('{ on(day: "yesterday") }')
    variable = await ask("query ($when: Day!) { on(day: $when) }", when="yesterday")
    assert [(e["message"], e["extensions"]) for e in literal.errors] == [
        (sentence, {"code": "BAD_USER_INPUT", "argument": "day"})
    ]
    assert [(e["message"], e["extensions"]) for e in variable.errors] == [
        (sentence, {"code": "BAD_USER_INPUT", "argument": "day"})
    ]


@pytest.mark.parametrize(
    ("window", "sentences"),
    [
        (None, ["Variable $w must have a value of type Window!."]),
        (3, ["Variable $w must be an object of type Window."]),
        ({}, ["Variable $w lacks days, which Window requires."]),
        ({"days": None}, ["Variable $w.days must have a value of type Int!."]),
        ({"days": SECRET}, ["Variable $w.days must have a value of type Int."]),
        ({"days": 2**31}, ["Variable $w.days must have a value of type Int."]),
        ({"days": 1, "colour": SECRET}, ["Variable $w.colour must have a value of type Colour."]),
        (
            {"days": 1, "tags": ["a", {"b": 1}, None]},
            [
                "Variable $w.tags[1] must have a value of type String.",
                "Variable $w.tags[2] must have a value of type String!.",
            ],
        ),
        ({"days": 1, SECRET: 2}, ["Variable $w has a field that Window does not have."]),
    ],
)
async def test_refused_variables_are_named_and_not_quoted(
    window: Any, sentences: list[str]
) -> None:
    answer = await ask("query ($w: Window!) { span(window: $w) }", OPEN, w=window)
    assert answer.outcome is Outcome.REFUSED
    assert [error["message"] for error in answer.errors] == sentences
    places = (re.sub(r"\[\d\]", "", each.split()[1]).rstrip(".") for each in sentences)
    assert [error["extensions"] for error in answer.errors] == [
        {"code": "BAD_USER_INPUT", "argument": place.replace("$w", "window")} for place in places
    ]
    assert SECRET not in str(answer.errors)


@pytest.mark.parametrize(
    ("window", "sentence"),
    [
        (None, "Variable $w must have a value of type Window!."),
        ({}, "Variable $w has a value that its type does not allow."),
        ({"days": "x"}, "Variable $w.days has a value that its type does not allow."),
    ],
    ids=["declared", "lacking", "inside"],
)
async def test_a_refused_variable_names_nothing_of_a_closed_schema(
    window: Any, sentence: str
) -> None:
    answer = await ask("query ($w: Window!) { span(window: $w) }", w=window)
    assert [error["message"] for error in answer.errors] == [sentence]


async def test_null_for_a_defaulted_argument_is_bad_input() -> None:
    answer = await ask("query ($n: Int = 2) { span(window: {days: 1}, times: $n) }", n=None)
    assert answer.errors[0]["message"] == "An argument has a value that its type does not allow."
    assert answer.errors[0]["extensions"] == {"code": "BAD_USER_INPUT", "argument": "times"}


async def test_variables_are_checked_for_a_cached_document() -> None:
    text = "query ($n: Int!) { span(window: {days: $n}) }"
    assert (await ask(text, n=1)).data == {"span": 1}
    assert (await ask(text, n="many")).codes == ["BAD_USER_INPUT"]


async def test_introspection_can_be_closed() -> None:
    request = OperationRequest(
        query="{ ...F } fragment F on Query { __schema { queryType { name } } }"
    )
    closed = await ENGINE.prepare(request, request_id="r1", allowed=QUERIES, introspection=False)
    assert isinstance(closed, OperationResult)
    assert closed.errors == [
        {
            "message": "Introspection is not open to you here.",
            "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
        }
    ]
    assert not isinstance(
        await ENGINE.prepare(request, request_id="r1", allowed=QUERIES), OperationResult
    )


async def test_cancelling_reaches_the_resolvers_and_passes_through() -> None:
    task = asyncio.create_task(ask("{ sleep }"))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
