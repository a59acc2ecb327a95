"""graphql-core's executors for compiled runs: one is built for an operation, and others are copies.

To build one reads the document, finds the type of each variable, and checks every value so that the
errors can be reported. A compiled run needs the values alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self

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

    __slots__ = ("_attributes", "_class", "_variables")

    def __init__(self, executor: Executor[Any]) -> None:
        self._class = type(executor)
        self._variables = [
            _Variable.of(source.signature) for source in executor.variable_values.sources.values()
        ]
        own = {"context_value", "root_value", "variable_values"}
        attributes = vars(executor).items()
        self._attributes = {name: value for name, value in attributes if name not in own}

    def copy(
        self, variables: Mapping[str, object], context: object, root: object
    ) -> Executor[Any] | None:
        values = _values(self._variables, variables)
        if values is None:
            return None
        executor: Executor[Any] = self._class.__new__(self._class)
        attributes = vars(executor)
        attributes.update(self._attributes)
        attributes["context_value"] = context
        attributes["root_value"] = root
        attributes["variable_values"] = values
        return executor


class _Variable(NamedTuple):
    """A variable of an operation. `coerce` is the function of its type if that is a scalar or an
    enum.
    """

    name: str
    signature: GraphQLVariableSignature
    type: GraphQLInputType
    nullable: bool
    coerce: Callable[[Any], Any] | None

    @classmethod
    def of(cls, signature: GraphQLVariableSignature) -> Self:
        type_ = get_nullable_type(signature.type)
        return cls(
            name=signature.name,
            signature=signature,
            type=signature.type,
            nullable=not is_non_null_type(signature.type),
            coerce=type_.coerce_input_value if is_leaf_type(type_) else None,
        )

    def coerced(self, given: object) -> object:
        """Return a sent value, coerced; Undefined for one that is not of the variable's type."""
        if self.coerce is None:
            is_too_deep = input_is_nested_too_deeply(given, self.type)
            return Undefined if is_too_deep else coerce_input_value(given, self.type)
        if given is None:
            return None if self.nullable else Undefined
        try:
            return self.coerce(given)
        except Exception:  # whatever a scalar raises
            return Undefined


def _values(
    declared: Sequence[_Variable], variables: Mapping[str, object]
) -> VariableValues | None:
    """Return the variables' values as graphql-core does; None where it would report errors."""
    sources: dict[str, VariableValueSource] = {}
    coerced: dict[str, Any] = {}
    for each in declared:
        given = variables.get(each.name, Undefined)
        sources[each.name] = VariableValueSource(each.signature, given)
        if given is not Undefined:
            value = each.coerced(given)
        elif (default := each.signature.default) is not None and default.literal is not None:
            value = coerce_input_literal(default.literal, each.type)
        elif each.nullable:
            continue  # without a value it is absent
        else:
            return None
        if value is Undefined:
            return None
        coerced[each.name] = value
    return VariableValues(sources, coerced)
