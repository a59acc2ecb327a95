"""Objects with a global id."""

from collections.abc import Mapping
from typing import ClassVar

import strawberry
from graphql import GraphQLAbstractType, GraphQLResolveInfo

from resolvers.permissions import Policy


class NodeRow(dict[str, object]):
    """A row as the value of an abstract type, with the name of its own type."""

    __slots__ = ("typename",)

    def __init__(self, row: Mapping[str, object], typename: str) -> None:
        super().__init__(**row)
        self.typename = typename


@strawberry.interface(
    description="An object with a globally unique, permanent id, for `node` and `nodes`."
)
class Node:
    POLICY: ClassVar = Policy.ACCOUNT

    id: strawberry.ID = strawberry.field(
        description="The object's global id: opaque, at most 60 characters."
    )

    @classmethod
    def is_type_of(cls, row: object, _: GraphQLResolveInfo[object]) -> bool:
        """A field of this very type needs no proof; where several are possible the row says it."""
        return getattr(row, "typename", cls.__name__) == cls.__name__

    @staticmethod
    def resolve_type(row: NodeRow, _: GraphQLResolveInfo[object], __: GraphQLAbstractType) -> str:
        return row.typename
