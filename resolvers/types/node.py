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
    description="An object with a globally unique, permanent id, for `node` and `nodes`."
)
class Node:
    POLICY: ClassVar = Policy.ACCOUNT

    id: strawberry.ID = strawberry.field(
        description="The object's global id: opaque, at most 60 characters."
    )

    @classmethod
    def is_type_of(cls, row: Any, _: GraphQLResolveInfo[Any]) -> bool:
        """A field of this very type needs no proof; where several are possible the row says it."""
        return bool(row.get(TYPENAME, cls.__name__) == cls.__name__)

    @staticmethod
    def resolve_type(row: Any, _: GraphQLResolveInfo[Any], __: GraphQLAbstractType) -> str:
        return str(row[TYPENAME])
