"""The subgraph: keys in its own text only, entities with the rights and limits of nodes."""

from typing import Any

import pytest
from graphql import OperationType
from graphql import build_schema as build_from_text

from gateway.execution.operation import OperationRequest, OperationResult
from gateway.ids import encode_global_id
from gateway.principal import Principal, Role
from gateway.store import Database
from resolvers.schema import build_schema, print_schema_file
from tests.support.graph import ADA, ask, make_engines
from tests.support.rows import account, deployment, member, put

SUBGRAPH = make_engines(build_schema(federation=True))
ONE, TWO = encode_global_id("Account", 1), encode_global_id("Account", 2)
MINE = encode_global_id("Deployment", 1, 7)
ENTITIES = """query($r: [_Any!]!) { _entities(representations: $r) {
  __typename ... on Account { id name } ... on Deployment { id externalId }
} }"""


def test_the_plain_schema_has_no_directives_and_builds() -> None:
    text = print_schema_file()
    assert "@key" not in text
    assert "_entities" not in text
    build_from_text(text)


async def test_the_subgraph_describes_itself_with_keys(database: Database) -> None:
    reply = await ask(database, ADA, "{ _service { sdl } }", engines=SUBGRAPH)
    sdl = reply.data["_service"]["sdl"]
    assert sdl.startswith('extend schema @link(url: "https://specs.apollo.dev/federation/v2.')
    assert 'type Account implements Node @key(fields: "id") {' in sdl
    assert 'type Deployment implements Node @key(fields: "id") {' in sdl
    assert sdl.count("@key(") == 2
    assert "_entities" not in sdl
    without = sdl.split("\n\n", 1)[1].replace(' @key(fields: "id")', "")
    assert (
        build_from_text(without).type_map.keys()
        == build_from_text(print_schema_file()).type_map.keys()
    )


async def test_the_description_is_closed_like_introspection() -> None:
    request = OperationRequest(query="{ _service { sdl } }")
    for engine in (SUBGRAPH.compiled, SUBGRAPH.reference):
        allowed = frozenset({OperationType.QUERY})
        closed = await engine.prepare(request, request_id="r", allowed=allowed, introspection=False)
        assert isinstance(closed, OperationResult)
        assert closed.codes == ["GRAPHQL_VALIDATION_FAILED"]


async def entities(database: Database, principal: Principal, *representations: Any) -> Any:
    variables = {"r": list(representations)}
    return await ask(database, principal, ENTITIES, variables, engines=SUBGRAPH)


def ref(typename: str, id_: str) -> dict[str, str]:
    return {"__typename": typename, "id": id_}


async def test_entities_are_found_in_the_order_of_their_representations(
    database: Database,
) -> None:
    await put(
        database,
        *(account(1), account(2), deployment(1, 7), deployment(2, 7)),
        member(1, "ada", Role.VIEWER),
    )
    reply = await entities(
        database,
        ADA,
        ref("Deployment", MINE),
        ref("Account", TWO),
        ref("Account", ONE),
        ref("Account", MINE),
        ref("Deployment", encode_global_id("Deployment", 2, 7)),
        ref("Account", "x"),
    )
    assert reply.errors == []
    assert reply.data == {
        "_entities": [
            {"__typename": "Deployment", "id": MINE, "externalId": str(2**64 - 7)},
            None,
            {"__typename": "Account", "id": ONE, "name": "Customer 1"},
            None,
            None,
            None,
        ]
    }
    assert reply.statements == 2


async def test_more_than_100_entities_are_refused(database: Database) -> None:
    reply = await entities(database, ADA, *[ref("Account", ONE)] * 101)
    assert [(path, code) for path, code, _ in reply.errors] == [(["_entities"], "BAD_USER_INPUT")]
    assert reply.statements == 0


@pytest.mark.parametrize(
    "representation",
    [
        {"__typename": "CreditPurchase", "id": "x"},
        {"__typename": "Account"},
        {"__typename": "Account", "id": 1},
        {"id": ONE},
        "Account",
        1,
    ],
)
async def test_what_is_no_representation_is_refused(
    database: Database, representation: Any
) -> None:
    reply = await entities(database, ADA, representation)
    assert (reply.data, reply.statements) == (None, 0)
    assert [code for _, code, _ in reply.errors] == ["BAD_USER_INPUT"]


async def test_both_schemas_live_beside_each_other(database: Database) -> None:
    await put(database, account(1), member(1, "ada"))
    query = f'{{ account(id: "{ONE}") {{ name }} }}'
    expected = {"account": {"name": "Customer 1"}}
    assert (await ask(database, ADA, query)).data == expected
    assert (await ask(database, ADA, query, engines=SUBGRAPH)).data == expected
