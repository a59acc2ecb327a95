"""The values of a field's arguments."""

from collections.abc import Callable
from typing import Any, TypeAlias

from graphql import FieldNode, GraphQLField, VariableNode, Visitor, visit
from graphql.execution import Executor
from graphql.execution.values import get_argument_values

Convert: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]


class FieldArguments:
    """The arguments of one field of a document: coerced once if they hold no variable, list or
    object.
    """

    __slots__ = ("_constant", "_field", "_has_variables", "_node")

    def __init__(self, field: GraphQLField, node: FieldNode) -> None:
        self._field = field
        self._node = node
        self._has_variables = _has_variables(node)
        self._constant: dict[str, Any] | None = None

    def values(self, executor: Executor[Any], convert: Convert) -> Callable[[], dict[str, Any]]:
        """Return a function that returns the converted arguments of one call.

        Calls share them unless they hold a list or an object, which a resolver may change. Raises
        what coercion raises.
        """
        if self._constant is not None:
            constant = self._constant
            return lambda: constant
        coerced = self._coerced(executor)
        if any(isinstance(value, list | dict) for value in coerced.values()):
            return lambda: convert(self._coerced(executor))
        converted = convert(coerced)
        if not self._has_variables:
            self._constant = converted
        return lambda: converted

    def _coerced(self, executor: Executor[Any]) -> dict[str, Any]:
        if not self._field.args and not self._node.arguments:
            return {}
        return get_argument_values(
            self._field, self._node, executor.variable_values, None, executor.hide_suggestions
        )


def _has_variables(node: FieldNode) -> bool:
    finder = _VariableFinder()
    for argument in node.arguments or ():
        visit(argument, finder)
    return finder.found


class _VariableFinder(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def enter_variable(self, _: VariableNode, *__: object) -> None:
        self.found = True
