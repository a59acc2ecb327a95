"""The plans of one document's operations: each is made once, when the operation first runs."""

from collections.abc import MutableMapping
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

OFTEN: Final = 20
"""Runs with one read before another one is likely."""
RARELY: Final = 1_000
"""Runs that pass before an operation is thought to read once, after it did not."""

_Key: TypeAlias = tuple[int, tuple[Any, ...]]
"""An operation's `id`, and the conditions' variables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationPlan:
    """The plan of an operation, the columns and relations that the operation reads, and how often
    it reads the database.
    """

    root: ObjectPlan
    columns: ReadColumns
    relations: ReadRelations
    habit: "ReadHabit"


class ReadHabit:
    """How often in a row an operation read the database once, and by one statement. It may read
    more often any time.
    """

    __slots__ = ("_single", "_times")

    def __init__(self) -> None:
        self._times = 0
        self._single = 0

    @property
    def is_once(self) -> bool:
        """Whether the operation is likely to read once."""
        return self._times >= OFTEN

    @property
    def is_single(self) -> bool:
        """Whether the operation is likely to read by one statement."""
        return self._single >= OFTEN

    def note(self, reads: int, statements: int) -> None:
        """Note the reads of a run, and their statements."""
        self._times = self._times + 1 if reads == 1 else min(self._times, 0)
        self._single = self._single + 1 if statements == 1 else min(self._single, 0)

    def end(self) -> None:
        """End the habit: the operation read more often."""
        self._times = self._single = -RARELY


class Plans:
    """Caches a plan for each operation and each set of values of its conditions' variables."""

    __slots__ = ("_document", "_kept", "_variables")

    def __init__(self, document: DocumentNode) -> None:
        self._document = document
        self._variables: tuple[str, ...] | None = None
        self._kept: MutableMapping[_Key, OperationPlan | str] = LRUCache(KEPT)

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, executor: Executor[Any]) -> OperationPlan:
        """Return the plan of an executor's operation. Raises NotCompiled."""
        if self._variables is None:
            self._variables = condition_variables(self._document)
            if not self._variables:
                self._kept = {}  # one for each operation
        coerced = executor.variable_values.coerced
        key = id(executor.operation), tuple(map(coerced.get, self._variables))
        try:
            found = self._kept[key]
        except KeyError:
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
        return OperationPlan(root=root, columns=columns, relations=relations, habit=ReadHabit())
    except NotCompiled as refusal:
        return str(refusal)
    except (GraphQLError, RecursionError):
        return "fields that cannot be collected"
