"""The plans of one document's operations: each is made once, when the operation first runs."""

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from cachetools import LRUCache
from graphql import DocumentNode, GraphQLError
from graphql.execution import Executor

from gateway.execution.conditions import condition_variables
from gateway.execution.plan.columns import (
    ReadColumns,
    ReadRelations,
    read_columns,
    read_relations,
)
from gateway.execution.plan.object_plan import (
    NotCompiled,
    ObjectPlan,
    plan_operation,
)

KEPT: Final = 16
"""Most plans of one document; the least recently used one makes room."""

_Key: TypeAlias = tuple[int, tuple[Any, ...]]
"""An operation's `id`, and the conditions' variables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationPlan:
    """The plan of an operation, and the columns and relations that the operation reads."""

    root: ObjectPlan
    columns: ReadColumns
    relations: ReadRelations


class Plans:
    """Caches a plan for each operation and each set of values of its conditions' variables."""

    __slots__ = ("_document", "_kept", "_variables")

    def __init__(self, document: DocumentNode) -> None:
        self._document = document
        self._variables: tuple[str, ...] | None = None
        self._kept: LRUCache[_Key, OperationPlan | str] = LRUCache(KEPT)

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, executor: Executor[Any]) -> OperationPlan:
        """Return the plan of an executor's operation. Raises NotCompiled."""
        if self._variables is None:
            self._variables = condition_variables(self._document)
        coerced = executor.variable_values.coerced
        key = id(executor.operation), tuple(coerced.get(name) for name in self._variables)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = _plan(executor)
        if isinstance(found, str):
            raise NotCompiled(found)
        return found


def _plan(executor: Executor[Any]) -> OperationPlan | str:
    """Return the plan, or the reason why there is none: an exception that is kept and raised again
    would hold all that its traceback names.
    """
    try:
        root = plan_operation(executor)
        columns, relations = read_columns(root), read_relations(root)
        return OperationPlan(root=root, columns=columns, relations=relations)
    except NotCompiled as refusal:
        return str(refusal)
    except (GraphQLError, RecursionError):
        return "fields that cannot be collected"
