"""Columns of values that have yet to come."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import CoroutineType
from typing import Any, Final

from gateway.execution.plan.object_plan import Shape
from gateway.execution.plan.output import Awaited
from gateway.execution.plan.places import Places

_COROUTINES: Final = frozenset({CoroutineType})


@dataclass(slots=True, kw_only=True)
class Loading:
    """All values of a column, loaded together; `column` gets what they become."""

    load: Awaitable[Sequence[Any]]
    shape: Shape
    length: int
    places: Places
    column: Awaited


@dataclass(slots=True, kw_only=True)
class Waiting:
    """Values of which some are awaitable; `column` gets what they become."""

    values: list[Any]
    positions: Sequence[int]
    shape: Shape
    places: Places
    column: Awaited


def awaitable_positions(
    values: Sequence[Any], kinds: set[type], is_awaitable: Callable[[Any], bool]
) -> Sequence[int]:
    """Return the positions of awaitable values; `kinds` are the values' types."""
    if kinds == _COROUTINES:
        return range(len(values))
    return [at for at, value in enumerate(values) if is_awaitable(value)]


def items(values: Iterable[Any]) -> Iterator[Any]:
    """Yield values, and those in lists of values."""
    for value in values:
        if isinstance(value, list | tuple):
            yield from items(value)
        else:
            yield value
