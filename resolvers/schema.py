"""The schema, made by a factory: the plain one, or a subgraph of a federation."""

from typing import Final

import strawberry
from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
    lexicographic_sort_schema,
    print_schema,
)
from graphql import build_schema as build_from_text
from strawberry.schema.config import StrawberryConfig

from gateway.execution.cost.schema_costs import LENGTH
from resolvers.federation import REPRESENTATION, subgraph_query, with_keys
from resolvers.mutation import Mutation
from resolvers.query import Query
from resolvers.scalars import LENGTHS, SCALARS
from resolvers.subscription import Subscription
from resolvers.types.credit_purchase import CreditPurchase

# Types that only `node` reaches.
_TYPES: Final = (CreditPurchase,)


def build_schema(*, federation: bool = False) -> strawberry.Schema:
    """Return a new schema; `federation` adds the fields of an Apollo Federation subgraph."""
    query = subgraph_query(with_keys(print_schema_file())) if federation else Query
    scalars = {**SCALARS, **REPRESENTATION} if federation else SCALARS
    schema = strawberry.Schema(
        query,
        mutation=Mutation,
        subscription=Subscription,
        types=_TYPES,
        config=StrawberryConfig(scalar_map=scalars),
    )
    _set_lengths(schema._schema)  # noqa: SLF001  # Strawberry has no public way to it
    _drop_null_defaults(schema._schema)  # noqa: SLF001  # Strawberry has no public way to it
    return schema


def _drop_null_defaults(schema: GraphQLSchema) -> None:
    """Leave optional arguments and input fields without a default.

    Strawberry gives them the default null, which clients' generated code then repeats.
    """
    for kind in schema.type_map.values():
        inputs = list(kind.fields.values()) if isinstance(kind, GraphQLInputObjectType) else []
        fields = kind.fields if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) else {}
        for each in [*inputs, *(each for field in fields.values() for each in field.args.values())]:
            if each.default_value is None:
                each.default_value = Undefined


def _set_lengths(schema: GraphQLSchema) -> None:
    """Note in each scalar type how long its values may be."""
    for name, length in LENGTHS.items():
        if type_ := schema.type_map.get(name):
            type_.extensions[LENGTH] = length


def print_schema_file() -> str:
    """Return the text of `schema.graphql`: the plain schema, sorted, with its descriptions."""
    text = build_schema().as_str()
    # A sorted copy: Strawberry's own sorting breaks the output of enums.
    return print_schema(lexicographic_sort_schema(build_from_text(text))) + "\n"
