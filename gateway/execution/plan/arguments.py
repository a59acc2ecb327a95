"""The values of a field's arguments."""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, TypeAlias

from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    Undefined,
    ValueNode,
    VariableNode,
    Visitor,
    coerce_input_literal,
    is_non_null_type,
    is_required_argument,
    visit,
)
from graphql.execution import Executor
from graphql.execution.values import coerce_argument
from graphql.utilities.coerce_input_value import coerce_default_value

_CHANGEABLE: Final = (list, dict)

Convert: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]


class _Argument(NamedTuple):
    """One argument of a field. Its value is that of `variable`, or `constant`: Undefined where
    graphql-core has to coerce it each time.
    """

    name: str
    out_name: str
    definition: GraphQLArgument
    node: ArgumentNode | None
    variable: str | None
    constant: Any
    nullable: bool


class FieldArguments:
    """The arguments of one field of a document. Constants are coerced once, and a variable's value
    is taken as it is; graphql-core coerces what holds variables inside, finds defaults of variables
    without a value, and makes the errors.
    """

    __slots__ = ("_arguments", "_is_constant", "_node", "_shared")

    def __init__(self, field: GraphQLField, node: FieldNode) -> None:
        self._node = node
        self._arguments = tuple(_arguments(field, node))
        self._is_constant = all(
            each.variable is None and each.constant is not Undefined for each in self._arguments
        )
        self._shared: dict[str, Any] | None = None

    def values(self, executor: Executor[Any], convert: Convert) -> Callable[[], dict[str, Any]]:
        """Return a function that returns the converted arguments of one call.

        Calls share them unless they hold a list or an object, which a resolver may change. Raises
        what coercion raises.
        """
        if self._shared is not None:
            shared = self._shared
            return lambda: shared
        coerced = self._coerced(executor)
        for value in coerced.values():
            if isinstance(value, _CHANGEABLE):
                return lambda: convert(self._coerced(executor))
        converted = convert(coerced)
        if self._is_constant:
            self._shared = converted
        return lambda: converted

    def _coerced(self, executor: Executor[Any]) -> dict[str, Any]:
        variables = executor.variable_values
        found: dict[str, Any] = {}
        for each in self._arguments:
            name, value = each.variable, each.constant
            if name is not None:
                value = variables.coerced.get(name, Undefined)
            if value is Undefined or (value is None and not each.nullable):
                coerce_argument(
                    found,
                    self._node,
                    each.name,
                    each.definition,
                    each.node,
                    variables,
                    None,
                    executor.hide_suggestions,
                )
            else:
                found[each.out_name] = value
        return found


def _arguments(field: GraphQLField, node: FieldNode) -> Iterator[_Argument]:
    """Yield the arguments, but for those that are omitted and have no default."""
    nodes = {each.name.value: each for each in node.arguments or ()}
    for name, definition in field.args.items():
        given = nodes.get(name)
        if given is None and not is_required_argument(definition) and not _has_default(definition):
            continue
        value = None if given is None else given.value
        variable = value.name.value if isinstance(value, VariableNode) else None
        yield _Argument(
            name=name,
            out_name=definition.out_name or name,
            definition=definition,
            node=given,
            variable=variable,
            constant=_constant(definition, value) if variable is None else Undefined,
            nullable=not is_non_null_type(definition.type),
        )


def _has_default(definition: GraphQLArgument) -> bool:
    return definition.default is not None or definition.default_value is not Undefined


def _constant(definition: GraphQLArgument, literal: ValueNode | None) -> Any:
    """Return the coerced value of a literal, or else the default; Undefined for one that is not
    valid, or has to be made for each call.
    """
    if literal is None:
        try:
            return coerce_default_value(definition)
        except TypeError:
            return Undefined
    if _has_variables(literal):
        return Undefined
    value = coerce_input_literal(literal, definition.type)
    return Undefined if isinstance(value, _CHANGEABLE) else value


def _has_variables(node: ValueNode) -> bool:
    finder = _VariableFinder()
    visit(node, finder)
    return finder.found


class _VariableFinder(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def enter_variable(self, _: VariableNode, *__: object) -> None:
        self.found = True
