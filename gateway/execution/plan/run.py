"""Runs a laid-out operation in waves: each field once for all its objects.

A wave calls every field of the objects found so far, then awaits the results of its resolvers. Each
kind of work is done for a column of values at a time, so that the cost of a field is paid once, and
not for each of its objects.

The run is optimistic. An error where null is allowed is answered as graphql-core answers it. Every
other error, and whatever is not of the usual kind, raises Irregular, and graphql-core runs the
operation again: its own code makes the exact errors and nulls.

A run lets other work of the event loop have its turn, so that a deadline holds within it too, and
it ends at a number of values.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from time import monotonic
from types import CoroutineType, GeneratorType
from typing import Any, Final

from graphql import ExecutionResult, GraphQLError, GraphQLObjectType, Undefined, located_error
from graphql.execution import Executor
from graphql.execution.values import get_argument_values
from graphql.pyutils import UndefinedType

from gateway.errors import TooComplex
from gateway.execution.plan.answers import Column, Later, Lists, Mixed, Ready, Sparse
from gateway.execution.plan.irregular import Irregular
from gateway.execution.plan.leaves import serialized
from gateway.execution.plan.places import FieldPlaces, ItemPlaces, Places, RootPlace, Some
from gateway.execution.plan.selections import (
    Abstract,
    Items,
    Leaf,
    Objects,
    Selected,
    Selection,
    Shape,
)

_ABSENT: Final = frozenset({type(None), UndefinedType})
STRETCH_SECONDS: Final = 0.01
"""How long a run works before other work has its turn; a column of values is not cut."""


class Batch:
    """Objects of one selection, one row of each; a column for each field, once it is complete."""

    __slots__ = ("built", "columns", "places", "rows", "selection")

    def __init__(self, selection: Selection, rows: Sequence[Any], places: Places) -> None:
        self.selection = selection
        self.rows = rows
        self.places = places
        self.columns: list[Column] = []
        self.built: list[Any] = []

    def close(self) -> None:
        """Make the answer's objects of the columns; those that they hold are closed before."""
        columns, self.columns = self.columns, []
        keys = self.selection.keys
        built = [column.build() for column in columns]
        self.built = (
            [dict(zip(keys, values, strict=True)) for values in zip(*built, strict=True)]
            if keys
            else [{} for _ in self.rows]
        )

    def build(self) -> list[Any]:
        """Return the objects as they stand in the answer."""
        return self.built


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """Values of which some are awaitable; `column` gets what they become."""

    values: list[Any]
    positions: Sequence[int]
    shape: Shape
    places: Places
    column: Later


async def run(executor: Executor[Any], selection: Selection, *, max_values: int) -> ExecutionResult:
    """Return the answer. Raises Irregular and TooComplex, and else only for being cancelled."""
    return await _Run(executor, max_values).answer(selection)


class _Run:
    """One run of one operation."""

    def __init__(self, executor: Executor[Any], max_values: int) -> None:
        self._executor = executor
        self._max_values = max_values
        self._values = 0
        self._began = monotonic()
        self._batches: list[Batch] = []
        self._waiting: list[_Waiting] = []
        self._left: list[Any] = []
        self._errors: list[GraphQLError] = []

    async def answer(self, selection: Selection) -> ExecutionResult:
        try:
            return ExecutionResult(await self._answer(selection), self._errors or None)
        except (Irregular, TooComplex):
            raise
        except Exception as error:
            raise Irregular("an error") from error
        finally:
            await self._settle()
            for batch in self._batches:
                batch.columns = []  # which hold batches: a cycle

    async def _answer(self, selection: Selection) -> dict[str, Any]:
        root = self._batch(selection, [self._executor.root_value], RootPlace())
        done = 0
        while True:
            while done < len(self._batches):
                await self._expand(self._batches[done])
                done += 1
            if not self._waiting:
                break
            await self._receive()
        # A batch comes after the one that holds it.
        for batch in reversed(self._batches):
            batch.close()
            await self._pause()
        data: dict[str, Any] = root.build()[0]
        return data

    async def _pause(self) -> None:
        """Let other work have its turn, where this has gone on for some time."""
        if monotonic() - self._began > STRETCH_SECONDS:
            await asyncio.sleep(0)
            self._began = monotonic()

    def _batch(self, selection: Selection, rows: Sequence[Any], places: Places) -> Batch:
        batch = Batch(selection, rows, places)
        self._batches.append(batch)
        return batch

    async def _expand(self, batch: Batch) -> None:
        for selected in batch.selection.fields:
            batch.columns.append(self._column(batch, selected))
            await self._pause()

    def _column(self, batch: Batch, selected: Selected) -> Column:
        if selected.typename is not None:
            return Ready([selected.typename] * len(batch.rows))
        places = FieldPlaces(self._executor, batch.places, selected)
        if not batch.rows:
            values: list[Any] = []
        elif selected.source is not None:
            values = selected.source.read_all(batch.rows)
        else:
            values = self._resolve(batch.rows, selected, places)
        return self._complete(selected.shape, values, places)

    def _resolve(self, rows: Sequence[Any], selected: Selected, places: FieldPlaces) -> list[Any]:
        resolve = selected.field.resolve or self._executor.field_resolver
        arguments = self._arguments(selected)
        # A resolver may change a list or an object that it gets: then each call has its own.
        shared = not any(isinstance(value, list | dict) for value in arguments.values())
        values: list[Any] = []
        for row, info in zip(rows, places.infos(), strict=True):
            given = arguments if shared else self._arguments(selected)
            try:
                values.append(resolve(row, info, **given))
            except Exception as error:  # it is the value's, wherever it comes from
                values.append(error)
        return values

    def _arguments(self, selected: Selected) -> dict[str, Any]:
        first = selected.nodes[0]
        if not selected.field.args and not first.arguments:
            return {}
        return get_argument_values(
            selected.field,
            first,
            self._executor.variable_values,
            None,
            self._executor.hide_suggestions,
        )

    def _complete(
        self, shape: Shape, values: list[Any], places: Places, *, awaited: bool = False
    ) -> Column:
        if not awaited:
            self._count(len(values))
        kinds = set(map(type, values))
        if any(map(_may_be_awaitable, kinds)) and (column := self._await(shape, values, places)):
            if awaited:
                raise Irregular("an awaitable of an awaitable")
            return column
        failed = any(issubclass(kind, BaseException) for kind in kinds)
        if TooComplex in kinds:  # which refuses the operation, and not the field alone
            raise next(value for value in values if isinstance(value, TooComplex))
        if not failed and not kinds & _ABSENT:
            return self._complete_present(shape, values, kinds, places)
        if not shape.nullable:
            raise Irregular("an error or null in the place of a value")
        if failed:
            values = self._without_errors(values, places)
        positions = [
            position
            for position, value in enumerate(values)
            if value is not None and value is not Undefined
        ]
        present = [values[position] for position in positions]
        kinds = set(map(type, present))
        inner = self._complete_present(shape, present, kinds, Some(places, positions))
        return Sparse(inner, positions, len(values))

    def _without_errors(self, values: list[Any], places: Places) -> list[Any]:
        """Return the values with null for each exception, which is an error of the answer."""
        found: list[Any] = []
        for value, path in zip(values, places.paths(), strict=True):
            if isinstance(value, Exception) and path is not None:
                self._errors.append(located_error(value, places.nodes, path.as_list()))
                found.append(None)
            elif isinstance(value, BaseException):
                raise Irregular("an error that is no exception")
            else:
                found.append(value)
        return found

    def _count(self, values: int) -> None:
        self._values += values
        if self._values > self._max_values:
            raise TooComplex(
                f"The answer has more than {self._max_values:,} values; ask for less at once."
            )

    def _complete_present(
        self, shape: Shape, values: list[Any], kinds: set[type], places: Places
    ) -> Column:
        match shape:
            case Leaf(type=type_):
                return Ready(serialized(type_, values, kinds) if values else values)
            case Objects(selection=selection):
                self._check_type(selection.type, values, places)
                return self._batch(selection, values, places)
            case Items(item=item):
                if not kinds <= {list, tuple}:
                    raise Irregular("a list of an unusual kind")
                lengths = [len(value) for value in values]
                items = list(chain.from_iterable(values))
                return Lists(self._complete(item, items, ItemPlaces(places, lengths)), lengths)
            case Abstract():
                return self._complete_abstract(shape, values, places)
        raise AssertionError(shape)

    def _complete_abstract(self, shape: Abstract, values: list[Any], places: Places) -> Column:
        resolve_type = shape.type.resolve_type or self._executor.type_resolver
        positions_of: dict[str, list[int]] = {}
        for position, (value, info) in enumerate(zip(values, places.infos(), strict=True)):
            name = resolve_type(value, info, shape.type)
            if not isinstance(name, str) or name not in shape.selections:
                self._left.append(name)
                raise Irregular("a type that is not known at once")
            positions_of.setdefault(name, []).append(position)
        parts: list[tuple[Column, Sequence[int]]] = []
        for name, positions in positions_of.items():
            selection = shape.selections[name]
            mine, at = [values[position] for position in positions], Some(places, positions)
            self._check_type(selection.type, mine, at)
            parts.append((self._batch(selection, mine, at), positions))
        return Mixed(parts, len(values))

    def _check_type(self, type_: GraphQLObjectType, values: list[Any], places: Places) -> None:
        if type_.is_type_of is None or not values:
            return
        for value, info in zip(values, places.infos(), strict=True):
            belongs = type_.is_type_of(value, info)
            if belongs is not True:
                self._left.append(belongs)
                raise Irregular("an object that is not known at once to be of its type")

    def _await(self, shape: Shape, values: list[Any], places: Places) -> Column | None:
        is_awaitable = self._executor.is_awaitable
        positions = [at for at, value in enumerate(values) if is_awaitable(value)]
        if not positions:
            return None
        column = Later()
        self._waiting.append(
            _Waiting(values=values, positions=positions, shape=shape, places=places, column=column)
        )
        return column

    async def _receive(self) -> None:
        """Await all that is awaited, then complete the values."""
        waiting, self._waiting = self._waiting, []
        results = iter(await _all([each.values[at] for each in waiting for at in each.positions]))
        for each in waiting:
            for at in each.positions:
                each.values[at] = next(results)
        for each in waiting:
            each.column.inner = self._complete(each.shape, each.values, each.places, awaited=True)

    async def _settle(self) -> None:
        """Let what was begun end: an awaitable that nobody awaits is an error of its own."""
        begun = [*self._left, *chain.from_iterable(each.values for each in self._waiting)]
        self._left, self._waiting = [], []
        is_awaitable = self._executor.is_awaitable
        if awaitables := [value for value in begun if is_awaitable(value)]:
            await asyncio.gather(*awaitables, return_exceptions=True)


async def _all(awaitables: Sequence[Awaitable[Any]]) -> list[Any]:
    """Return the results of awaitables; an exception in the place of a result that it raised."""
    tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    return [_result(task) for task in tasks]


def _result(task: asyncio.Future[Any]) -> Any:
    if task.cancelled():
        raise Irregular("work that was cancelled")
    return task.exception() or task.result()


@lru_cache(maxsize=1_000)
def _may_be_awaitable(kind: type) -> bool:
    return hasattr(kind, "__await__") or issubclass(kind, CoroutineType | GeneratorType)
