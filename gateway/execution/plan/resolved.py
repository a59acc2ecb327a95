"""The values of a field that a function or a resolver of the schema gives, row by row."""

from collections.abc import Sequence
from itertools import repeat
from typing import Any

from graphql.execution import Executor
from graphql.execution.values import get_argument_values

from gateway.execution.plan.functions import FieldFunction
from gateway.execution.plan.object_plan import FieldPlan
from gateway.execution.plan.places import FieldPlaces


def resolved(
    executor: Executor[Any], planned: FieldPlan, rows: Sequence[Any], places: FieldPlaces
) -> list[Any]:
    """Return the value of each row, in their order: maybe an awaitable, or the exception that was
    raised. Raises what the arguments' own types raise.
    """
    if planned.function is not None:
        return _called(executor, planned, planned.function, rows, places)
    resolve = planned.field.resolve or executor.field_resolver
    arguments = _arguments(executor, planned)
    values: list[Any] = []
    for row, info in zip(rows, places.infos(), strict=True):
        given = arguments if _may_be_shared(arguments) else _arguments(executor, planned)
        try:
            values.append(resolve(row, info, **given))
        except Exception as error:  # it is the value's, wherever it comes from
            values.append(error)
    return values


def _called(
    executor: Executor[Any],
    planned: FieldPlan,
    function: FieldFunction,
    rows: Sequence[Any],
    places: FieldPlaces,
) -> list[Any]:
    infos = map(function.info, places.infos()) if function.info_name else repeat(None)
    arguments = _arguments(executor, planned)
    shared = function.converted(arguments) if _may_be_shared(arguments) else None
    values: list[Any] = []
    for row, info in zip(rows, infos, strict=False):
        given = shared
        if given is None:
            given = function.converted(_arguments(executor, planned))
        try:
            values.append(function.value(row, info, executor.context_value, given))
        except Exception as error:  # it is the value's, wherever it comes from
            values.append(error)
    return values


def _may_be_shared(arguments: dict[str, Any]) -> bool:
    """Whether several calls may get the same arguments: a resolver may change a list or an
    object.
    """
    return not any(isinstance(value, list | dict) for value in arguments.values())


def _arguments(executor: Executor[Any], planned: FieldPlan) -> dict[str, Any]:
    if not planned.has_arguments:
        return {}
    return get_argument_values(
        planned.field,
        planned.nodes[0],
        executor.variable_values,
        None,
        executor.hide_suggestions,
    )
