"""Scalars and enums: many values of one type at a time."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeAlias, runtime_checkable

from graphql import (
    GRAPHQL_MAX_INT,
    GRAPHQL_MIN_INT,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
)
from graphql.pyutils import UndefinedType

from gateway.execution.plan.irregular import Irregular

_ABSENT: Final = frozenset({type(None), UndefinedType})


@runtime_checkable
class ColumnSerializer(Protocol):
    """A scalar's `serialize` function that also serializes many values in one call."""

    def __call__(self, value: Any, /) -> Any: ...

    def column(self, values: list[Any], /) -> list[Any]:
        """Call the function for each value and return the results; raises its errors."""
        ...


Plain: TypeAlias = tuple[type, Callable[[list[Any]], bool] | None]
"""The Python type of values that need no conversion, and a check of all of them."""

_PLAIN: Final[Mapping[GraphQLLeafType, Plain]] = {
    GraphQLString: (str, None),
    GraphQLID: (str, None),
    GraphQLBoolean: (bool, None),
    GraphQLInt: (int, lambda v: min(v) >= GRAPHQL_MIN_INT and max(v) <= GRAPHQL_MAX_INT),
    GraphQLFloat: (float, lambda v: all(map(math.isfinite, v))),
}


def serialized(type_: GraphQLLeafType, values: list[Any], kinds: set[type]) -> list[Any]:
    """Return the values in their form in the response. No value is None; `kinds` are
    the values' Python types.

    Raises Irregular if a value has no serialized form, and what the type's own function raises.
    """
    if plain := _PLAIN.get(type_):
        kind, check = plain
        if kinds == {kind} and (check is None or check(values)):
            return values
    serialize = type_.coerce_output_value
    if isinstance(type_, GraphQLEnumType) and len(kinds) == 1:
        # Few different values, each of which is looked up once.
        known = {value: serialize(value) for value in set(values)}
        found = list(map(known.__getitem__, values))
    elif isinstance(serialize, ColumnSerializer):
        found = serialize.column(values)
    else:
        found = list(map(serialize, values))
    if not _ABSENT.isdisjoint(map(type, found)):
        raise Irregular("a value without a serialized form")
    return found
