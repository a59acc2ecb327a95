"""Errors of refused documents: short, and telling nothing of a closed schema."""

import re
from typing import Any

import pytest
from graphql import GraphQLSchema, OperationType

from gateway.execution.engine import Engine
from gateway.execution.operation import OperationRequest, OperationResult, PreparedOperation
from gateway.settings.documents import DocumentSettings
from resolvers.schema import build_schema

ALL = frozenset(OperationType)
SCHEMA = build_schema()
ENGINE = Engine(SCHEMA, limits=DocumentSettings(), deadline_seconds=10, suggestions=False)
OPEN = Engine(SCHEMA, limits=DocumentSettings(), deadline_seconds=10, suggestions=True)
PURCHASES = 'account(id: "a") { creditPurchases%s { totalCount } }'


async def refusals(engine: Engine, query: str) -> list[Any]:
    request = OperationRequest(query=query)
    result = await engine.prepare(request, request_id="r", allowed=ALL)
    assert isinstance(result, OperationResult), query
    return list(result.errors)


def schema_of(engine: Engine) -> GraphQLSchema:
    return engine.documents.schema


CLOSED = {
    "a required argument": ("{ nodes { id } }", "A required argument is missing."),
    "a field without its selection": (
        "{ viewer }",
        "Field 'viewer' must have a selection of subfields.",
    ),
    "a leaf with a selection": ("{ viewer { id { x } } }", "Field 'id' has no subfields."),
    "a near miss": ("{ viewer { idd } }", "Cannot query field 'idd' here."),
    "an argument": ("{ viewer(x: 1) { id } }", "Unknown argument 'x' on 'viewer'."),
    "a type": ("query ($a: Accnt) { node(id: $a) { id } }", "Unknown type 'Accnt'."),
    "another variable": (
        "query ($v: Int) { node(id: $v) { id } }",
        "Variable '$v' of type 'Int' does not fit where it is used.",
    ),
    "a field of an input": (
        f"{{ {PURCHASES % '(filter: {statu: [PAID]})'} }}",
        "Unknown field 'statu'.",
    ),
    "a value of an enum": (
        f"{{ {PURCHASES % '(filter: {status: [PAIDD]})'} }}",
        "Value 'PAIDD' does not exist here.",
    ),
    "a scalar": ("{ node(id: 1.5) { id } }", "A value is not of the type that its place expects."),
    "an object": (
        f"{{ {PURCHASES % '(filter: 1)'} }}",
        "A value is not of the type that its place expects.",
    ),
    "a directive's argument": ("{ viewer { id @skip } }", "A required argument is missing."),
    "a fragment": (
        "{ viewer { ...F } } fragment F on Account { id }",
        "Fragment 'F' cannot be spread here.",
    ),
    "an inline fragment": (
        "{ viewer { ... on Account { id } } }",
        "A fragment cannot be spread here.",
    ),
    "a variable of an output type": (
        "query ($a: Account) { viewer { id @skip(if: $a) } }",
        "Variable '$a' has no type of inputs.",
    ),
}


@pytest.mark.parametrize("name", CLOSED)
async def test_a_closed_schema_is_not_named(name: str) -> None:
    query, sentence = CLOSED[name]
    errors = await refusals(ENGINE, query)
    assert sentence in [each["message"] for each in errors]
    words = {*re.findall(r"\w+", query)}
    types = schema_of(ENGINE).type_map.keys() - words
    for each in errors:
        said = each["message"]
        assert types.isdisjoint(re.findall(r"\w+", said)), said
        assert words.issuperset(re.findall(r"\w+", " ".join(re.findall("'(.*?)'", said)))), said


async def test_an_open_schema_is_named() -> None:
    (error,) = await refusals(OPEN, "{ nodes { id } }")
    assert error["message"].startswith("Argument 'Query.nodes(ids:)' of type '[ID!]!' is required")


KEYS = ", ".join(f"k{number}: 1" for number in range(600))
LONG = {
    "unknown fields": f"{{ {PURCHASES % f'(filter: {{{KEYS}}})'} }}",
    "a value": f"{{ node(id: {{{KEYS}}}) {{ id }} }}",
    "a field": f"{{ {'x' * 3_000} }}",
    "many fields": "{ " + " ".join(f"{'x' * 900}{number}" for number in range(60)) + " }",
    "a type": f"query ($a: {'X' * 3_000}) {{ node(id: $a) {{ id }} }}",
    "a directive": f"{{ viewer {{ id @{'x' * 3_000} }} }}",
    "a variable": f"query (${'x' * 3_000}: ID!) {{ viewer {{ id }} }}",
}


@pytest.mark.parametrize("engine", [ENGINE, OPEN], ids=["closed", "open"])
@pytest.mark.parametrize("name", LONG)
async def test_an_error_quotes_little_of_a_long_document(engine: Engine, name: str) -> None:
    errors = await refusals(engine, LONG[name])
    assert len(str(errors)) < 16_384
    for each in errors:
        assert len(each["message"]) <= 401
        assert all(len(part) <= 101 for part in re.findall("'(.*?)'", each["message"]))


PLACES = {
    "an argument": ("usage(from: $x) { interval }", "Date", "from"),
    "a field of an input": (
        "creditPurchases(filter: {from: $x}) { totalCount }",
        "Date",
        "filter.from",
    ),
    "a zone": ("usage(timeZone: $x) { interval }", "TimeZone", "timeZone"),
}


@pytest.mark.parametrize("name", PLACES)
async def test_a_bad_value_names_its_place(name: str) -> None:
    """A literal's place is a variable's."""
    field, scalar, place = PLACES[name]
    query = f'query ($x: {scalar}) {{ account(id: "a") {{ {field} }} }}'
    literal = f'{{ account(id: "a") {{ {field} }} }}'.replace("$x", '"1999-01-01"')
    request = OperationRequest(query=query, variables={"x": "1999-01-01"})
    prepared = await ENGINE.prepare(request, request_id="r", allowed=ALL)
    assert isinstance(prepared, PreparedOperation)
    refused = await ENGINE.run(prepared, None)
    for errors in (await refusals(ENGINE, literal), refused.errors):
        assert [each["extensions"] for each in errors] == [
            {"code": "BAD_USER_INPUT", "argument": place}
        ]
