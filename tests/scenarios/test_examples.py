"""The operations that GraphiQL offers."""

from pathlib import Path

import pytest
from graphql import (
    FieldNode,
    NoDeprecatedCustomRule,
    OperationDefinitionNode,
    OperationType,
    parse,
    validate,
)

from gateway.execution.engine import Engine
from gateway.execution.operation import OperationRequest, PreparedOperation
from gateway.ids import encode_global_id
from gateway.principal import Principal, Role
from gateway.settings.documents import DocumentSettings
from gateway.store import Database, accounts
from resolvers.schema import build_schema
from tests.support.books import ACTOR, NOW, Books
from tests.support.graph import ask

FOLDER = Path(__file__).parents[2] / "console/src/graphiql/examples"
EXAMPLES = {path.stem: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.graphql"))}
SCHEMA = build_schema()


def operation(text: str) -> OperationDefinitionNode:
    (found,) = parse(text).definitions
    assert isinstance(found, OperationDefinitionNode)
    return found


@pytest.mark.parametrize("name", EXAMPLES)
async def test_an_example_has_a_title_and_may_run(name: str) -> None:
    text = EXAMPLES[name]
    assert text.startswith("# ")
    engine = Engine(SCHEMA, limits=DocumentSettings(), deadline_seconds=1, suggestions=False)
    request = OperationRequest(query=text)
    prepared = await engine.prepare(request, request_id="test", allowed=frozenset(OperationType))
    assert isinstance(prepared, PreparedOperation), prepared


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_uses_no_deprecated_field(name: str) -> None:
    assert validate(SCHEMA._schema, parse(EXAMPLES[name]), [NoDeprecatedCustomRule]) == []


def test_there_is_one_for_every_root_field() -> None:
    shown = {
        field.name.value
        for text in EXAMPLES.values()
        for field in operation(text).selection_set.selections
        if isinstance(field, FieldNode)
    }
    core = SCHEMA._schema
    roots = (core.query_type, core.mutation_type, core.subscription_type)
    assert shown == {name for root in roots if root for name in root.fields}


async def test_each_answers(database: Database) -> None:
    key = await Books(database).account("acme")
    async with database.writing(ACTOR) as transaction:
        await accounts.put_member(transaction, [key], "ada", Role.OWNER, NOW)
    variables = {"account": encode_global_id("Account", key)}
    for text in EXAMPLES.values():
        if operation(text).operation is OperationType.QUERY:
            reply = await ask(database, Principal(subject="ada"), text, variables)
            assert reply.errors == []
