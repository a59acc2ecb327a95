"""Prepares and runs operations of the schema that it is given."""

from collections.abc import Callable, Mapping
from typing import Any

import strawberry
import structlog
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLFormattedError,
    OperationDefinitionNode,
    OperationType,
)

from gateway.errors import BadUserInput, DeadlineExceeded, GatewayError, TooComplex
from gateway.execution.cost.check import check_variables, checked_figures
from gateway.execution.cost.tree import Figures
from gateway.execution.deadline import Deadline
from gateway.execution.documents import (
    PARSE_FAILED,
    REPORTED_ERRORS,
    VALIDATION_FAILED,
    Documents,
    ParsedDocument,
)
from gateway.execution.errors import ErrorFormatter, format_error, innermost, log_unexpected
from gateway.execution.executed import Executed
from gateway.execution.fields import events_of
from gateway.execution.limits import DocumentLimits
from gateway.execution.messages import hiding
from gateway.execution.operation import (
    OperationRequest,
    OperationResult,
    Outcome,
    PreparedOperation,
    not_allowed,
    refused,
    stopped,
)
from gateway.execution.policies import checks_of
from gateway.execution.runner import InvalidVariables, RootField, Runner
from gateway.execution.trusted_documents import TrustedDocuments

log = structlog.get_logger(__name__)


class Engine:
    """Executes operations of one Strawberry schema; safe to share between requests.

    `count_deprecated` gets each deprecated field of a request's document, as `Type.field`;
    `compiled` and `count_fallback` are the `Runner`'s.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        limits: DocumentLimits,
        deadline_seconds: float,
        suggestions: bool,
        trusted: TrustedDocuments | None = None,
        compiled: bool = True,
        count_deprecated: Callable[[str], None] | None = None,
        count_fallback: Callable[[str], None] | None = None,
    ) -> None:
        self._runner = Runner(
            schema,
            max_values=limits.answer_values,
            reported_errors=REPORTED_ERRORS,
            suggestions=suggestions,
            compiled=compiled,
            count_fallback=count_fallback,
        )
        self._deadline_seconds = deadline_seconds
        self.documents = Documents(
            schema=self._runner.schema, limits=limits, suggestions=suggestions
        )
        self._trusted = trusted or TrustedDocuments()
        self._count_deprecated = count_deprecated

    async def prepare(
        self,
        request: OperationRequest,
        *,
        request_id: str,
        allowed: frozenset[OperationType],
        introspection: bool = True,
    ) -> PreparedOperation | OperationResult:
        """Return the operation to run, or the result that refuses it.

        Documents that come at the same time are read in several turns of the event loop.
        """
        turns = self._runner.turns
        if turns.is_over():
            await turns.wait()
        try:
            text = self._trusted.find(request.query, request.document_id)
            document = self.documents.find(text) or await self._read(text)
            operation = document.operation(request.operation_name)
        except GraphQLError as error:
            return refused(ErrorFormatter(request_id).refused([error], PARSE_FAILED))
        if operation.operation not in allowed:
            return not_allowed(operation)
        if document.errors:
            formatter = self._formatter(request_id, document.node, text)
            return refused(formatter.refused(document.errors, VALIDATION_FAILED), operation)
        if document.introspects and not introspection:
            closed = GraphQLError("Introspection is not open to you here.")
            formatter = ErrorFormatter(request_id)
            return refused(formatter.refused([closed], VALIDATION_FAILED), operation)
        try:
            cost = self._cost(document, operation, request.variables or {})
        except TooComplex as error:
            return refused([format_error(error)], operation)
        if self._count_deprecated:
            for field in document.deprecated:
                self._count_deprecated(field)
        return PreparedOperation(
            request=request,
            request_id=request_id,
            text=text,
            document=document,
            operation=operation,
            cost=cost,
        )

    async def _read(self, text: str) -> ParsedDocument:
        node = self.documents.parse(text)
        await self._runner.turns.wait()
        return self.documents.check(text, node)

    def _formatter(self, request_id: str, node: DocumentNode, text: str) -> ErrorFormatter:
        if self.documents.suggestions:
            return ErrorFormatter(request_id, node)
        return ErrorFormatter(request_id, node, hiding(text))

    def _cost(
        self,
        document: ParsedDocument,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> Figures:
        check_variables(variables, self.documents.limits)
        selected = document.costs.of(operation, variables)
        return checked_figures(selected, variables, self.documents.limits)

    def root_field(self, prepared: PreparedOperation) -> RootField | OperationResult:
        """Return the one field of a subscription, or the result that refuses its values."""
        try:
            return self._runner.root_field(prepared)
        except InvalidVariables as error:
            errors = error.errors
        except GraphQLError as error:
            errors = [error]
        return _refused_values(prepared, errors)

    async def open_events(self, field: RootField, context: object) -> Any:
        """Return the event source of a subscription's field, after the field's policy allowed it.

        Raises the GatewayError of the policy, and what finding the owner of the events raises.
        """
        events = events_of(field.definition)
        owner = await events.find(context, field.arguments)
        for check in checks_of(field.definition):
            check(owner, context)
        return events.open(owner)

    async def run(
        self, prepared: PreparedOperation, context: object, root: object = None
    ) -> OperationResult:
        """Run the operation within the deadline; `root` is the event of a subscription.

        Cancelling cancels the resolvers that wait. No other exception leaves.
        """
        try:
            with Deadline(self._deadline_seconds) as deadline:
                executed = await self._runner.run(prepared, context, root)
        except InvalidVariables as error:
            return _refused_values(prepared, error.errors)
        except TimeoutError as error:
            if not deadline.has_passed:
                return stopped(prepared.operation, log_unexpected(error, prepared.request_id))
            log.warning(
                "operation.stopped",
                code=DeadlineExceeded.code,
                request_id=prepared.request_id,
                seconds=self._deadline_seconds,
            )
            sentence = f"took longer than {self._deadline_seconds:g} s and was stopped."
            return stopped(prepared.operation, DeadlineExceeded(f"The operation {sentence}"))
        except GatewayError as error:
            return stopped(prepared.operation, error)
        except Exception as error:
            return stopped(prepared.operation, log_unexpected(error, prepared.request_id))
        return _result(prepared, executed)


def _result(prepared: PreparedOperation, executed: Executed) -> OperationResult:
    result = executed.result
    errors: list[GraphQLFormattedError] = []
    if result.errors:
        for cause in map(innermost, result.errors):
            if isinstance(cause, TooComplex):  # refuses the operation, not one field
                return stopped(prepared.operation, cause)
        formatter = ErrorFormatter(prepared.request_id, prepared.document.node)
        errors = formatter.failed(result.errors)
    return OperationResult(
        outcome=Outcome.EXECUTED,
        data=result.data,
        errors=errors,
        operation=prepared.operation,
        points=0 if result.data is None else executed.points,
    )


def _refused_values(prepared: PreparedOperation, errors: list[GraphQLError]) -> OperationResult:
    formatter = ErrorFormatter(prepared.request_id, prepared.document.node)
    return refused(formatter.refused(errors, BadUserInput.code), prepared.operation)
