"""The columns that an operation reads of the rows of each type, and its relations."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from gateway.execution.fields import Attributes, Computed, Itself, Related, Source
from gateway.execution.fields import Columns as ColumnsSource
from gateway.execution.plan.object_plan import (
    Abstract,
    FieldPlan,
    Items,
    ObjectPlan,
    Objects,
    Shape,
)

ReadColumns: TypeAlias = Mapping[str, frozenset[str] | None]
"""The columns, or attributes, that are read of a type, by its name; None if a function or a policy
may read any.
"""

ReadRelations: TypeAlias = frozenset[tuple[str, str]]
"""The relations that are read, each with the name of the type that it leads from."""


def read_columns(plan: ObjectPlan) -> ReadColumns:
    """Return the columns that an operation reads, for each type that it selects fields of."""
    found: dict[str, frozenset[str] | None] = {}
    for each in _object_plans(plan):
        mine, others = _columns_of(each), found.get(each.type.name, frozenset())
        found[each.type.name] = None if mine is None or others is None else mine | others
    return found


def read_relations(plan: ObjectPlan) -> ReadRelations:
    """Return the relations that an operation reads."""
    return frozenset(
        (each.type.name, planned.source.relation)
        for each in _object_plans(plan)
        for planned in each.fields
        if isinstance(planned.source, Related)
    )


def _object_plans(plan: ObjectPlan) -> Iterator[ObjectPlan]:
    yield plan
    for planned in plan.fields:
        for inner in _inner(planned.shape):
            yield from _object_plans(inner)


def _inner(shape: Shape) -> Iterator[ObjectPlan]:
    match shape:
        case Items(item=item):
            yield from _inner(item)
        case Objects(plan=plan):
            yield plan
        case Abstract(plans=plans):
            yield from plans.values()


def _columns_of(plan: ObjectPlan) -> frozenset[str] | None:
    found: set[str] = set()
    for planned in plan.fields:
        columns = _columns_of_field(planned)
        if columns is None:
            return None
        found |= columns
    return frozenset(found)


def _columns_of_field(planned: FieldPlan) -> frozenset[str] | None:
    if planned.typename is not None:
        return frozenset()
    source: Source | None = planned.source
    match source:
        case (
            ColumnsSource(names=names)
            | Attributes(names=names)
            | Computed(names=names)
            | Related(names=names)
        ):
            return frozenset(name for name in names if isinstance(name, str))
        case Itself(when=when):
            inner = [_columns_of(each) for each in _inner(planned.shape)]
            known = [columns for columns in inner if columns is not None]
            if len(known) < len(inner):
                return None
            return frozenset().union(*known, [] if when is None else [when])
    return None
