"""Runs a prepared operation: by its compiled plan, or by graphql-core."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard, cast

import strawberry
from graphql import (
    ExecutionResult,
    Executor,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    OperationType,
)
from graphql.execution.collect_fields import collect_fields
from graphql.execution.values import get_argument_values
from strawberry.execution import optimized_is_awaitable

from gateway.errors import TooComplex
from gateway.execution.executed import Executed
from gateway.execution.operation import PreparedOperation
from gateway.execution.plan.cache import OperationPlan
from gateway.execution.plan.columns import ReadColumns, ReadRelations
from gateway.execution.plan.irregular import Irregular
from gateway.execution.plan.object_plan import NotCompiled
from gateway.execution.plan.run import run
from gateway.execution.policies import enforce_policies
from gateway.execution.turns import Turns, executor_class
from gateway.execution.variables import refused_variables
from gateway.waves import Wave

_is_awaitable = cast("Callable[[Any], TypeGuard[Awaitable[Any]]]", optimized_is_awaitable)


@dataclass(frozen=True, slots=True, kw_only=True)
class RootField:
    """The field that a subscription selects; `arguments` by their names in the schema."""

    definition: GraphQLField
    arguments: Mapping[str, Any]


class PlannedContext:
    """A context with loads that a compiled run plans. No abstract class: to find out that an object
    is of such a one takes a call in Python.
    """

    @property
    def wave(self) -> Wave:
        """The wave of the operation, which loads put their work off to."""
        raise NotImplementedError

    def want(self, columns: ReadColumns, relations: ReadRelations) -> None:
        """Take the columns and relations that the operation reads, before the operation runs."""
        raise NotImplementedError

    def begin(self, *, reads_once: bool) -> None:
        """Begin the reads of the operation, perhaps again: nothing is loaded yet. Where the
        operation `reads_once`, another read is an exception, after which it `is_cut_short`.
        """
        raise NotImplementedError

    @property
    def reads(self) -> int:
        """The number of reads since the beginning."""
        raise NotImplementedError

    @property
    def statements(self) -> int:
        """The number of statements that were read since the beginning."""
        raise NotImplementedError

    @property
    def is_cut_short(self) -> bool:
        """Whether the operation needed more than one read, and has to begin again."""
        raise NotImplementedError


class InvalidVariables(Exception):
    """Values of variables that the operation does not allow: nothing has run."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors)
        self.errors = errors


class Runner:
    """Runs operations of one Strawberry schema by Strawberry's own executor class, so that a
    resolver's `info` is the usual one. The schema's extensions do not run. The policies of its
    fields are enforced: the runner wraps the resolvers of the schema that it is given.

    Queries and subscription events run compiled (`gateway.execution.plan`). graphql-core runs
    mutations, and runs an operation again in which the compiled run met an error.
    `compiled=False` leaves every operation to graphql-core. `count_fallback` gets the reason of
    each operation that was left to it.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        max_values: int,
        reported_errors: int,
        suggestions: bool,
        compiled: bool,
        count_fallback: Callable[[str], None] | None,
    ) -> None:
        self.schema: GraphQLSchema = schema._schema  # noqa: SLF001 - there is no public attribute
        enforce_policies(self.schema)
        self.turns = Turns()
        self._executor_class = executor_class(
            schema.execution_context_class, self.turns, max_values=max_values
        )
        self._max_values = max_values
        self._reported_errors = reported_errors
        self._suggestions = suggestions
        self._compiled = compiled
        self._count_fallback = count_fallback

    async def run(self, prepared: PreparedOperation, context: object, root: object) -> Executed:
        """Run the operation on a root value. Raises InvalidVariables."""
        compiled = await self._run_compiled(prepared, context, root)
        if compiled is not None:
            return compiled
        executor = self._build(prepared, context, root)
        try:
            result: Any = executor.execute_operation()
            if _is_awaitable(result):
                result = await result
            # Nothing else without incremental delivery.
            return Executed(cast("ExecutionResult", result), cast("Any", executor).points)
        finally:
            _free(executor)

    def root_field(self, prepared: PreparedOperation) -> RootField:
        """Return the one root field of a subscription.

        Raises InvalidVariables, and GraphQLError for an argument that cannot be coerced.
        """
        executor = self._build(prepared, None, None)
        try:
            return _root_field(executor)
        finally:
            _free(executor)

    def _build(self, prepared: PreparedOperation, context: object, root: object) -> Executor[Any]:
        variables = dict(prepared.request.variables or {})
        executor = self._executor_class.build(
            self.schema,
            prepared.document.node,
            root_value=root,
            context_value=context,
            raw_variable_values=variables,
            operation_name=prepared.request.operation_name,
            max_coercion_errors=self._reported_errors,
            is_awaitable=_is_awaitable,
            hide_suggestions=not self._suggestions,
        )
        if not isinstance(executor, list):
            return executor
        if any(error.nodes is None for error in executor):
            sentence = "The variables hold too many wrong values, or nest too deeply."
            raise InvalidVariables([GraphQLError(sentence)])
        explained = refused_variables(
            self.schema,
            prepared.document.node,
            prepared.operation,
            variables,
            suggestions=self._suggestions,
        )
        raise InvalidVariables(list(explained) or executor)

    async def _run_compiled(
        self, prepared: PreparedOperation, context: object, root: object
    ) -> Executed | None:
        """Return the result, or None if graphql-core has to run the operation."""
        if not self._compiled or prepared.operation.operation is OperationType.MUTATION:
            return None
        executor = self._executor(prepared, context, root)
        try:
            plan = prepared.document.plans.of(executor)
            if not isinstance(context, PlannedContext):
                return await self._run_plan(executor, plan, Wave())
            context.want(plan.columns, plan.relations)
            if plan.habit.is_once and (found := await self._run_once(executor, plan, context)):
                return found
            return await self._run_whole(executor, plan, context)
        except (NotCompiled, Irregular) as fallback:
            if self._count_fallback:
                self._count_fallback(str(fallback))
            return None

    async def _run_whole(
        self, executor: Executor[Any], plan: OperationPlan, context: PlannedContext
    ) -> Executed:
        """Return the result, of any number of reads."""
        found = await self._run_plan(executor, plan, context.wave)
        plan.habit.note(context.reads, context.statements)
        return found

    def _executor(
        self, prepared: PreparedOperation, context: object, root: object
    ) -> Executor[Any]:
        """Return an executor for a compiled run. Raises InvalidVariables."""
        executors, operation = prepared.document.executors, prepared.operation
        variables = prepared.request.variables or {}
        executor = executors.copy(operation, variables, context, root)
        if executor is None:
            executor = self._build(prepared, context, root)
            _free(executor)
            executors.keep(operation, executor)
        return executor

    async def _run_once(
        self, executor: Executor[Any], plan: OperationPlan, context: PlannedContext
    ) -> Executed | None:
        """Return the result if one read is enough; None where the operation has to run again, in a
        snapshot of several reads.
        """
        context.begin(reads_once=True)
        try:
            found = await run(
                executor,
                plan.root,
                self.turns,
                context.wave,
                max_values=self._max_values,
                is_single=plan.habit.is_single,
            )
        except (Irregular, TooComplex):
            if not context.is_cut_short:
                context.begin(reads_once=False)
                raise
        else:
            if not context.is_cut_short:
                if context.reads > 1:  # of a database that can go on
                    plan.habit.end()
                return found
        plan.habit.end()
        context.begin(reads_once=False)
        return None

    def _run_plan(
        self, executor: Executor[Any], plan: OperationPlan, wave: Wave
    ) -> Coroutine[Any, Any, Executed]:
        return run(executor, plan.root, self.turns, wave, max_values=self._max_values)


def _root_field(executor: Executor[Any]) -> RootField:
    root_type = executor.schema.subscription_type
    assert root_type is not None  # noqa: S101  # the document is valid, so there are subscriptions
    collected = collect_fields(
        executor.schema,
        executor.fragments,
        executor.variable_values,
        root_type,
        executor.operation,
    )
    ((first, *_),) = collected.grouped_field_set.values()
    definition = root_type.fields[first.node.name.value]
    arguments = get_argument_values(
        definition,
        first.node,
        executor.variable_values,
        first.fragment_variable_values,
    )
    return RootField(definition=definition, arguments=arguments)


def _free(executor: Executor[Any]) -> None:
    # They are methods bound to the executor, a cycle that only the collector would free, and no
    # resolver uses them.
    executor.async_helpers = cast("Any", None)
