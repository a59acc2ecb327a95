"""Turns of the event loop: operations leave it after a stretch of work, so that no request waits
for the answer of another.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from inspect import isawaitable
from time import monotonic
from typing import Any, Final, cast

from graphql import GraphQLObjectType
from graphql.execution import Executor
from graphql.execution.collect_fields import GroupedFieldSet
from graphql.pyutils import Path

from gateway.column_rows import ColumnRows
from gateway.errors import TooComplex
from gateway.execution.fields import points_of

STRETCH_SECONDS: Final = 0.01
"""Longest work of all operations together in one turn of the loop; a step that has begun ends."""
_WOKEN: Final = 64
"""Most waiting steps that one turn wakes: a step takes some 50 microseconds or more."""

_RESULT: Final = 4
"""Position of the value among the arguments of `complete_list_value` and
`complete_awaitable_value`.
"""


class Turns:
    """Shared by all operations of an event loop; the operations of another loop have their own."""

    __slots__ = ("_latest", "_others")

    def __init__(self) -> None:
        self._latest: LoopTurns | None = None
        self._others: dict[asyncio.AbstractEventLoop, LoopTurns] = {}

    def is_over(self) -> bool:
        """Return whether this turn's stretch is used up; the first call of a turn begins it."""
        return self.of(asyncio.get_running_loop()).is_over()

    async def wait(self) -> None:
        """Return in a turn with time left; at once if this is one."""
        await self.of(asyncio.get_running_loop()).wait()

    def of(self, loop: asyncio.AbstractEventLoop) -> "LoopTurns":
        """Return the turns of one loop."""
        latest = self._latest
        if latest is None or latest.loop is not loop:
            # Loops in several threads may come here at once: each finds or makes its own.
            for closed in [each for each in list(self._others) if each.is_closed()]:
                self._others.pop(closed, None)
            latest = self._latest = self._others.setdefault(loop, LoopTurns(loop))
        return latest


class LoopTurns:
    """The turns of one event loop."""

    __slots__ = ("_over_at", "_waiting", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._over_at: float | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()

    def is_over(self) -> bool:
        """Return whether this turn's stretch is used up; the first call of a turn begins it."""
        now = monotonic()
        if self._over_at is None:
            self._begin(now)
            return False
        return now > self._over_at

    async def wait(self) -> None:
        """Return in a turn with time left; at once if this is one."""
        while self.is_over():
            await self._next()

    def _next(self) -> asyncio.Future[None]:
        """Return a future that is done in a later turn."""
        turn = self.loop.create_future()
        self._waiting.append(turn)
        return turn

    def _begin(self, now: float) -> None:
        self._over_at = now + STRETCH_SECONDS
        # What is scheduled now runs in the next turn, after the loop has looked at its sockets.
        self.loop.call_soon(self._end)

    def _end(self) -> None:
        self._over_at = None
        if self._waiting:
            self._begin(monotonic())
        for _ in range(min(_WOKEN, len(self._waiting))):
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)


class _Later:
    """Work for a later turn. Unlike a coroutine it may be dropped: nothing has begun."""

    __slots__ = ("_arguments", "_turns", "_work")

    def __init__(
        self, turns: Turns, work: Callable[..., object], arguments: tuple[object, ...]
    ) -> None:
        self._turns = turns
        self._work = work
        self._arguments = arguments

    def __await__(self) -> Generator[object, None, object]:
        return self._run().__await__()

    async def _run(self) -> object:
        await self._turns.wait()
        found = self._work(*self._arguments)
        return await found if isawaitable(found) else found


class _Arrival:
    """An awaited value, in a turn that has time to complete it."""

    __slots__ = ("_turns", "_value")

    def __init__(self, turns: Turns, value: Awaitable[object]) -> None:
        self._turns = turns
        self._value = value

    def __await__(self) -> Generator[object, None, object]:
        value = yield from self._value.__await__()
        yield from self._turns.wait().__await__()
        return value


def executor_class(
    base: type[Executor[Any]], turns: Turns, *, max_values: int
) -> type[Executor[Any]]:
    """Return an executor class that takes turns between the objects of an answer, counts their
    points, and refuses an answer with too many values.
    """

    class FairExecutor(base):  # type: ignore[misc,valid-type]  # the class is an argument
        values_left = max_values
        points = 0
        """Of the objects in the answer so far."""

        def execute_fields(
            self,
            parent_type: GraphQLObjectType,
            source_value: object,
            path: Path | None,
            grouped_field_set: GroupedFieldSet,
            position_context: object,
        ) -> object:
            # Only before an item of a list: what has not begun may be dropped. Before one field of
            # an object, the other fields would be coroutines that are dropped with the object.
            fields = (parent_type, source_value, path, grouped_field_set, position_context)
            is_item = path is not None and isinstance(path.key, int)
            if is_item and turns.is_over():
                return _Later(turns, self._execute, fields)
            return self._execute(*fields)

        def _execute(self, *fields: Any) -> object:
            parent_type, _, path, grouped_field_set, _ = fields
            self._count(len(grouped_field_set))
            if path is not None:  # a root costs nothing
                self.points += points_of(parent_type)
            executed: object = super().execute_fields(*fields)
            return executed

        def complete_list_value(self, *value: object) -> object:
            items = value[_RESULT]
            self._count(len(items) if isinstance(items, list | tuple | ColumnRows) else 0)
            completed: object = super().complete_list_value(*value)
            return completed

        def complete_awaitable_value(self, *value: object) -> object:
            before, result, after = value[:_RESULT], value[_RESULT], value[_RESULT + 1 :]
            completed: object = super().complete_awaitable_value(
                *before, _Arrival(turns, cast("Awaitable[object]", result)), *after
            )
            return completed

        def _count(self, values: int) -> None:
            self.values_left -= values
            if self.values_left < 0:
                raise TooComplex(
                    f"The answer has more than {max_values:,} values; request less at once."
                )

    return FairExecutor
