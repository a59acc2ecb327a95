"""The plan of a validated operation: for each object, the fields to answer and their shapes.

A plan depends on the document and on the variables that its `@skip` and `@include` read: on no
other variable, and on nothing else of a request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from graphql import (
    FieldNode,
    GraphQLAbstractType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    is_abstract_type,
    is_leaf_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import (
    CollectedFields,
    FieldDetails,
    collect_fields,
    collect_subfields,
)
from graphql.type import TypeNameMetaFieldDef

from gateway.dicts import Form, Make, nested_maker
from gateway.execution.fields import (
    ByKey,
    ColumnSource,
    Computed,
    Guess,
    Itself,
    Related,
    Source,
    by_key_of,
    guess_of,
    points_of,
    source_of,
)
from gateway.execution.plan.arguments import FieldArguments
from gateway.execution.plan.functions import FieldFunction, function_of
from gateway.execution.plan.leaves import Serialize, serializer, unchanged
from gateway.execution.policies import checks_of

MOST_FORMS: Final = 16
"""Most forms of an object of which the functions are kept."""


class NotCompiled(Exception):
    """An operation that graphql-core has to run. The argument is the reason, in a few words."""


@dataclass(frozen=True, slots=True, eq=False)
class LeafRead:
    """How the values of a scalar or an enum are read from rows, and serialized; see `Leaf`."""

    source: ColumnSource | Computed
    serialize: Serialize
    unchanged: type | None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FieldPlan:
    """One field of an object. `key` is its name in the response, `flat` its part of the form of an
    object that is not made with it, `details` its places in the document; `typename` is the value
    of `__typename`, None for every other field.

    The values come from `source`; where that is None, as for a field with checks, from `function`;
    where that is None too, from the resolver of the schema. `leaf` is the source of a field that is
    a scalar or an enum of the row. `guess` returns a guess
    of the row, `by_key` says whether a guess of the parent is enough.
    """

    key: str
    flat: tuple[str, None]
    field: GraphQLField
    parent: GraphQLObjectType
    details: list[FieldDetails]
    nodes: list[FieldNode]
    shape: "Shape"
    source: Source | None
    leaf: LeafRead | None
    function: FieldFunction | None
    arguments: FieldArguments
    typename: str | None
    guess: Guess | None
    by_key: ByKey | None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ObjectPlan:
    """The fields to answer of an object of one type, in the order of the response. `makers` make
    objects in their form in the response; which objects inside are made with them depends on what
    is null. `points` are those of one object. `by_key` are the fields that may load by
    the key of one.
    """

    type: GraphQLObjectType
    points: int
    fields: tuple[FieldPlan, ...]
    by_key: tuple[FieldPlan, ...]
    makers: dict[Form, Make] = field(default_factory=dict)

    def maker(self, form: Form) -> Make:
        """Return the function that makes objects of a form."""
        made = self.makers.get(form)
        if made is None:
            if len(self.makers) >= MOST_FORMS:
                self.makers.clear()
            made = self.makers[form] = nested_maker(form)
        return made


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Shape:
    """How a field's values are completed."""

    nullable: bool


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Leaf(Shape):
    """A scalar or an enum. Values of the type `unchanged` are their own serialized form."""

    serialize: Serialize
    unchanged: type | None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Items(Shape):
    """A list."""

    item: Shape


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Objects(Shape):
    """An object of one type."""

    plan: ObjectPlan


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Abstract(Shape):
    """An object of an interface or a union, with a plan for each possible type, by its name."""

    type: GraphQLAbstractType
    plans: Mapping[str, ObjectPlan]


def plan_operation(executor: Executor[Any]) -> ObjectPlan:
    """Return the plan of the executor's operation.

    Raises NotCompiled for introspection, fragments with arguments, `@defer` and `@stream`.
    """
    root = executor.schema.get_root_type(executor.operation.operation)
    if root is None:
        raise NotCompiled("no root type")
    collected = collect_fields(
        executor.schema,
        executor.fragments,
        executor.variable_values,
        root,
        executor.operation,
        executor.hide_suggestions,
    )
    return _Planner(executor).plan(root, collected)


@dataclass(slots=True)
class _Planner:
    executor: Executor[Any]

    def plan(self, parent: GraphQLObjectType, collected: CollectedFields) -> ObjectPlan:
        if collected.new_defer_usages:
            raise NotCompiled("incremental delivery")
        fields = tuple(
            planned
            for key, details in collected.grouped_field_set.items()
            if (planned := self._planned(parent, key, details)) is not None
        )
        return ObjectPlan(
            type=parent,
            points=points_of(parent),
            fields=fields,
            by_key=tuple(filter(_loads_by_key, fields)),
        )

    def _planned(
        self, parent: GraphQLObjectType, key: str, details: list[FieldDetails]
    ) -> FieldPlan | None:
        nodes = [each.node for each in details]
        definition = self.executor.schema.get_field(parent, nodes[0].name.value)
        if definition is None:
            return None
        if nodes[0].name.value in {"__schema", "__type"}:
            raise NotCompiled("introspection")
        if any(each.fragment_variable_values is not None for each in details):
            raise NotCompiled("fragment arguments")
        if any(each.name.value == "stream" for node in nodes for each in node.directives or ()):
            raise NotCompiled("incremental delivery")
        shape = self._shape(definition.type, details)
        source = None if checks_of(definition) else source_of(definition)
        return FieldPlan(
            key=key,
            flat=(key, None),
            field=definition,
            parent=parent,
            details=details,
            nodes=nodes,
            shape=shape,
            source=source,
            leaf=_leaf_read(source, shape),
            function=function_of(self.executor.schema, definition),
            arguments=FieldArguments(definition, nodes[0]),
            typename=parent.name if definition is TypeNameMetaFieldDef else None,
            guess=guess_of(definition),
            by_key=by_key_of(definition),
        )

    def _shape(self, type_: GraphQLOutputType, details: list[FieldDetails]) -> Shape:
        nullable = not isinstance(type_, GraphQLNonNull)
        inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        if isinstance(inner, GraphQLList):
            return Items(nullable=nullable, item=self._shape(inner.of_type, details))
        if is_leaf_type(inner):
            serialize = serializer(inner)
            return Leaf(nullable=nullable, serialize=serialize, unchanged=unchanged(inner))
        if is_abstract_type(inner):
            possible = self.executor.schema.get_possible_types(inner)
            plans = {each.name: self._inner(each, details) for each in possible}
            return Abstract(nullable=nullable, type=inner, plans=plans)
        plan = self._inner(cast("GraphQLObjectType", inner), details)
        return Objects(nullable=nullable, plan=plan)

    def _inner(self, type_: GraphQLObjectType, details: list[FieldDetails]) -> ObjectPlan:
        executor = self.executor
        collected = collect_subfields(
            executor.schema,
            executor.fragments,
            executor.variable_values,
            executor.operation,
            type_,
            details,
            executor.hide_suggestions,
        )
        return self.plan(type_, collected)


def _leaf_read(source: Source | None, shape: Shape) -> LeafRead | None:
    if source is None or isinstance(source, Related) or not isinstance(shape, Leaf):
        return None
    return LeafRead(source, shape.serialize, shape.unchanged)


def _loads_by_key(planned: FieldPlan) -> bool:
    """Whether a field, or one inside, may load by the key of its parent."""
    match planned.source:
        case Related():
            return True
        case Itself():
            return isinstance(planned.shape, Objects) and bool(planned.shape.plan.by_key)
        case None:
            return planned.function is not None and planned.by_key is not None
    return False
