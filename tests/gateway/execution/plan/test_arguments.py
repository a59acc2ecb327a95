"""Arguments have the values and the errors that graphql-core gives them."""

from collections.abc import Callable
from typing import Any

import pytest
from graphql import FieldNode, GraphQLError, GraphQLField, build_schema, parse
from graphql.execution import Executor
from graphql.execution.values import get_argument_values

from gateway.execution.plan.arguments import FieldArguments

SCHEMA = build_schema(
    """
    input Range { from: Int = 1, to: Int! }
    type Query {
      f(a: Int, b: Int = 2, c: Int!, d: Int! = 4, e: [Int], g: Range, h: ID): Int
    }
    """
)

VARIABLES = "($n: Int, $m: Int!, $list: [Int], $range: Range, $text: ID)"
SENT: list[dict[str, Any]] = [
    {"m": 5},
    {"m": 5, "n": None, "list": None, "range": None, "text": None},
    {"m": 5, "n": 6, "list": [1, None], "range": {"to": 3}, "text": 12},
    {"m": 5, "n": 6, "list": 7, "range": {"from": None, "to": 3}, "text": "x"},
]
CALLS = [
    "f(c: 1)",
    "f(a: 1, b: null, c: 3, d: 5, e: [1, 2], g: {to: 2}, h: 7)",
    "f(a: $n, b: $n, c: $m, h: $text)",
    "f(c: $m, d: $n)",
    "f(c: $n)",
    "f(c: $m, e: $list, g: $range)",
    "f(c: $m, e: [$n, 1], g: {from: $n, to: $m})",
    "f(c: $m, g: {to: $n})",
    "f(c: $unknown)",
    "f(a: true, c: 1)",
    "f",
]


@pytest.mark.parametrize("sent", SENT)
@pytest.mark.parametrize("call", CALLS)
def test_values_and_errors_are_those_of_graphql_core(call: str, sent: dict[str, Any]) -> None:
    executor, field, node = of_call(call, sent)
    arguments = FieldArguments(field, node)

    def wanted() -> dict[str, Any]:
        return get_argument_values(field, node, executor.variable_values)

    def found() -> dict[str, Any]:
        return arguments.values(executor, dict)()

    for _ in range(2):  # what is kept is used the second time
        assert outcome(found) == outcome(wanted)


def test_each_call_has_a_list_of_its_own() -> None:
    executor, field, node = of_call("f(c: 1, e: [1, 2])", SENT[0])
    values = FieldArguments(field, node).values(executor, dict)
    values()["e"].append(3)
    assert values()["e"] == [1, 2]


def of_call(call: str, sent: dict[str, Any]) -> tuple[Executor[Any], GraphQLField, FieldNode]:
    document = parse(f"query {VARIABLES} {{ {call} }}")
    executor = Executor.build(SCHEMA, document, raw_variable_values=sent)
    assert isinstance(executor, Executor)
    (node,) = executor.operation.selection_set.selections
    query = SCHEMA.query_type
    assert isinstance(node, FieldNode)
    assert query is not None
    return executor, query.fields["f"], node


def outcome(values: Callable[[], dict[str, Any]]) -> object:
    try:
        return list(values().items())
    except GraphQLError as error:
        return str(error)
