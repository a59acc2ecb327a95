"""Which operations are compiled, and how often they are laid out."""

from pathlib import Path
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    TypeNode,
    parse,
    parse_type,
)
from graphql.execution import Executor

from gateway.execution.plan.cache import KEPT, Plans
from gateway.execution.plan.object_plan import NotCompiled
from resolvers.schema import build_schema
from tests.support.contract import operations

SCHEMA = build_schema()._schema
PAGE = Path(__file__).parents[4] / "console" / "src" / "api" / "operations"
VALUES = {
    "ID": "x",
    "String": "x",
    "Int": 1,
    "Boolean": True,
    "Date": "2026-11-01",
    "TimeZone": "UTC",
}


def page_documents() -> dict[str, DocumentNode]:
    """Return the page's documents, each with the fragments of all."""
    texts = {path.name: path.read_text("utf-8") for path in PAGE.glob("*.graphql")}
    whole = parse("\n".join(texts.values()))
    return {
        node.name.value: whole
        for node in whole.definitions
        if isinstance(node, OperationDefinitionNode) and node.name
    }


def value_of(type_: TypeNode) -> Any:
    """Return a value that a variable may have."""
    if not isinstance(type_, NonNullTypeNode):
        return None
    if not isinstance(type_.type, NamedTypeNode):
        return []
    name = type_.type.name.value
    kind = SCHEMA.get_type(name)
    if isinstance(kind, GraphQLInputObjectType):
        return {key: value_of(parse_type(str(each.type))) for key, each in kind.fields.items()}
    return next(iter(kind.values)) if isinstance(kind, GraphQLEnumType) else VALUES[name]


def executor(document: DocumentNode, name: str | None = None, /, **values: Any) -> Executor[Any]:
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode) and name in {
            None,
            node.name and node.name.value,
        }:
            values |= {
                each.variable.name.value: value_of(each.type)
                for each in node.variable_definitions or ()
                if each.variable.name.value not in values
            }
    built = Executor.build(SCHEMA, document, raw_variable_values=values, operation_name=name)
    assert not isinstance(built, list), built
    return built


OPERATIONS = {**operations(subscriptions=True), **page_documents()}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_of_clients_is_compiled(name: str) -> None:
    document = OPERATIONS[name]
    plan = Plans(document).of(executor(document, name)).root
    assert plan.fields


def test_a_plan_is_made_once_for_its_conditions() -> None:
    document = parse(
        "query A($a: Boolean!, $n: Int) { viewer { __typename @skip(if: $a) id: __typename } }"
    )
    plans = Plans(document)
    first = plans.of(executor(document, a=True, n=1))
    assert plans.of(executor(document, a=True, n=2)) is first
    other = plans.of(executor(document, a=False, n=1))
    assert other is not first
    assert plans.of(executor(document, a=True, n=1)) is first


def test_the_kept_plans_are_bounded() -> None:
    names = [f"v{n}" for n in range(6)]
    declared = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"{name}: __typename @include(if: ${name})" for name in names)
    document = parse(f"query A({declared}) {{ {fields} }}")
    plans = Plans(document)
    for number in range(2 ** len(names)):
        values = {name: bool(number >> bit & 1) for bit, name in enumerate(names)}
        plan = plans.of(executor(document, **values)).root
        assert [field.key for field in plan.fields] == [name for name in names if values[name]]
    assert len(plans) == KEPT


@pytest.mark.parametrize("text", ["{ __schema { description } }", '{ __type(name: "A") { name } }'])
def test_introspection_is_not_compiled(text: str) -> None:
    document = parse(text)
    plans = Plans(document)
    for _ in range(2):
        with pytest.raises(NotCompiled, match="introspection"):
            plans.of(executor(document))
