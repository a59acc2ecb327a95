"""Explains refused values of variables, in sentences that quote no value."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    VariableNode,
    is_input_type,
    is_required_input_field,
    print_ast,
    type_from_ast,
)

from gateway.errors import BadUserInput
from gateway.execution.argument_paths import argument_path

_MISSING = object()
_VARIABLE: Final = re.compile(r"Variable (\$\S+) ")
_NAMED: Final = re.compile(r"(?:of type|lacks|field that|field of) \[*(\w+)")
"""The types and fields of the schema that a sentence names."""


def refused_variables(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    values: Mapping[str, Any],
    *,
    suggestions: bool = True,
) -> Iterator[GraphQLError]:
    """Yield an error for each place where `values` do not match the operation's variables.

    The original error of each is a BadUserInput. Its `argument` is the place of the value in the
    schema: the argument that the variable is given to, and the fields inside. Without `suggestions`
    no message names a type or a field that the document and the values do not.
    """
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        variable_type = type_from_ast(schema, definition.type)
        value = values.get(name, _MISSING)
        if not is_input_type(variable_type) or (value is _MISSING and definition.default_value):
            continue
        place = argument_path(document, partial(_is_variable, name)) or name
        for each in _problems(value, variable_type, f"${name}", place):
            cause = each if suggestions else _without_schema(each, print_ast(definition.type))
            yield GraphQLError(cause.message, definition, original_error=cause)


def _is_variable(name: str, node: Node) -> bool:
    return isinstance(node, VariableNode) and node.name.value == name


def _without_schema(cause: BadUserInput, declared: str) -> BadUserInput:
    """Return an error that names no type and no field beyond those of the declared type."""
    found = _VARIABLE.match(cause.message)
    if found is None or {*_NAMED.findall(cause.message)} <= {*re.findall(r"\w+", declared)}:
        return cause
    sentence = f"Variable {found[1]} has a value that its type does not allow."
    return type(cause)(sentence, argument=cause.argument)


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
            yield from _problems(value[key], field.type, f"{at}.{key}", f"{name}.{key}")
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
