"""Reads what the operations of a document select, merged as graphql-core merges it."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, Final, NamedTuple

from cachetools import LRUCache
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInputType,
    GraphQLObjectType,
    InlineFragmentNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    VariableNode,
    coerce_input_literal,
    get_nullable_type,
    is_abstract_type,
    is_list_type,
    value_from_ast_untyped,
)

from gateway.errors import TooComplex
from gateway.execution.conditions import condition_variables
from gateway.execution.cost.schema_costs import PUNCTUATION, FieldCosts, SchemaCosts
from gateway.execution.cost.tree import (
    ROW,
    Argument,
    Count,
    Figures,
    Number,
    Scope,
    Selected,
    SelectedList,
    Variables,
)
from gateway.execution.fields import Cost, FromArguments, Size

_KEPT: Final = 16
_NO_COST: Final = Cost()
_NO_CONDITIONS: Final[Mapping[str, bool]] = {}
_CONDITIONS: Final = {"skip": False, "include": True}


class OperationCosts:
    """The costs of one document's operations: each is read once for each set of values of the
    variables in `@skip` and `@include`.
    """

    __slots__ = ("_conditions", "_costs", "_document", "_fragments", "_kept", "_max_fields")

    def __init__(self, costs: SchemaCosts, document: DocumentNode, max_fields: int) -> None:
        self._costs = costs
        self._document = document
        self._max_fields = max_fields
        self._conditions: tuple[str, ...] | None = None
        self._kept: MutableMapping[object, Selected] = LRUCache(_KEPT)
        self._fragments = {
            each.name.value: each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }

    def of(self, operation: OperationDefinitionNode, variables: Variables) -> Selected:
        """Return the costs of an operation's selections. Raises TooComplex for too many fields."""
        if self._conditions is None:
            self._conditions = condition_variables(self._document)
            if not self._conditions:
                self._kept = {}  # one for each operation
        names = self._conditions
        conditions = _conditions(operation, variables, names) if names else _NO_CONDITIONS
        key = id(operation), tuple(conditions.items())
        try:
            return self._kept[key]
        except KeyError:
            walk = _Walk(self._costs, self._fragments, operation, conditions, self._max_fields)
        found = self._kept[key] = walk.selected()
        return found


def _conditions(
    operation: OperationDefinitionNode, variables: Variables, names: Sequence[str]
) -> Mapping[str, bool]:
    defaults = {
        each.variable.name.value: value_from_ast_untyped(each.default_value)
        for each in operation.variable_definitions or ()
        if each.default_value is not None
    }
    return {name: bool(variables.get(name, defaults.get(name))) for name in names}


class _Field(NamedTuple):
    key: str
    definition: GraphQLField
    nodes: Sequence[FieldNode]


class _Walk:
    """Reads the selections of one operation."""

    def __init__(
        self,
        costs: SchemaCosts,
        fragments: Mapping[str, FragmentDefinitionNode],
        operation: OperationDefinitionNode,
        conditions: Mapping[str, bool],
        max_fields: int,
    ) -> None:
        self._costs = costs
        self._schema = costs.schema
        self._fragments = fragments
        self._operation = operation
        self._conditions = conditions
        self._left = self._max_fields = max_fields
        self._defaults = {
            each.variable.name.value: each.default_value
            for each in operation.variable_definitions or ()
        }

    def selected(self) -> Selected:
        root = self._schema.get_root_type(self._operation.operation)
        assert root is not None  # noqa: S101  # the document is valid
        return self._object(root, [self._operation.selection_set], {}, Figures())

    def _object(
        self,
        type_: GraphQLObjectType,
        sets: Sequence[SelectionSetNode],
        scope: Scope,
        own: Figures,
    ) -> Selected:
        """Return the costs of an object's selections; `own` is what the object costs by itself."""
        groups: dict[str, list[FieldNode]] = {}
        self._collect(type_, sets, groups, set())
        points, values, length, rows, statements = own
        lists: list[SelectedList] = []
        for key, nodes in groups.items():
            definition = self._schema.get_field(type_, nodes[0].name.value)
            if definition is None:
                continue
            length += len(key) + PUNCTUATION
            costs = self._costs.of(definition)
            if costs.cost is None and not costs.is_composite:
                values += 1
                length += costs.own.length
                continue
            found = self._field(_Field(key, definition, nodes), costs, scope, lists)
            points += found.points
            values += found.values
            length += found.length
            statements += found.statements
        return Selected(own=Figures(points, values, length, rows, statements), lists=lists)

    def _field(
        self, field: "_Field", costs: FieldCosts, scope: Scope, lists: list[SelectedList]
    ) -> Figures:
        """Return a field's addition to its object's figures, and add it to the object's lists."""
        cost = costs.cost or _NO_COST
        statements = 0
        if cost.gives:
            given = {name: self._number(size, field, scope) for name, size in cost.gives.items()}
            scope = {**scope, **given}
        if cost.rows:
            statements = 1
            count = self._number(cost.rows, field, scope)
            lists.append(SelectedList(key=field.key, count=count, selected=ROW))
        if costs.is_composite:
            inner = self._composite(costs, field.nodes, scope)
        else:
            inner = Selected(own=costs.own)
        if costs.is_list:
            items = self._number(cost.items, field, scope)
            lists.append(SelectedList(key=field.key, count=items, selected=inner))
            return Figures(values=1, length=PUNCTUATION, statements=statements)
        if inner.lists or inner.either:
            lists.append(SelectedList(key=field.key, count=1, selected=inner))
            return Figures(statements=statements)
        return inner.own._replace(statements=inner.own.statements + statements)

    def _composite(self, costs: FieldCosts, nodes: Sequence[FieldNode], scope: Scope) -> Selected:
        sets = [node.selection_set for node in nodes if node.selection_set]
        if isinstance(costs.type, GraphQLObjectType):
            return self._object(costs.type, sets, scope, costs.own)
        assert is_abstract_type(costs.type)  # noqa: S101  # narrows for mypy
        possible = self._schema.get_possible_types(costs.type)
        either = [self._object(each, sets, scope, Figures()) for each in possible]
        return Selected(own=costs.own, either=either)

    def _collect(
        self,
        type_: GraphQLObjectType,
        sets: Iterable[SelectionSetNode],
        groups: dict[str, list[FieldNode]],
        visited: set[str],
    ) -> None:
        for selections in sets:
            for node in selections.selections:
                self._left -= 1
                if self._left < 0:
                    raise TooComplex(
                        f"The operation selects more than {self._max_fields:,} fields, fragments "
                        "expanded; select fewer."
                    )
                if node.directives and not self._is_included(node):
                    continue
                if isinstance(node, FieldNode):
                    key = node.alias.value if node.alias else node.name.value
                    groups.setdefault(key, []).append(node)
                elif inner := self._fragment(type_, node, visited):
                    self._collect(type_, [inner], groups, visited)

    def _fragment(
        self, type_: GraphQLObjectType, node: Any, visited: set[str]
    ) -> SelectionSetNode | None:
        """Return the selections of a fragment that applies to a type and was not yet visited."""
        fragment: InlineFragmentNode | FragmentDefinitionNode | None = node
        if isinstance(node, FragmentSpreadNode):
            fragment = self._fragments.get(node.name.value)
            if fragment is None or node.name.value in visited:
                return None
            visited.add(node.name.value)
        assert fragment is not None  # noqa: S101  # narrows for mypy
        condition = fragment.type_condition
        if condition is not None and condition.name.value != type_.name:
            wider = self._schema.get_type(condition.name.value)
            if not is_abstract_type(wider) or not self._schema.is_sub_type(wider, type_):
                return None
        return fragment.selection_set

    def _is_included(self, node: SelectionNode) -> bool:
        for directive in node.directives or ():
            wanted = _CONDITIONS.get(directive.name.value)
            if wanted is None:
                continue
            (argument,) = directive.arguments or ()
            value = argument.value
            if isinstance(value, VariableNode):
                found = self._conditions.get(value.name.value, False)
            else:
                found = bool(getattr(value, "value", False))
            if found is not wanted:
                return False
        return True

    def _number(self, size: Size, field: "_Field", scope: Scope) -> Number:
        if isinstance(size, int):
            return size
        if isinstance(size, str):
            return scope[size]
        count = Count(size=size, arguments=list(self._arguments(size, field)))
        if any(each.variable is not None for each in count.arguments):
            return count
        return count.of({})

    def _arguments(self, size: FromArguments, field: "_Field") -> Iterator[Argument]:
        for argument in field.nodes[0].arguments or ():
            name, value = argument.name.value, argument.value
            if name not in size.names:
                continue
            type_ = field.definition.args[name].type
            if isinstance(value, VariableNode):
                variable = value.name.value
                default = self._defaults.get(variable)
                yield Argument(
                    name=name,
                    type=type_,
                    variable=variable,
                    default=None if default is None else _literal(default, type_),
                )
            else:
                yield Argument(name=name, type=type_, value=_literal(value, type_))


def _literal(node: ValueNode, type_: GraphQLInputType) -> object:
    if isinstance(node, ListValueNode):
        return [None] * len(node.values)
    if is_list_type(get_nullable_type(type_)):
        return [None]
    if isinstance(node, ObjectValueNode):
        return {
            each.name.value: None if isinstance(each.value, NullValueNode) else ...
            for each in node.fields
        }
    try:
        value = coerce_input_literal(node, type_)
    except Exception:  # whatever a scalar raises: the document is not valid then
        return None
    return None if value is Undefined else value
