"""Objects with a global id."""

from typing import Any, ClassVar

import strawberry
from graphql import GraphQLAbstractType, GraphQLResolveInfo

from resolvers.permissions import Policy

TYPENAME = "__typename"
"""The key under which a row says its type, where a field's type does not (see `as_node`)."""


def as_node(row: Any, typename: str) -> dict[str, Any]:
    """Return the row as a value of an abstract type."""
    return {**row, TYPENAME: typename}


@strawberry.interface(
    description="An object with an id that is unique among all objects and does not change. "
    "`node` and `nodes` find it again."
)
class Node:
    POLICY: ClassVar = Policy.ACCOUNT

    id: strawberry.ID = strawberry.field(
        description="The object's id: opaque, of one spelling, at most 60 characters."
    )

    @classmethod
    def is_type_of(cls, row: Any, _: GraphQLResolveInfo[Any]) -> bool:
        """A field of this very type needs no proof; where several are possible the row says it."""
        return bool(row.get(TYPENAME, cls.__name__) == cls.__name__)

    @staticmethod
    def resolve_type(row: Any, _: GraphQLResolveInfo[Any], __: GraphQLAbstractType) -> str:
        return str(row[TYPENAME])
