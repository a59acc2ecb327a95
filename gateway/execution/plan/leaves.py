"""Scalars and enums: many values of one type at a time."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

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
    Undefined,
)

from gateway.execution.plan.irregular import Irregular

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
        found = [known[value] for value in values]
    else:
        found = [serialize(value) for value in values]
    if any(value is None or value is Undefined for value in found):
        raise Irregular("a value without a serialized form")
    return found
