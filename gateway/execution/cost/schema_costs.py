"""The costs of a schema's fields, by descriptor and type."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLLeafType,
    GraphQLNamedOutputType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)

from gateway.execution.cost.tree import Figures
from gateway.execution.fields import Cost, cost_of, points_of

LENGTH: Final = "gateway-length"
"""Key in a scalar type's extensions: the greatest number of characters of its values."""
_TEXT: Final = 200
_NAME: Final = 60
"""Of the texts of introspection: most are names, some are sentences."""
_LENGTHS: Final = {"Boolean": 5, "Int": 11, "Float": 24, "ID": 60}
PUNCTUATION: Final = 4
"""Of a key or a text, its quotes, colon and comma."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldCosts:
    """The descriptor of one field of a schema, and what one of its values costs by itself."""

    type: GraphQLNamedOutputType
    cost: Cost | None
    own: Figures
    is_list: bool
    is_composite: bool


class SchemaCosts:
    """The costs of one schema's fields."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self._introspection = _introspection(schema)
        self._of: dict[int, FieldCosts] = {}

    def of(self, definition: GraphQLField) -> FieldCosts:
        """Return the cost of a field."""
        found = self._of.get(id(definition))
        if found is None:
            found = self._of[id(definition)] = self._read(definition)
        return found

    def _read(self, definition: GraphQLField) -> FieldCosts:
        type_ = cast("GraphQLNamedOutputType", get_named_type(definition.type))
        cost = cost_of(definition) or self._introspection.get(id(definition))
        if is_leaf_type(type_):
            length = (cost and cost.length) or _length_of(type_)
            own = Figures(values=1, length=length + PUNCTUATION)
        else:
            own = Figures(points=points_of(type_), values=1, length=PUNCTUATION)
        is_list = is_list_type(get_nullable_type(definition.type))
        return FieldCosts(
            type=type_,
            cost=cost or (Cost() if is_list else None),
            own=own,
            is_list=is_list,
            is_composite=not is_leaf_type(type_),
        )


def _length_of(type_: GraphQLLeafType) -> int:
    if isinstance(type_, GraphQLEnumType):
        return max(map(len, type_.values), default=0)
    length: int = type_.extensions.get(LENGTH, _LENGTHS.get(type_.name, _TEXT))
    return length


def _introspection(schema: GraphQLSchema) -> Mapping[int, Cost]:
    """Return the costs of the fields of introspection, by their ids: the mean lengths of lists."""
    types = list(schema.type_map.values())
    fields = [each for type_ in types for each in getattr(type_, "fields", {}).values()]
    values = sum(len(each.values) for each in types if isinstance(each, GraphQLEnumType))
    arguments = sum(len(getattr(each, "args", ())) for each in fields)
    items = {
        "types": len(types),
        "directives": len(schema.directives),
        "fields": math.ceil(len(fields) / len(types)),
        "inputFields": math.ceil(len(fields) / len(types)),
        "enumValues": math.ceil(values / len(types)),
        "args": math.ceil(arguments / max(1, len(fields))),
        "locations": 4,
    }
    return {
        id(definition): Cost(items=items.get(name, 1), length=_NAME)
        for type_ in types
        if isinstance(type_, GraphQLObjectType) and type_.name.startswith("__")
        for name, definition in type_.fields.items()
    }
