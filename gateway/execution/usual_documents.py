"""Finds in one short walk that a document is valid, where it uses the language in the usual ways.

graphql-core runs 33 rules over each node of a document, and walks an operation again for each rule
about variables: ten times what one walk takes. A document that the walk does not understand, or
that may be invalid, is left to graphql-core, which alone makes errors. So the walk may be unsure of
anything, but must never accept what one of `gateway.execution.validation.RULES` refuses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLInputType,
    GraphQLSchema,
    GraphQLSkipDirective,
    GraphQLUnionType,
    InlineFragmentNode,
    IntValueNode,
    NamedTypeNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    do_types_overlap,
    get_named_type,
    is_composite_type,
    is_input_type,
    is_required_argument,
    type_from_ast,
)
from graphql.type import TypeNameMetaFieldDef
from graphql.utilities.validate_input_value import validate_input_literal
from graphql.validation.rules.variables_in_allowed_position import allowed_variable_usage

from gateway.execution.limits import INTROSPECTION_FIELDS

# Below these, graphql-core's own bounds of depth and of comparisons are never reached.
_DEEPEST: Final = 100
_MOST_SELECTIONS: Final = 5_000
_MOST_REPEATED: Final = 30
_MOST_SPREAD_SELECTIONS: Final = 2_000
"""Of the number of spreads times the number of selections: spreads are compared in pairs."""

_PLAIN_VALUES: Final = (
    IntValueNode,
    FloatValueNode,
    StringValueNode,
    BooleanValueNode,
    EnumValueNode,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualDocument:
    """A valid document that selects no description of the schema. `deprecated` lists the
    deprecated fields that it selects, as `Type.field`.
    """

    deprecated: frozenset[str]


class UsualDocuments:
    """Checks documents against one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._types = _read_types(schema)
        self._conditions = {
            each.name: _Arguments.of(each.args)
            for each in (GraphQLSkipDirective, GraphQLIncludeDirective)
            if schema.get_directive(each.name) is each
        }

    def check(self, document: DocumentNode) -> UsualDocument | None:
        """Return a document that is surely valid; None for any other."""
        try:
            return _Walk(self._schema, self._types, self._conditions).checked(document)
        except _Unsure:
            return None


class _Unsure(Exception):
    """The document may be invalid."""


class _Arguments(NamedTuple):
    """The arguments of a field or directive, by name; which of them are required."""

    known: Mapping[str, GraphQLArgument]
    required: frozenset[str]

    @classmethod
    def of(cls, known: Mapping[str, GraphQLArgument]) -> "_Arguments":
        return cls(known, frozenset(n for n, each in known.items() if is_required_argument(each)))


@dataclass(slots=True, eq=False, kw_only=True)
class _Field:
    """A field; `inner` is the type of its objects, None for a leaf."""

    definition: GraphQLField
    inner: "_Type | None"
    arguments: _Arguments
    deprecated: str | None


@dataclass(slots=True, eq=False, kw_only=True)
class _Type:
    """An object type, an interface or a union, with its fields by name."""

    type: GraphQLCompositeType
    fields: dict[str, _Field] = field(default_factory=dict)


def _read_types(schema: GraphQLSchema) -> Mapping[str, _Type]:
    types = {
        name: _Type(type=each)
        for name, each in schema.type_map.items()
        if is_composite_type(each) and not name.startswith("__")
    }
    for name, parent in types.items():
        own = {} if isinstance(parent.type, GraphQLUnionType) else parent.type.fields
        for key, definition in {**own, "__typename": TypeNameMetaFieldDef}.items():
            if key in INTROSPECTION_FIELDS:
                continue
            is_deprecated = definition.deprecation_reason is not None
            parent.fields[key] = _Field(
                definition=definition,
                inner=types.get(get_named_type(definition.type).name),
                arguments=_Arguments.of(definition.args),
                deprecated=f"{name}.{key}" if is_deprecated else None,
            )
    return types


class _Variable(NamedTuple):
    type: GraphQLInputType
    default: ValueNode | None


_Named = dict[str, tuple[FieldNode, _Field]]
"""The first field of each name in the response."""


class _Walk:
    """One walk of one document. Each method raises _Unsure."""

    def __init__(
        self,
        schema: GraphQLSchema,
        types: Mapping[str, _Type],
        conditions: Mapping[str, _Arguments],
    ) -> None:
        self._schema = schema
        self._types = types
        self._conditions = conditions
        self._fragments: dict[str, FragmentDefinitionNode] = {}
        self._spread: set[str] = set()
        self._open: set[str] = set()
        self._variables: dict[str, _Variable] = {}
        self._used: set[str] = set()
        self._deprecated: set[str] = set()
        self._selected = self._spreads = self._repeated = 0

    def checked(self, document: DocumentNode) -> UsualDocument:
        operation = self._definitions(document)
        root = self._schema.get_root_type(operation.operation)
        if root is None:
            raise _Unsure
        for each in operation.variable_definitions or ():
            name, type_ = each.variable.name.value, type_from_ast(self._schema, each.type)
            if name in self._variables or each.directives or not is_input_type(type_):
                raise _Unsure
            if each.default_value is not None:
                self._value(each.default_value, type_, Undefined)
            self._variables[name] = _Variable(type_, each.default_value)
        self._selections(operation.selection_set, self._types[root.name], {}, 0)
        is_all_used = self._used == self._variables.keys() and self._spread == {*self._fragments}
        if not is_all_used or self._spreads * self._selected > _MOST_SPREAD_SELECTIONS:
            raise _Unsure
        return UsualDocument(deprecated=frozenset(self._deprecated))

    def _definitions(self, document: DocumentNode) -> OperationDefinitionNode:
        """Take the fragments; return the one operation."""
        operation: OperationDefinitionNode | None = None
        for each in document.definitions:
            if isinstance(each, FragmentDefinitionNode):
                if each.name.value in self._fragments or each.directives:
                    raise _Unsure
                self._fragments[each.name.value] = each
            elif operation is None and isinstance(each, OperationDefinitionNode):
                operation = each
            else:
                raise _Unsure
        is_usual = operation and operation.operation is not OperationType.SUBSCRIPTION
        if operation is None or not is_usual or operation.directives:
            raise _Unsure
        return operation

    def _selections(
        self, selections: SelectionSetNode, parent: _Type, named: _Named, depth: int
    ) -> None:
        self._selected += len(selections.selections)
        if depth > _DEEPEST or self._selected > _MOST_SELECTIONS or not selections.selections:
            raise _Unsure
        for node in selections.selections:
            if node.directives:
                self._directives(node.directives)
            if isinstance(node, FieldNode):
                self._field(node, parent, named, depth)
            elif isinstance(node, InlineFragmentNode):
                within = self._narrowed(node.type_condition, parent)
                self._selections(node.selection_set, within, named, depth + 1)
            elif isinstance(node, FragmentSpreadNode):
                self._fragment(node.name.value, parent, named, depth)

    def _field(self, node: FieldNode, parent: _Type, named: _Named, depth: int) -> None:
        name = node.name.value
        found = parent.fields.get(name)
        if found is None:
            raise _Unsure
        key = node.alias.value if node.alias else name
        if key in named:
            self._repeat(*named[key], node, found)
        else:
            named[key] = node, found
        if node.arguments or found.arguments.required:
            self._arguments(node.arguments or (), found.arguments)
        if found.deprecated:
            self._deprecated.add(found.deprecated)
        if (node.selection_set is None) is not (found.inner is None):
            raise _Unsure
        if node.selection_set and found.inner:
            self._selections(node.selection_set, found.inner, {}, depth + 1)

    def _repeat(self, first: FieldNode, known: _Field, node: FieldNode, found: _Field) -> None:
        """Check a field with the name of an earlier one: the same leaf without arguments."""
        self._repeated += 1
        if self._repeated > _MOST_REPEATED or known.inner or found.inner:
            raise _Unsure
        if first.name.value != node.name.value or first.arguments or node.arguments:
            raise _Unsure
        if known is not found and str(known.definition.type) != str(found.definition.type):
            raise _Unsure

    def _fragment(self, name: str, parent: _Type, named: _Named, depth: int) -> None:
        fragment = self._fragments.get(name)
        if fragment is None or name in self._open:
            raise _Unsure
        self._spreads += 1
        self._spread.add(name)
        self._open.add(name)
        within = self._narrowed(fragment.type_condition, parent)
        self._selections(fragment.selection_set, within, named, depth + 1)
        self._open.remove(name)

    def _narrowed(self, condition: NamedTypeNode | None, parent: _Type) -> _Type:
        if condition is None:
            return parent
        found = self._types.get(condition.name.value)
        if found is None:
            raise _Unsure
        if found is not parent and not do_types_overlap(self._schema, found.type, parent.type):
            raise _Unsure
        return found

    def _directives(self, nodes: Sequence[DirectiveNode]) -> None:
        names = [each.name.value for each in nodes]
        if len({*names}) < len(names) or not self._conditions.keys() >= {*names}:
            raise _Unsure
        for each in nodes:
            self._arguments(each.arguments or (), self._conditions[each.name.value])

    def _arguments(self, nodes: Sequence[ArgumentNode], arguments: _Arguments) -> None:
        given: set[str] = set()
        for each in nodes:
            name = each.name.value
            definition = arguments.known.get(name)
            if definition is None or name in given:
                raise _Unsure
            given.add(name)
            default = definition.default_value if definition.default is None else definition.default
            self._value(each.value, definition.type, default)
        if not arguments.required <= given:
            raise _Unsure

    def _value(self, node: ValueNode, type_: GraphQLInputType, default: object) -> None:
        """Check a value for a place of a type that has a default, or Undefined."""
        if isinstance(node, VariableNode):
            name = node.name.value
            variable = self._variables.get(name)
            if variable is None or not allowed_variable_usage(
                self._schema, variable.type, variable.default, type_, default
            ):
                raise _Unsure
            self._used.add(name)
        elif isinstance(node, _PLAIN_VALUES):
            validate_input_literal(node, type_, _refuse)
        else:
            raise _Unsure


def _refuse(*_: object) -> None:
    raise _Unsure
