"""The layouts of one document's operations, each made when it is first needed."""

from typing import Any, Final, TypeAlias

from graphql import DocumentNode, GraphQLError
from graphql.execution import Executor

from gateway.execution.plan.selections import (
    NotCompiled,
    Selection,
    condition_variables,
    lay_out,
)

KEPT: Final = 16
"""Layouts of one document; the first one makes room for the seventeenth."""

_Key: TypeAlias = tuple[int, tuple[Any, ...]]
"""An operation's `id`, and the conditions' variables."""


class Layouts:
    """Keeps a layout for each operation and values of the variables in its conditions."""

    __slots__ = ("_document", "_kept", "_variables")

    def __init__(self, document: DocumentNode) -> None:
        self._document = document
        self._variables: tuple[str, ...] | None = None
        self._kept: dict[_Key, Selection | NotCompiled] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, executor: Executor[Any]) -> Selection:
        """Return the layout of an executor's operation. Raises NotCompiled."""
        if self._variables is None:
            self._variables = condition_variables(self._document)
        coerced = executor.variable_values.coerced
        key = id(executor.operation), tuple(coerced.get(name) for name in self._variables)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = _laid_out(executor)
            if len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
        if isinstance(found, NotCompiled):
            raise found
        return found


def _laid_out(executor: Executor[Any]) -> Selection | NotCompiled:
    try:
        return lay_out(executor)
    except NotCompiled as refusal:
        return refusal.with_traceback(None)
    except (GraphQLError, RecursionError):
        return NotCompiled("fields that cannot be collected")
