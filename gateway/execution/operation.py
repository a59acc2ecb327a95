"""One operation: as a client sent it, prepared to run, and its result."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import orjson
from graphql import GraphQLFormattedError, OperationDefinitionNode

from gateway.errors import BadRequest, GatewayError
from gateway.execution.cost.tree import Figures
from gateway.execution.documents import ParsedDocument
from gateway.execution.errors import format_error


class Outcome(Enum):
    """How far a request came; a transport chooses its status by it."""

    EXECUTED = "executed"
    """The operation ran; `data` may still be null, and fields may have failed."""
    REFUSED = "refused"
    """Nothing ran: the document, the operation's name or a variable is at fault."""
    NOT_ALLOWED = "not allowed"
    """Nothing ran: the transport does not serve operations of this type."""
    STOPPED = "stopped"
    """The run was stopped: the deadline passed, or something outside any field failed."""


@dataclass(slots=True, kw_only=True)  # `frozen` doubles what it takes to make one
class OperationRequest:
    """The parameters of a GraphQL request: at least one of `query`, the document's text, and
    `document_id`, its hash. With both, the client registers the document under its hash.
    """

    query: str | None = None
    document_id: str | None = None
    operation_name: str | None = None
    variables: Mapping[str, object] | None = None


@dataclass(slots=True, kw_only=True)
class PreparedOperation:
    """A valid operation; `text` is the text of its document, `cost` what it may cost at most."""

    request: OperationRequest
    request_id: str
    text: str
    document: ParsedDocument
    operation: OperationDefinitionNode
    cost: Figures


@dataclass(slots=True, kw_only=True)
class OperationResult:
    """`data` is None unless the operation was EXECUTED; `errors` are in the form they are sent.
    `points` are those of the objects in `data`. A transport may set `extensions`, sent beside it.
    """

    outcome: Outcome
    data: dict[str, Any] | None = None
    errors: list[GraphQLFormattedError]
    operation: OperationDefinitionNode | None = None
    points: int = 0
    extensions: Mapping[str, object] | None = None

    @property
    def codes(self) -> list[str]:
        """The errors' codes, each once, in the order of the errors."""
        if not self.errors:
            return []
        return list(dict.fromkeys(str(error["extensions"]["code"]) for error in self.errors))

    @property
    def body(self) -> dict[str, object]:
        """The response: `errors` and `extensions` if there are any, and `data` if the operation was
        executed.
        """
        body: dict[str, object] = {"errors": self.errors} if self.errors else {}
        if self.outcome is Outcome.EXECUTED:
            body["data"] = self.data
        if self.extensions:
            body["extensions"] = self.extensions
        return body

    def encode(self) -> bytes:
        """Return the response as JSON in UTF-8."""
        return orjson.dumps(self.body)


def refused(
    errors: list[GraphQLFormattedError], operation: OperationDefinitionNode | None = None
) -> OperationResult:
    """Return the result of a request that did not run."""
    return OperationResult(outcome=Outcome.REFUSED, errors=errors, operation=operation)


def not_allowed(operation: OperationDefinitionNode) -> OperationResult:
    """Return the result of an operation of a type that the transport does not serve."""
    error = BadRequest(f"A {operation.operation.value} cannot be sent in this way.")
    return OperationResult(
        outcome=Outcome.NOT_ALLOWED, errors=[format_error(error)], operation=operation
    )


def stopped(operation: OperationDefinitionNode, error: GatewayError) -> OperationResult:
    """Return the result of an operation that was stopped by an error."""
    return OperationResult(
        outcome=Outcome.STOPPED, errors=[format_error(error)], operation=operation
    )
