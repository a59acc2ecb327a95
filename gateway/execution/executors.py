"""graphql-core's executors for compiled runs: one is built for an operation, and others are copies.

To build one reads the document, finds the type of each variable, and checks every value so that the
errors can be reported. A compiled run needs the values alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLInputType,
    OperationDefinitionNode,
    Undefined,
    coerce_input_literal,
    coerce_input_value,
    get_nullable_type,
    is_leaf_type,
    is_non_null_type,
)
from graphql.execution import Executor, VariableValues
from graphql.execution.get_variable_signature import GraphQLVariableSignature
from graphql.execution.values import VariableValueSource, input_is_nested_too_deeply


class Executors:
    """The executors of one document's operations. They are for compiled runs alone: copies share
    the state of graphql-core's own runs.
    """

    __slots__ = ("_models",)

    def __init__(self) -> None:
        self._models: dict[int, _Model] = {}
        """By an operation's `id`; the document has the operation."""

    def keep(self, operation: OperationDefinitionNode, executor: Executor[Any]) -> None:
        """Copy later executors of an operation from one that was built."""
        self._models[id(operation)] = _Model(executor)

    def copy(
        self,
        operation: OperationDefinitionNode,
        variables: Mapping[str, object],
        context: object,
        root: object,
    ) -> Executor[Any] | None:
        """Return an executor; None where one has to be built: it is the first of the operation, or
        a variable has no value of its type.
        """
        model = self._models.get(id(operation))
        return None if model is None else model.copy(variables, context, root)


class _Model:
    """The common part of an operation's executors."""

    __slots__ = ("_attributes", "_class", "_signatures")

    def __init__(self, executor: Executor[Any]) -> None:
        self._class = type(executor)
        self._signatures = [
            (source.signature, is_leaf_type(get_nullable_type(source.signature.type)))
            for source in executor.variable_values.sources.values()
        ]
        own = {"context_value", "root_value", "variable_values"}
        attributes = vars(executor).items()
        self._attributes = {name: value for name, value in attributes if name not in own}

    def copy(
        self, variables: Mapping[str, object], context: object, root: object
    ) -> Executor[Any] | None:
        values = _values(self._signatures, variables)
        if values is None:
            return None
        executor: Executor[Any] = self._class.__new__(self._class)
        attributes = vars(executor)
        attributes.update(self._attributes)
        attributes["context_value"] = context
        attributes["root_value"] = root
        attributes["variable_values"] = values
        return executor


def _values(
    signatures: Sequence[tuple[GraphQLVariableSignature, bool]], variables: Mapping[str, object]
) -> VariableValues | None:
    """Return the variables' values as graphql-core does; None where it would report errors. Each
    signature comes with whether its type is a scalar or an enum.
    """
    values = VariableValues({}, {})
    for signature, is_leaf in signatures:
        name, type_ = signature.name, signature.type
        given = variables.get(name, Undefined)
        values.sources[name] = VariableValueSource(signature, given)
        if given is not Undefined:
            value = _given(given, type_, is_leaf=is_leaf)
        elif (default := signature.default) is not None and default.literal is not None:
            value = coerce_input_literal(default.literal, type_)
        elif is_non_null_type(type_):
            return None
        else:
            continue  # a nullable variable without a value is absent
        if value is Undefined:
            return None
        values.coerced[name] = value
    return values


def _given(value: object, type_: GraphQLInputType, *, is_leaf: bool) -> object:
    if not is_leaf and input_is_nested_too_deeply(value, type_):
        return Undefined
    return coerce_input_value(value, type_)
