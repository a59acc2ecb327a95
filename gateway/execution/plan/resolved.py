"""The values of a field that a function or a resolver of the schema gives, row by row."""

from collections.abc import Sequence
from typing import Any

from graphql.execution import Executor

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
    arguments = planned.arguments.values(executor, _unchanged)
    values: list[Any] = []
    for row, info in zip(rows, places.infos(), strict=True):
        given = arguments()
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
    context, has_info = executor.context_value, function.info_name is not None
    arguments = planned.arguments.values(executor, function.converted)
    values: list[Any] = []
    for position, row in enumerate(rows):
        info = function.info(context, places, position) if has_info else None
        given = arguments()
        try:
            values.append(function.value(row, info, context, given))
        except Exception as error:  # it is the value's, wherever it comes from
            values.append(error)
    return values


def _unchanged(arguments: dict[str, Any]) -> dict[str, Any]:
    return arguments
