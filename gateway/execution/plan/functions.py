"""A Strawberry field's function, called without the wrappers that Strawberry lays around it.

The wrappers convert arguments, make an `info` and apply extensions for each call. A plan does the
first two once where it can, and leaves fields with extensions to their wrappers.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any, Final

from graphql import (
    GraphQLField,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
)
from strawberry.relay import GlobalID
from strawberry.schema import Schema
from strawberry.types.arguments import convert_arguments
from strawberry.types.base import StrawberryOptional
from strawberry.types.field import StrawberryField
from strawberry.types.info import Info

from gateway.execution.plan.infos import Infos, PlannedInfo
from gateway.execution.policies import Check, checks_of

_DEFINITION: Final = "strawberry-definition"
_FUNCTION: Final = "gateway-function"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFunction:
    """The function of a field, the names of its parameters for the row and `info`, and the checks
    that precede a call. `leaves` are the parameters of the arguments that are scalars or enums, by
    the arguments' names.
    """

    checks: Sequence[Check]
    function: Callable[..., Any]
    row_names: Sequence[str]
    info_name: str | None
    leaves: Mapping[str, str]
    definition: StrawberryField
    schema: Schema

    def info(self, context: object, places: Infos, position: int) -> Any:
        """Return the `info` that the function gets for the value at a position."""
        info_class = self.schema.config.info_class
        if info_class is Info:
            return PlannedInfo(self.definition, context, places, position)
        return info_class(_raw_info=places.infos()[position], _field=self.definition)

    def converted(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return coerced values of arguments as the function's own, by its parameters."""
        leaves = self.leaves
        if values.keys() <= leaves.keys():  # coerced, and in need of nothing more
            return {leaves[name]: value for name, value in values.items()}
        return convert_arguments(
            dict(values),
            self.definition.arguments,
            scalar_registry=self.schema.schema_converter.scalar_registry,
            config=self.schema.config,
        )

    def value(self, row: Any, info: Any, context: Any, arguments: Mapping[str, Any]) -> Any:
        """Call the function for a row, after its checks; raises the errors of both.
        `arguments` are converted.
        """
        for check in self.checks:
            check(row, context)
        return self.unchecked(row, info, arguments)

    def unchecked(self, row: Any, info: Any, arguments: Mapping[str, Any]) -> Any:
        """Call the function for a row of which nothing is shown."""
        given = dict.fromkeys(self.row_names, row)
        if self.info_name is not None:
            given[self.info_name] = info
        return self.function(**given, **arguments)


def function_of(schema: GraphQLSchema, field: GraphQLField) -> FieldFunction | None:
    """Return the function of a schema's field; None if its resolver has to be called. It is made
    once, after the policies of the schema are enforced.
    """
    if _FUNCTION not in field.extensions:
        field.extensions[_FUNCTION] = _function_of(schema, field)
    found: FieldFunction | None = field.extensions[_FUNCTION]
    return found


def _function_of(schema: GraphQLSchema, field: GraphQLField) -> FieldFunction | None:
    definition = field.extensions.get(_DEFINITION)
    own: Schema | None = getattr(schema, "_strawberry_schema", None)
    if not isinstance(definition, StrawberryField) or own is None:
        return None
    resolver = definition.base_resolver
    if resolver is None or definition.extensions or own.exception_handlers:
        return None
    if definition.is_subscription or type(definition).get_result is not StrawberryField.get_result:
        return None
    function = resolver.wrapped_func
    if is_abstract_type(get_named_type(field.type)) or not isinstance(function, FunctionType):
        return None
    rows = (resolver.self_parameter, resolver.parent_parameter, resolver.root_parameter)
    return FieldFunction(
        checks=checks_of(field),
        function=function,
        row_names=tuple({each.name: None for each in rows if each is not None}),
        info_name=resolver.info_parameter.name if resolver.info_parameter else None,
        leaves=dict(_leaves(field, definition, own)),
        definition=definition,
        schema=own,
    )


def _leaves(
    field: GraphQLField, definition: StrawberryField, schema: Schema
) -> Iterator[tuple[str, str]]:
    for argument in definition.arguments:
        name = schema.config.name_converter.from_argument(argument)
        kind = argument.type
        if isinstance(kind, StrawberryOptional) and not argument.is_maybe:
            kind = kind.of_type
        is_leaf = is_leaf_type(get_nullable_type(field.args[name].type))
        if is_leaf and kind is not GlobalID and not isinstance(kind, StrawberryOptional):
            yield name, argument.python_name
