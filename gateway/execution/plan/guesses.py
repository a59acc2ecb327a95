"""Loads that begin by a guess of their parent's row.

The key of a parent is often in the document, and then the loads of its fields need not wait until
the parent is there. They begin with it, by a guess of its row: the key, and any value of every
other column. So a field that loads by more than the key begins nothing. Nothing that a
guess leads to is shown, and no policy is checked on a guess. When the parent is there, its fields
run as ever, and find their loads begun.
"""

from types import CoroutineType
from typing import Any

from graphql.execution import Executor

from gateway.execution.fields import Guess, Itself, Related
from gateway.execution.plan.object_plan import FieldPlan, ObjectPlan, Objects
from gateway.execution.plan.places import FieldPlaces, Places


def begin_guessed(
    executor: Executor[Any], planned: FieldPlan, guess: Guess, places: FieldPlaces
) -> None:
    """Begin the loads of the object of a field, in the wave that runs."""
    function, shape = planned.function, planned.shape
    if function is None or not isinstance(shape, Objects) or not shape.plan.by_key:
        return
    arguments = planned.arguments.values(executor, function.converted)()
    row = guess(executor.context_value, arguments)
    if row is not None:
        _begin_fields(executor, shape.plan, row, places)


def _begin_fields(executor: Executor[Any], plan: ObjectPlan, guess: Any, places: Places) -> None:
    """Begin the loads of an object's fields. An exception begins nothing: the field raises it
    later.
    """
    for planned in plan.by_key:
        try:
            _begin(executor, planned, guess, FieldPlaces(executor, places, planned))
        except Exception:  # noqa: S112  # the field's, which is run later
            continue


def _begin(executor: Executor[Any], planned: FieldPlan, guess: Any, places: FieldPlaces) -> None:
    context, function = executor.context_value, planned.function
    match planned.source:
        case Related() as source:
            source.begin(guess, context)
        case Itself():
            _go_on(executor, planned, guess, places)
        case None if function is not None and planned.by_key is not None:
            arguments = planned.arguments.values(executor, function.converted)()
            if planned.by_key(arguments):
                info = function.info(context, places, 0) if function.info_name else None
                _go_on(executor, planned, function.unchecked(guess, info, arguments), places)


def _go_on(executor: Executor[Any], planned: FieldPlan, value: Any, places: FieldPlaces) -> None:
    """Begin the loads of a coroutine, up to the first one that it waits for, or of an object."""
    if isinstance(value, CoroutineType):
        try:
            value.send(None)
        except StopIteration:
            return
        finally:
            value.close()
    elif isinstance(planned.shape, Objects) and value is not None:
        _begin_fields(executor, planned.shape.plan, value, places)
