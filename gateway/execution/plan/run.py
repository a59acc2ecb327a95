"""Runs a planned operation in waves: each field once for all its objects.

A wave calls every field of the objects found so far, then awaits the results of its resolvers. Each
kind of work is done for a column of values at a time, so that the cost of a field is paid once, not
once per object.

The run is optimistic. An error of a nullable field is answered as graphql-core answers it. Every
other error, and every value of an unusual kind, raises Irregular: graphql-core then runs the
operation again and makes the exact errors and nulls.

A run yields to the event loop, so that its deadline holds, and it has a limit of values.
"""

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from itertools import chain
from types import CoroutineType
from typing import Any, Final

from graphql import ExecutionResult, GraphQLError, GraphQLObjectType, Undefined, located_error
from graphql.execution import Executor

from gateway.column_rows import ColumnRows, SparseRows
from gateway.errors import TooComplex
from gateway.execution.executed import Executed
from gateway.execution.fields import Related
from gateway.execution.plan.batch import Batch
from gateway.execution.plan.guesses import begin_guessed
from gateway.execution.plan.infos import type_info
from gateway.execution.plan.irregular import Irregular
from gateway.execution.plan.kinds import ABSENT, is_plain, may_be_awaitable
from gateway.execution.plan.object_plan import (
    Abstract,
    FieldPlan,
    Items,
    Leaf,
    ObjectPlan,
    Objects,
    Shape,
)
from gateway.execution.plan.output import Awaited, Complete, Lists, Mixed, OutputColumn, Sparse
from gateway.execution.plan.pending import Loading, Waiting, awaitable_positions, items
from gateway.execution.plan.places import FieldPlaces, ItemPlaces, Places, RootPlace, Subset
from gateway.execution.plan.resolved import resolved
from gateway.execution.turns import Turns
from gateway.waves import Wave

_FEW: Final = 64
"""Objects of which all fields are run in one stretch."""
_MANY: Final = 4_000
"""Values of an answer that is built in one stretch: some milliseconds of work."""
_BY_COLUMN: Final = frozenset({ColumnRows, SparseRows})
_LISTS: Final = frozenset({list, tuple, ColumnRows})


def run(
    executor: Executor[Any],
    plan: ObjectPlan,
    turns: Turns,
    wave: Wave,
    *,
    max_values: int,
    is_single: bool = False,
) -> Coroutine[Any, Any, Executed]:
    """Return the result and its points. Raises Irregular, TooComplex, and CancelledError if it is
    cancelled. Where the operation probably `is_single`, of one statement, a field that waits does
    so without a wave.
    """
    return _Run(executor, turns, wave, max_values, is_single=is_single).result(plan)


class _Run:
    """One run of one operation."""

    def __init__(
        self,
        executor: Executor[Any],
        turns: Turns,
        wave: Wave,
        max_values: int,
        *,
        is_single: bool,
    ) -> None:
        self._executor = executor
        self._turns = turns.of(asyncio.get_running_loop())
        self._wave = wave
        self._max_values = max_values
        self._is_single = is_single
        self._values = 0
        self._points = 0
        self._batches: list[Batch] = []
        self._waiting: list[Waiting] = []
        self._loading: list[Loading] = []
        self._left: list[Any] = []
        self._errors: list[GraphQLError] = []

    async def result(self, plan: ObjectPlan) -> Executed:
        try:
            result = ExecutionResult(await self._data(plan), self._errors or None)
            return Executed(result, self._points)
        except (asyncio.CancelledError, TooComplex):
            self._drop()
            raise
        except Irregular:
            await self._settle()
            raise
        except Exception as error:
            await self._settle()
            raise Irregular("an error") from error
        finally:
            for batch in self._batches:
                batch.columns = []  # which hold batches: a cycle

    async def _data(self, plan: ObjectPlan) -> dict[str, Any]:
        root = Batch(plan, [self._executor.root_value], RootPlace())
        self._batches.append(root)
        self._count(len(plan.fields))
        done = 0
        while True:
            while done < len(self._batches):
                batch = self._batches[done]
                if batch.length > _FEW:
                    await self._expand_many(batch)
                else:
                    self._expand(batch, *batch.plan.fields)
                if self._turns.is_over():
                    await self._turns.wait()
                done += 1
            if not self._waiting and not self._loading:
                break
            await self._receive()
        # A batch comes after the one that holds it.
        for batch in reversed(self._batches):
            if self._values > _MANY:
                await self._build_many(batch)
            batch.close()
        data: dict[str, Any] = root.build()[0]
        return data

    def _batch(self, plan: ObjectPlan, rows: Sequence[Any], places: Places) -> Batch:
        batch = Batch(plan, rows, places)
        self._batches.append(batch)
        self._points += plan.points * batch.length
        self._count(batch.length * len(plan.fields))
        return batch

    def _expand(self, batch: Batch, *fields: FieldPlan) -> None:
        """Run fields of a batch."""
        self._wave.running = True
        try:
            batch.columns += [self._column(batch, planned) for planned in fields]
        finally:
            self._wave.running = False

    async def _expand_many(self, batch: Batch) -> None:
        """Run the fields of a batch of many objects, and leave turns to others."""
        for planned in batch.plan.fields:
            self._expand(batch, planned)
            if self._turns.is_over():
                await self._turns.wait()

    async def _build_many(self, batch: Batch) -> None:
        """Build the columns of a batch in an answer of many values, and leave turns to others."""
        for _ in batch.build_columns():
            if self._turns.is_over():
                await self._turns.wait()

    def _column(self, batch: Batch, planned: FieldPlan) -> OutputColumn:
        leaf = planned.leaf
        if leaf is None or not batch.length:
            return self._other_column(batch, planned)
        values = leaf.source.read_all(batch.rows, self._executor.context_value)
        kinds = set(map(type, values))
        if len(kinds) == 1:
            (kind,) = kinds
            if kind is leaf.unchanged:
                return Complete(values)
            if is_plain(kind):
                return Complete(leaf.serialize(values, kinds))
        places = FieldPlaces(self._executor, batch.places, planned)
        return self._complete(planned.shape, values, places)

    def _other_column(self, batch: Batch, planned: FieldPlan) -> OutputColumn:
        """Return a column that is not of scalars or enums which a source reads."""
        rows, context = batch.rows, self._executor.context_value
        if planned.typename is not None:
            return Complete([planned.typename] * batch.length)
        places = FieldPlaces(self._executor, batch.places, planned)
        if not batch.length:
            return self._complete(planned.shape, [], places)
        match planned.source:
            case None:
                values: Sequence[Any] = resolved(self._executor, planned, rows, places)
                if planned.guess is not None:
                    begin_guessed(self._executor, planned, planned.guess, places)
            case Related() as source:
                found = source.read_all(rows, context)
                if not isinstance(found, Sequence):
                    return self._load(found, planned.shape, batch.length, places)
                values = found
            case source:
                values = source.read_all(rows, context)
        shape = planned.shape
        if type(shape) is Objects and type(values) in _BY_COLUMN:
            return self._complete_rows(shape, values, places)
        return self._complete(shape, values, places)

    def _complete(
        self, shape: Shape, values: Sequence[Any], places: Places, *, awaited: bool = False
    ) -> OutputColumn:
        try:
            return self._completed(shape, values, places, awaited=awaited)
        except Exception:
            self._left += values  # maybe lists of awaitables
            raise

    def _completed(
        self, shape: Shape, values: Sequence[Any], places: Places, *, awaited: bool
    ) -> OutputColumn:
        if type(shape) is Objects and type(values) in _BY_COLUMN:
            return self._complete_rows(shape, values, places)
        kinds = set(map(type, values))
        if len(kinds) == 1 and all(map(is_plain, kinds)):
            return self._complete_present(shape, values, kinds, places)
        if any(map(may_be_awaitable, kinds)):
            positions = awaitable_positions(values, kinds, self._executor.is_awaitable)
            if awaited and positions:
                raise Irregular("an awaitable of an awaitable")
            if positions:
                return self._await(shape, values, positions, places)
        failed = any(issubclass(kind, BaseException) for kind in kinds)
        if TooComplex in kinds:  # which refuses the operation, and not the field alone
            raise next(value for value in values if isinstance(value, TooComplex))
        if not failed and not kinds & ABSENT:
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
        inner = self._complete_present(shape, present, kinds, Subset(places, positions))
        return Sparse(inner, positions, len(values))

    def _complete_rows(self, shape: Objects, values: Sequence[Any], places: Places) -> OutputColumn:
        """Complete rows by the column: only a place without a row has no value, and all are of the
        type of their field.
        """
        if not isinstance(values, SparseRows):
            return self._batch(shape.plan, values, places)
        if not shape.nullable:
            raise Irregular("null in the place of a value")
        positions = values.positions
        inner = self._batch(shape.plan, values.rows, Subset(places, positions))
        return Sparse(inner, positions, len(values))

    def _complete_objects(
        self, plan: ObjectPlan, values: Sequence[Any], places: Places
    ) -> OutputColumn:
        self._check_type(plan.type, values, places)
        return self._batch(plan, values, places)

    def _without_errors(self, values: Sequence[Any], places: Places) -> list[Any]:
        """Return the values with null for each exception; each becomes an error of the response."""
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
                f"The answer has more than {self._max_values:,} values; request less at once."
            )

    def _complete_present(
        self, shape: Shape, values: Sequence[Any], kinds: set[type], places: Places
    ) -> OutputColumn:
        match shape:
            case Leaf(serialize=serialize):
                return Complete(serialize(values, kinds) if values else values)
            case Objects(plan=plan):
                return self._complete_objects(plan, values, places)
            case Items(item=item):
                if not kinds <= _LISTS:
                    raise Irregular("a list of an unusual kind")
                lengths = [len(value) for value in values]
                is_by_column = len(values) == 1 and type(values[0]) is ColumnRows
                items = values[0] if is_by_column else list(chain.from_iterable(values))
                self._count(len(items))
                return Lists(self._complete(item, items, ItemPlaces(places, lengths)), lengths)
            case Abstract():
                return self._complete_abstract(shape, values, places)
        raise AssertionError(shape)

    def _complete_abstract(
        self, shape: Abstract, values: Sequence[Any], places: Places
    ) -> OutputColumn:
        resolve_type = shape.type.resolve_type or self._executor.type_resolver
        positions_of: dict[str, list[int]] = {}
        info = type_info(places)  # what an object is does not depend on its place
        for position, value in enumerate(values):
            name = resolve_type(value, info, shape.type)
            if not isinstance(name, str) or name not in shape.plans:
                self._left.append(name)
                raise Irregular("a type that is not known at once")
            positions_of.setdefault(name, []).append(position)
        parts: list[tuple[OutputColumn, Sequence[int]]] = []
        for name, positions in positions_of.items():
            plan = shape.plans[name]
            mine, at = [values[position] for position in positions], Subset(places, positions)
            parts.append((self._complete_objects(plan, mine, at), positions))
        return Mixed(parts, len(values))

    def _check_type(self, type_: GraphQLObjectType, values: Sequence[Any], places: Places) -> None:
        if type_.is_type_of is None or not values:
            return
        info = type_info(places)  # what an object is does not depend on its place
        for value in values:
            belongs = type_.is_type_of(value, info)
            if belongs is not True:
                self._left.append(belongs)
                raise Irregular("an object that is not known at once to be of its type")

    def _await(
        self, shape: Shape, values: Sequence[Any], positions: Sequence[int], places: Places
    ) -> OutputColumn:
        column = Awaited()
        self._waiting.append(
            Waiting(
                values=[*values], positions=positions, shape=shape, places=places, column=column
            )
        )
        return column

    def _load(
        self, load: Awaitable[Sequence[Any]], shape: Shape, length: int, places: Places
    ) -> OutputColumn:
        column = Awaited()
        loading = Loading(load=load, shape=shape, length=length, places=places, column=column)
        self._loading.append(loading)
        return column

    async def _receive(self) -> None:
        """Await all awaitables, then complete their values."""
        waiting, self._waiting = self._waiting, []
        loading, self._loading = self._loading, []
        awaitables = [each.load for each in loading]
        awaitables += [each.values[at] for each in waiting for at in each.positions]
        if self._is_single and len(awaitables) == 1 and self._wave.is_empty:
            received: list[Any] = [await self._wave.outcome_alone(awaitables[0])]
        else:
            received = await self._wave.outcomes(awaitables, self._turns.wait)
        if asyncio.CancelledError in map(type, received):
            raise Irregular("work that was cancelled")
        self._left += received  # maybe lists of awaitables
        results = iter(received)
        for loaded in loading:
            result = next(results)
            values = [result] * loaded.length if isinstance(result, Exception) else result
            loaded.column.inner = self._complete(loaded.shape, values, loaded.places)
        for each in waiting:
            for at in each.positions:
                each.values[at] = next(results)
        for each in waiting:
            each.column.inner = self._complete(each.shape, each.values, each.places, awaited=True)
        self._left.clear()

    async def _settle(self) -> None:
        """Run to its end what was made and not awaited: graphql-core runs the operation again, and
        a coroutine that is never awaited is an error.
        """
        if made := self._unawaited():
            await self._wave.outcomes(made)

    def _drop(self) -> None:
        """End what was made and not awaited, without running it: nobody waits for the answer."""
        for awaitable in self._unawaited():
            if isinstance(awaitable, CoroutineType):
                awaitable.close()
            elif isinstance(awaitable, asyncio.Future):
                awaitable.cancel()

    def _unawaited(self) -> list[Awaitable[Any]]:
        made = [*items(self._left), *chain.from_iterable(each.values for each in self._waiting)]
        made += [each.load for each in self._loading]
        self._left, self._waiting, self._loading = [], [], []
        return list(filter(self._executor.is_awaitable, made))
