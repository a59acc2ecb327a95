"""The schema, made by a factory: the plain one, or a subgraph of a federation."""

from typing import Final

import strawberry
from graphql import build_schema as build_from_text
from graphql import lexicographic_sort_schema, print_schema
from strawberry.schema.config import StrawberryConfig

from resolvers.federation import REPRESENTATION, subgraph_query, with_keys
from resolvers.query import Query
from resolvers.scalars import SCALARS
from resolvers.subscription import Subscription
from resolvers.types.credit_purchase import CreditPurchase

# Reached by no field whose type is a node of its own, only through `node`.
_TYPES: Final = (CreditPurchase,)


def build_schema(*, federation: bool = False) -> strawberry.Schema:
    """Return a new schema; `federation` adds what a gateway of subgraphs asks for."""
    query = subgraph_query(with_keys(print_schema_file())) if federation else Query
    scalars = {**SCALARS, **REPRESENTATION} if federation else SCALARS
    return strawberry.Schema(
        query, subscription=Subscription, types=_TYPES, config=StrawberryConfig(scalar_map=scalars)
    )


def print_schema_file() -> str:
    """Return the text of `schema.graphql`: the plain schema, sorted, with its descriptions."""
    text = build_schema().as_str()
    # A sorted copy: Strawberry's own sorting breaks the output of enums.
    return print_schema(lexicographic_sort_schema(build_from_text(text))) + "\n"
