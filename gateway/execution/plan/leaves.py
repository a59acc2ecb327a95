"""Scalars and enums: many values of one type at a time."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
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

from gateway.execution.plan.irregular import Irregular
from gateway.execution.plan.kinds import ABSENT


@runtime_checkable
class ColumnSerializer(Protocol):
    """A scalar's `serialize` function that also serializes many values in one call."""

    def __call__(self, value: Any, /) -> Any: ...

    def column(self, values: Sequence[Any], /) -> Sequence[Any]:
        """Call the function for each value and return the results; raises its errors."""
        ...


Serialize: TypeAlias = Callable[[Sequence[Any], set[type]], Sequence[Any]]
"""Returns values in their form in the response. No value is None; the set has their types.

Raises Irregular if a value has no serialized form, and what the type's own function raises.
"""

_Convert: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]


_Check: TypeAlias = Callable[[Sequence[Any]], bool]

_PLAIN: Final[Mapping[GraphQLLeafType, tuple[type, _Check | None]]] = {
    GraphQLString: (str, None),
    GraphQLID: (str, None),
    GraphQLBoolean: (bool, None),
    GraphQLInt: (int, lambda v: min(v) >= GRAPHQL_MIN_INT and max(v) <= GRAPHQL_MAX_INT),
    GraphQLFloat: (float, lambda v: all(map(math.isfinite, v))),
}
"""The Python type of values that need no conversion, and a check of all of them."""


@lru_cache(maxsize=1_000)
def serializer(type_: GraphQLLeafType) -> Serialize:
    """Return the function that serializes columns of values of a type."""
    if isinstance(type_, GraphQLEnumType):
        convert: _Convert = partial(_by_value, type_.coerce_output_value)
    elif isinstance(type_.coerce_output_value, ColumnSerializer):
        convert = type_.coerce_output_value.column
    else:
        convert = partial(_each, type_.coerce_output_value)
    plain, check = _PLAIN.get(type_, (unchanged(type_), None))
    return partial(_serialized, plain, check, convert)


def unchanged(type_: GraphQLLeafType) -> type | None:
    """Return the Python type of values that are all their own serialized form; None if some have to
    be checked or converted.
    """
    if type_.coerce_output_value is str:  # as of most scalars of ours
        return str
    plain, check = _PLAIN.get(type_, (None, None))
    return plain if check is None else None


def _serialized(
    plain: type | None,
    check: _Check | None,
    convert: _Convert,
    values: Sequence[Any],
    kinds: set[type],
) -> Sequence[Any]:
    if plain in kinds and len(kinds) == 1 and (check is None or check(values)):
        return values
    found = convert(values)
    if not ABSENT.isdisjoint(map(type, found)):
        raise Irregular("a value without a serialized form")
    return found


def _each(serialize: Callable[[Any], Any], values: Sequence[Any]) -> Sequence[Any]:
    return list(map(serialize, values))


def _by_value(serialize: Callable[[Any], Any], values: Sequence[Any]) -> Sequence[Any]:
    """Serialize each different value once: an enum has few. Of equal values of two types, such as
    1 and True, each is serialized.
    """
    if len(set(map(type, values))) > 1:
        return _each(serialize, values)
    known = {value: serialize(value) for value in set(values)}
    return list(map(known.__getitem__, values))
