"""`/graphql`: GraphQL over HTTP, by GET (queries alone) and POST, in both media types."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final

from graphql import OperationType
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.auth.rejected import challenge
from gateway.errors import BadRequest, GatewayError, Unauthenticated
from gateway.execution.engine import Answer, Engine, Outcome, Request
from gateway.http.body import ClientLeft, read_body
from gateway.http.credentials import Authenticator
from gateway.http.disconnect import while_connected
from gateway.http.headers import header_value, header_values
from gateway.http.negotiation import GRAPHQL_JSON, is_json, negotiate
from gateway.http.request_log import RequestRecord, record_of
from gateway.http.responses import JSON, STATUS_BY_CODE, Refused, json_answer, refusal
from gateway.principal import Principal
from gateway.principal import Scope as Permission
from gateway.transports.request import Parameters, parse_body, parse_query_string

ALLOWED: Final = {
    "GET": frozenset({OperationType.QUERY}),
    "POST": frozenset({OperationType.QUERY, OperationType.MUTATION}),
}
_ALLOW: Final = {"allow": "GET, POST"}
_POST_ONLY: Final = {"allow": "POST"}


# Makes what resolvers get as `info.context`; leaving it ends the request's reads.
ContextFactory = Callable[[Principal, str], AbstractAsyncContextManager[Any]]


def describe_nothing(_: object) -> Mapping[str, object]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLEndpoint:
    """Serves operations; an ASGI application.

    `context_for(principal, request_id)` makes a fresh context for each operation. `describe` says
    what the log shall know of a context that was used, such as the number of statements.
    """

    engine: Engine
    authenticator: Authenticator
    context_for: ContextFactory
    describe: Callable[[Any], Mapping[str, object]] = describe_nothing
    introspection: bool
    body_bytes: int
    body_seconds: float

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        record = record_of(scope)
        media_type = negotiate(header_values(scope, b"accept"))
        try:
            answer = await self._answer(scope, receive, media_type, record)
        except ClientLeft:
            return
        except GatewayError as error:
            record.codes = [error.code]
            answer = _refusal(error, media_type or JSON)
        await answer(scope, receive, send)

    async def _answer(
        self, scope: Scope, receive: Receive, media_type: str | None, record: RequestRecord
    ) -> Response:
        method = scope["method"]
        if method not in ALLOWED:
            raise Refused("GraphQL is served by GET and POST.", 405, _ALLOW)
        if media_type is None:
            raise Refused(f"An answer is {GRAPHQL_JSON} or {JSON}.", 406)
        record.principal = principal = await self.authenticate(scope)
        parameters = await self.parameters(scope, receive)
        answer = await self._run(parameters, principal, method, receive, record)
        return http_answer(answer, media_type, method)

    async def authenticate(self, scope: Scope) -> Principal:
        """Return who is asking; raises Unauthenticated, or BadRequest for two credentials."""
        credentials = header_values(scope, b"authorization")
        if len(credentials) > 1:
            raise BadRequest("A request may carry one credential.")
        return await self.authenticator.authenticate(credentials[0] if credentials else None)

    async def parameters(self, scope: Scope, receive: Receive) -> Parameters:
        """Return what a GET or POST asks for; raises BadRequest, and ClientLeft."""
        if scope["method"] == "GET":
            return parse_query_string(scope["query_string"])
        if not _is_readable(scope):
            raise Refused(f"A body must be {JSON} in UTF-8, not compressed.", 415)
        body = await read_body(
            scope, receive, max_bytes=self.body_bytes, timeout_seconds=self.body_seconds
        )
        return parse_body(body)

    async def _run(
        self,
        parameters: Parameters,
        principal: Principal,
        method: str,
        receive: Receive,
        record: RequestRecord,
    ) -> Answer:
        request = Request(
            query=parameters.query,
            document_id=parameters.document_id,
            operation_name=parameters.operation_name,
            variables=parameters.variables,
            request_id=record.request_id,
        )
        introspection = self.introspection or Permission.ADMIN in principal.scopes
        prepared = self.engine.prepare(
            request, allowed=ALLOWED[method], introspection=introspection
        )
        if isinstance(prepared, Answer):
            _note(record, prepared)
            return prepared
        record.operation = prepared.operation.operation.value
        if prepared.operation.name is not None:
            record.operation_name = prepared.operation.name.value
        async with (
            while_connected(receive),
            self.context_for(principal, record.request_id) as context,
        ):
            try:
                answer = await self.engine.run(prepared, request, context)
            finally:
                record.details.update(self.describe(context))
        _note(record, answer)
        return answer


def _note(record: RequestRecord, answer: Answer) -> None:
    record.codes = answer.codes
    if answer.operation is not None:
        record.operation = answer.operation.operation.value


def _is_readable(scope: Scope) -> bool:
    encoding = header_value(scope, b"content-encoding")
    return is_json(header_value(scope, b"content-type")) and encoding in {None, "identity"}


def http_answer(answer: Answer, media_type: str, method: str) -> Response:
    """Return an operation's answer with the status and headers that go with it."""
    payload: dict[str, Any] = {"errors": answer.errors} if answer.errors else {}
    if answer.outcome is Outcome.ANSWERED:
        payload["data"] = answer.data
    headers = None
    if answer.outcome is Outcome.NOT_ALLOWED:
        is_mutation = answer.operation and answer.operation.operation is OperationType.MUTATION
        headers = _POST_ONLY if is_mutation and method == "GET" else _ALLOW
    status = _status(answer, media_type)
    return json_answer(payload, status=status, media_type=media_type, headers=headers)


def _status(answer: Answer, media_type: str) -> int:
    """Choose the status; in `application/json` a well-formed request that is refused gets 200."""
    if answer.outcome is Outcome.NOT_ALLOWED:
        return 405
    if answer.outcome is Outcome.REFUSED:
        return 400 if media_type == GRAPHQL_JSON else 200
    code = answer.codes[0] if answer.codes else ""
    if answer.outcome is Outcome.FAILED:
        return STATUS_BY_CODE.get(code, 500)
    away = {503, 507} & {STATUS_BY_CODE.get(code, 500) for code in answer.codes}
    return away.pop() if answer.data is None and away else 200


def _refusal(error: GatewayError, media_type: str) -> Response:
    wants = {"www-authenticate": challenge(error)} if isinstance(error, Unauthenticated) else None
    return refusal(error, media_type=media_type, headers=wants)
