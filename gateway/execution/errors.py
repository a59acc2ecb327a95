"""Formats exceptions as the errors of a GraphQL response: a stable code and a clear sentence."""

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import TypeAlias

import structlog
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLFormattedError,
    ValueNode,
)

from gateway.errors import BadUserInput, GatewayError
from gateway.execution.argument_paths import argument_path
from gateway.execution.messages import shortened

log = structlog.get_logger(__name__)

MessageOf: TypeAlias = Callable[[GraphQLError], str]


class InternalError(GatewayError):
    """Replaces an unexpected exception: the client gets the request id, the log the traceback."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"Internal error; see the server's log for request id {request_id}.")
        self.request_id = request_id

    @property
    def extensions(self) -> dict[str, object]:
        return super().extensions | {"requestId": self.request_id}


def format_error(error: GatewayError) -> GraphQLFormattedError:
    """Return an error without a place in the document, as `errors` lists it."""
    return {"message": error.message, "extensions": error.extensions}


def log_unexpected(cause: BaseException, request_id: str) -> InternalError:
    """Log an unexpected exception with its traceback; return the error to send in its place."""
    log.error("unexpected", exc_info=cause, request_id=request_id)
    return InternalError(request_id)


class ErrorFormatter:
    """Formats the errors of one request. An unexpected exception is logged once, even where it
    failed many fields, as that of a batch does. `message_of` returns the message of an error of
    graphql-core.
    """

    def __init__(
        self,
        request_id: str,
        document: DocumentNode | None = None,
        message_of: MessageOf = attrgetter("message"),
    ) -> None:
        self._request_id = request_id
        self._document = document
        self._message_of = message_of
        self._logged: set[int] = set()

    def refused(self, errors: Iterable[GraphQLError], code: str) -> list[GraphQLFormattedError]:
        """Return the errors of a request that did not run; `code` is for errors without a code."""
        return [self._refusal(error, code) for error in errors]

    def failed(self, errors: Iterable[GraphQLError]) -> list[GraphQLFormattedError]:
        """Return the errors of fields that failed while the operation ran, with their paths."""
        return [self._failure(error) for error in errors]

    def _refusal(self, error: GraphQLError, code: str) -> GraphQLFormattedError:
        cause = innermost(error)
        if isinstance(cause, GatewayError):
            return _formatted(error, shortened(cause.message), self._with_argument(cause, error))
        if not isinstance(cause, GraphQLError):
            sentence = "A value in the document is not of the type that its place expects."
            extensions = {"code": BadUserInput.code} | _argument(self._argument_name(error))
            return _formatted(error, sentence, extensions)
        message = shortened(self._message_of(error))
        return _formatted(error, message, {"code": code} | (error.extensions or {}))

    def _failure(self, error: GraphQLError) -> GraphQLFormattedError:
        cause = innermost(error)
        if isinstance(cause, GatewayError):
            return _formatted(error, cause.message, cause.extensions)
        if isinstance(cause, GraphQLError) and _blames_value(cause):
            # graphql-core names a value only where an argument could not be coerced.
            name = self._argument_name(cause)
            sentence = "An argument has a value that its type does not allow."
            return _formatted(error, sentence, {"code": BadUserInput.code} | _argument(name))
        masked = self.unexpected(cause)
        return _formatted(error, masked.message, masked.extensions)

    def unexpected(self, cause: BaseException) -> InternalError:
        """Log an unexpected exception, once; return the error to send in its place."""
        if id(cause) in self._logged:
            return InternalError(self._request_id)
        self._logged.add(id(cause))
        return log_unexpected(cause, self._request_id)

    def _with_argument(self, cause: GatewayError, error: GraphQLError) -> dict[str, object]:
        if isinstance(cause, BadUserInput) and not cause.argument:
            return cause.extensions | _argument(self._argument_name(error))
        return cause.extensions

    def _argument_name(self, error: GraphQLError) -> str | None:
        if self._document is None or not error.nodes:
            return None
        place = error.nodes[0]
        return argument_path(self._document, lambda node: node is place)


def innermost(error: Exception) -> Exception:
    """Return the exception that graphql-core wrapped, or its own error where it wrapped none."""
    while isinstance(error, GraphQLError) and error.original_error is not None:
        error = error.original_error
    return error


def _blames_value(error: GraphQLError) -> bool:
    return error.nodes is not None and isinstance(error.nodes[0], ValueNode)


def _argument(name: str | None) -> dict[str, object]:
    return {"argument": name} if name else {}


def _formatted(
    error: GraphQLError, message: str, extensions: Mapping[str, object]
) -> GraphQLFormattedError:
    formatted: GraphQLFormattedError = {"message": message}
    if error.locations:
        formatted["locations"] = [
            {"line": place.line, "column": place.column} for place in error.locations
        ]
    if error.path:
        formatted["path"] = error.path
    formatted["extensions"] = {**extensions}
    return formatted
