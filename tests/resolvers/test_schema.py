"""The contract: printed, described, and kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    Undefined,
    build_schema,
    find_breaking_changes,
    validate,
)

from resolvers.schema import print_schema_file
from tests.support.contract import CONTRACT, operations

ROOT = Path(__file__).parents[2]
OPERATIONS = operations(subscriptions=True)


@pytest.fixture(scope="module")
def printed() -> GraphQLSchema:
    return build_schema(print_schema_file())


def test_the_schema_file_is_what_the_code_prints() -> None:
    assert (ROOT / "schema.graphql").read_text("utf-8") == print_schema_file()


def test_nothing_that_was_released_breaks(printed: GraphQLSchema) -> None:
    released = build_schema((CONTRACT / "released.graphql").read_text("utf-8"))
    assert [str(change) for change in find_breaking_changes(released, printed)] == []


@pytest.mark.parametrize("document", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_what_clients_send_is_valid(document: DocumentNode, printed: GraphQLSchema) -> None:
    assert validate(printed, document) == []


def test_an_optional_argument_has_no_default_null(printed: GraphQLSchema) -> None:
    assert "= null" not in print_schema_file()
    account = printed.type_map["Account"]
    assert isinstance(account, GraphQLObjectType)
    arguments = account.fields["usage"].args
    assert {each.default_value for each in arguments.values()} == {Undefined}


def test_everything_is_described(printed: GraphQLSchema) -> None:
    assert [place for place, text in _descriptions(printed) if not (text or "").strip()] == []


def test_scalars_say_by_what_they_are_specified(printed: GraphQLSchema) -> None:
    own = [
        each
        for each in printed.type_map.values()
        if isinstance(each, GraphQLScalarType)
        and each.name not in {"String", "Int", "Boolean", "ID", "Float"}
    ]
    assert own
    assert [each.name for each in own if each.specified_by_url is None] == []


def test_there_is_no_float(printed: GraphQLSchema) -> None:
    assert "Float" not in printed.type_map


def _descriptions(schema: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    for name, kind in schema.type_map.items():
        if name.startswith("__"):
            continue
        yield name, kind.description
        if isinstance(kind, GraphQLEnumType):
            for value_name, value in kind.values.items():
                yield f"{name}.{value_name}", value.description
        if isinstance(kind, GraphQLInputObjectType):
            for input_name, input_field in kind.fields.items():
                yield f"{name}.{input_name}", input_field.description
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in kind.fields.items():
                yield f"{name}.{field_name}", field.description
                for argument_name, argument in field.args.items():
                    yield f"{name}.{field_name}({argument_name})", argument.description
