"""Runs one operation against the schema it was given and returns what the client reads."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeGuard, cast

import strawberry
from graphql import (
    ExecutionResult,
    Executor,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
)
from graphql.execution.collect_fields import collect_fields
from graphql.execution.values import get_argument_values
from strawberry.execution import optimized_is_awaitable

from gateway.errors import (
    BadRequest,
    BadUserInput,
    DeadlineExceeded,
    GatewayError,
    TooComplex,
)
from gateway.execution.documents import (
    PARSE_FAILED,
    REPORTED_ERRORS,
    VALIDATION_FAILED,
    Document,
    Documents,
)
from gateway.execution.errors import Translator, innermost
from gateway.execution.limits import Limits
from gateway.execution.plan.irregular import Irregular
from gateway.execution.plan.run import run
from gateway.execution.plan.selections import NotCompiled
from gateway.execution.trusted_documents import TrustedDocuments
from gateway.execution.variables import refused_variables

_is_awaitable = cast("Callable[[Any], TypeGuard[Awaitable[Any]]]", optimized_is_awaitable)


class Outcome(Enum):
    """How far a request came; the route chooses the HTTP status by it."""

    ANSWERED = "answered"
    """The operation ran; `data` may still be null, and fields may have failed."""
    REFUSED = "refused"
    """Nothing ran: the document, the operation's name or a variable is at fault."""
    NOT_ALLOWED = "not allowed"
    """Nothing ran: this kind of operation is not served in this way."""
    FAILED = "failed"
    """It was stopped: the deadline passed, or something outside any field failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One operation as a client sent it: `query` is the document, `document_id` its hash; one of
    them is there.
    """

    query: str | None = None
    document_id: str | None = None
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`data` is None unless the operation was ANSWERED; `errors` are as they are sent."""

    outcome: Outcome
    data: dict[str, Any] | None = None
    errors: list[dict[str, Any]]
    operation: OperationDefinitionNode | None = None

    @property
    def codes(self) -> list[str]:
        """The errors' codes, each once, in their order."""
        return list(dict.fromkeys(str(error["extensions"]["code"]) for error in self.errors))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An operation that may run; `text` is its document's."""

    text: str
    document: Document
    operation: OperationDefinitionNode


@dataclass(frozen=True, slots=True, kw_only=True)
class RootField:
    """What a subscription subscribes to; `arguments` by their names in the schema."""

    name: str
    arguments: Mapping[str, Any]


class Engine:
    """Executes operations of one Strawberry schema; safe to share between requests.

    Queries and events run compiled (`gateway.execution.plan`); graphql-core runs mutations, and
    again those operations in which a compiled run meets an error. `compiled=False` leaves all to
    graphql-core. `count_fallback` gets the reason of each operation left to it.

    Parsing and validation are Strawberry's rules, kept between requests; execution is its own
    executor class, so that resolvers see the `info` that they always see. The schema's extensions
    do not run: limits and masking are done here. `count_deprecated` gets each deprecated field of a
    request's document, as `Type.field`.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        limits: Limits,
        deadline_seconds: float,
        suggestions: bool,
        trusted: TrustedDocuments | None = None,
        compiled: bool = True,
        count_deprecated: Callable[[str], None] | None = None,
        count_fallback: Callable[[str], None] | None = None,
    ) -> None:
        core = schema._schema  # noqa: SLF001 - Strawberry offers no other way to the schema it runs
        self._schema: GraphQLSchema = core
        self._executor_class = schema.execution_context_class
        self._deadline_seconds = deadline_seconds
        self._suggestions = suggestions
        self._limits = limits
        self.documents = Documents(schema=core, limits=limits, suggestions=suggestions)
        self._trusted = trusted or TrustedDocuments()
        self._compiled = compiled
        self._count_deprecated = count_deprecated
        self._count_fallback = count_fallback

    def prepare(
        self,
        request: Request,
        *,
        allowed: frozenset[OperationType],
        introspection: bool = True,
    ) -> Prepared | Answer:
        """Return the operation to run, or the answer that refuses it."""
        translator = Translator(request.request_id)
        try:
            text = self._trusted.find(request.query, request.document_id)
            document = self.documents.read(text)
            operation = document.operation(request.operation_name)
        except GraphQLError as error:
            return _refused(translator.refused([error], PARSE_FAILED))
        if operation.operation not in allowed:
            return _not_allowed(operation)
        if document.errors:
            translator = Translator(request.request_id, document.node)
            errors = translator.refused(document.errors, VALIDATION_FAILED)
            return _refused(errors, operation)
        if document.introspects and not introspection:
            closed = GraphQLError("Introspection is not open to you here.")
            return _refused(translator.refused([closed], VALIDATION_FAILED), operation)
        if self._count_deprecated:
            for field in document.deprecated:
                self._count_deprecated(field)
        return Prepared(text=text, document=document, operation=operation)

    def source_of(self, prepared: Prepared, request: Request) -> RootField | Answer:
        """Return the one field of a subscription, or the answer that refuses its values."""
        executor = self._build(prepared, request, None, None)
        try:
            if not isinstance(executor, list):
                return _root_field(executor)
            errors = self._explained(executor, prepared, request)
        except GraphQLError as error:
            errors = [error]
        finally:
            _free(executor)
        translator = Translator(request.request_id, prepared.document.node)
        return _refused(translator.refused(errors, BadUserInput.code), prepared.operation)

    async def run(
        self, prepared: Prepared, request: Request, context: object, root: object = None
    ) -> Answer:
        """Run the operation on a root value, of a subscription an event, within the deadline.

        Being cancelled cancels the resolvers that are waiting. No exception leaves but that.
        """
        translator = Translator(request.request_id, prepared.document.node)
        operation = prepared.operation
        try:
            async with asyncio.timeout(self._deadline_seconds) as deadline:
                result = await self._execute(prepared, request, context, root)
        except TimeoutError as error:
            if not deadline.expired():
                return _failed(operation, *translator.unexpected(error))
            late = DeadlineExceeded(
                f"The operation took longer than {self._deadline_seconds:g} s and was stopped."
            )
            return _failed(operation, late.message, late.extensions)
        except GatewayError as error:
            return _failed(operation, error.message, error.extensions)
        except Exception as error:
            return _failed(operation, *translator.unexpected(error))
        if isinstance(result, list):
            return _refused(translator.refused(result, BadUserInput.code), operation)
        for cause in map(innermost, result.errors or ()):
            if isinstance(cause, TooComplex):
                return _failed(operation, cause.message, cause.extensions)
        return Answer(
            outcome=Outcome.ANSWERED,
            data=result.data,
            errors=translator.failed(result.errors or ()),
            operation=operation,
        )

    def _build(
        self, prepared: Prepared, request: Request, context: object, root: object
    ) -> Executor[Any] | list[GraphQLError]:
        return self._executor_class.build(
            self._schema,
            prepared.document.node,
            root_value=root,
            context_value=context,
            raw_variable_values=dict(request.variables or {}),
            operation_name=request.operation_name,
            max_coercion_errors=REPORTED_ERRORS,
            is_awaitable=_is_awaitable,
            hide_suggestions=not self._suggestions,
        )

    async def _execute(
        self, prepared: Prepared, request: Request, context: object, root: object
    ) -> ExecutionResult | list[GraphQLError]:
        executor = self._build(prepared, request, context, root)
        if isinstance(executor, list):
            return self._explained(executor, prepared, request)
        try:
            compiled = await self._run_compiled(prepared, executor)
            result = executor.execute_operation() if compiled is None else compiled
            if _is_awaitable(result):
                result = await result
            return cast("ExecutionResult", result)  # nothing else without incremental delivery
        finally:
            _free(executor)

    async def _run_compiled(
        self, prepared: Prepared, executor: Executor[Any]
    ) -> ExecutionResult | None:
        """Return the answer, or None where graphql-core has to run the operation."""
        if not self._compiled or prepared.operation.operation is OperationType.MUTATION:
            return None
        try:
            layout = prepared.document.layouts.of(executor)
            return await run(executor, layout, max_values=self._limits.answer_values)
        except (NotCompiled, Irregular) as fallback:
            if self._count_fallback:
                self._count_fallback(str(fallback))
            return None

    def _explained(
        self, errors: list[GraphQLError], prepared: Prepared, request: Request
    ) -> list[GraphQLError]:
        if any(error.nodes is None for error in errors):
            return [GraphQLError("The variables hold too many wrong values, or nest too deeply.")]
        values = request.variables or {}
        return list(refused_variables(self._schema, prepared.operation, values)) or errors


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
    name = first.node.name.value
    arguments = get_argument_values(
        root_type.fields[name],
        first.node,
        executor.variable_values,
        first.fragment_variable_values,
    )
    return RootField(name=name, arguments=arguments)


def _free(executor: Executor[Any] | list[GraphQLError]) -> None:
    # It holds methods bound to the executor: a cycle that only the collector would free.
    if not isinstance(executor, list):
        del executor.async_helpers


def _refused(
    errors: list[dict[str, Any]], operation: OperationDefinitionNode | None = None
) -> Answer:
    return Answer(outcome=Outcome.REFUSED, errors=errors, operation=operation)


def _not_allowed(operation: OperationDefinitionNode) -> Answer:
    message = f"A {operation.operation.value} cannot be sent in this way."
    errors = [{"message": message, "extensions": {"code": BadRequest.code}}]
    return Answer(outcome=Outcome.NOT_ALLOWED, errors=errors, operation=operation)


def _failed(operation: OperationDefinitionNode, message: str, extensions: dict[str, Any]) -> Answer:
    errors = [{"message": message, "extensions": extensions}]
    return Answer(outcome=Outcome.FAILED, errors=errors, operation=operation)
