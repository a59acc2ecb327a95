"""Explains refused values of variables, in sentences that quote no value."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    is_input_type,
    is_required_input_field,
    type_from_ast,
)

from gateway.errors import BadUserInput

_MISSING = object()


def refused_variables(
    schema: GraphQLSchema, operation: OperationDefinitionNode, values: Mapping[str, Any]
) -> Iterator[GraphQLError]:
    """Yield an error for each place where `values` do not match the operation's variables.

    The original error of each is a BadUserInput with the variable's name as `argument`.
    """
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        variable_type = type_from_ast(schema, definition.type)
        value = values.get(name, _MISSING)
        if not is_input_type(variable_type) or (value is _MISSING and definition.default_value):
            continue
        for cause in _problems(value, variable_type, f"${name}", name):
            yield GraphQLError(cause.message, definition, original_error=cause)


def _problems(value: Any, of_type: GraphQLInputType, at: str, name: str) -> Iterator[BadUserInput]:
    if isinstance(of_type, GraphQLNonNull):
        if value is None or value is _MISSING:
            yield BadUserInput(f"Variable {at} must have a value of type {of_type}.", argument=name)
        else:
            yield from _problems(value, of_type.of_type, at, name)
    elif value is None or value is _MISSING:
        return
    elif isinstance(of_type, GraphQLList):
        items = value if isinstance(value, list) else [value]
        for index, item in enumerate(items):
            place = f"{at}[{index}]" if items is value else at
            yield from _problems(item, of_type.of_type, place, name)
    elif isinstance(of_type, GraphQLInputObjectType):
        yield from _object_problems(value, of_type, at, name)
    else:
        try:
            of_type.coerce_input_value(value)
        except Exception as error:
            yield _leaf_problem(error, of_type, at, name)


def _object_problems(
    value: Any, of_type: GraphQLInputObjectType, at: str, name: str
) -> Iterator[BadUserInput]:
    if not isinstance(value, dict):
        yield BadUserInput(f"Variable {at} must be an object of type {of_type}.", argument=name)
        return
    for key, field in of_type.fields.items():
        if key in value:
            yield from _problems(value[key], field.type, f"{at}.{key}", name)
        elif is_required_input_field(field):
            sentence = f"Variable {at} lacks {key}, which {of_type} requires."
            yield BadUserInput(sentence, argument=name)
    if not value.keys() <= of_type.fields.keys():
        sentence = f"Variable {at} has a field that {of_type} does not have."
        yield BadUserInput(sentence, argument=name)
    elif of_type.is_one_of and (len(value) != 1 or None in value.values()):
        sentence = f"Variable {at} must have exactly one field of {of_type}, and not null."
        yield BadUserInput(sentence, argument=name)


def _leaf_problem(error: Exception, of_type: object, at: str, name: str) -> BadUserInput:
    cause = error.original_error if isinstance(error, GraphQLError) else error
    if isinstance(cause, BadUserInput):
        return type(cause)(cause.message, argument=cause.argument or name)
    return BadUserInput(f"Variable {at} must have a value of type {of_type}.", argument=name)
