"""`/graphql`: GraphQL over HTTP, by GET (queries only) and POST, in both media types."""

from dataclasses import dataclass
from typing import Final

from graphql import OperationType
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.errors import GatewayError
from gateway.execution.operation import OperationRequest, OperationResult, Outcome
from gateway.http.body import ClientDisconnected, read_body, whole_body
from gateway.http.credentials import CredentialChecker, credential_of
from gateway.http.disconnect import WhileConnected
from gateway.http.headers import header_value, header_values, raw_values
from gateway.http.negotiation import GRAPHQL_JSON, is_json, negotiate
from gateway.http.request_log import RequestRecord, record_of
from gateway.http.responses import JSON, STATUS_BY_CODE, HTTPError, encoded_response, error_response
from gateway.principal import Principal
from gateway.settings.http import HttpSettings
from gateway.transports.costs import OperationThrottled
from gateway.transports.operations import Operations, record_result
from gateway.transports.request import parse_body, parse_query_string

PATH: Final = "/graphql"
ALLOWED: Final = {
    "GET": frozenset({OperationType.QUERY}),
    "POST": frozenset({OperationType.QUERY, OperationType.MUTATION}),
}
_ALLOW: Final = {"allow": "GET, POST"}
_POST_ONLY: Final = {"allow": "POST"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLEndpoint:
    """Serves operations; an ASGI application."""

    operations: Operations
    authenticator: CredentialChecker
    limits: HttpSettings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.respond(scope, receive, record_of(scope))
        if response is not None:
            await response(scope, receive, send)

    async def respond(
        self, scope: Scope, receive: Receive, record: RequestRecord
    ) -> Response | None:
        """Return the answer; None where the client has left."""
        media_type = negotiate(header_values(scope, b"accept"))
        try:
            return await self._serve(scope, receive, media_type, record)
        except ClientDisconnected:
            return None
        except GatewayError as error:
            record.codes = [error.code]
            return refusal_of(error, media_type or JSON)

    async def _serve(
        self, scope: Scope, receive: Receive, media_type: str | None, record: RequestRecord
    ) -> Response:
        method = scope["method"]
        if method not in ALLOWED:
            raise HTTPError("Use GET or POST for GraphQL.", 405, _ALLOW)
        if media_type is None:
            raise HTTPError(f"The Accept header must allow {GRAPHQL_JSON} or {JSON}.", 406)
        record.principal = principal = await self.authenticate(scope)
        self.operations.costs.check(principal)
        body = await self._body(scope, receive, principal)
        gate, key = self.operations.quotas.gates.reads, principal.quota_key
        if not gate.try_enter(key):
            await gate.wait(key)
        try:
            request = _parse(scope, body)
            result = await self._run(request, principal, method, receive, record)
        finally:
            gate.leave(key)
        return response_of(result, media_type, method)

    async def authenticate(self, scope: Scope) -> Principal:
        """Return the principal; raises Unauthenticated, or BadRequest for two credentials."""
        return await self.authenticator.authenticate(credential_of(scope))

    async def read(self, scope: Scope, receive: Receive, principal: Principal) -> OperationRequest:
        """Return the operation of a GET or POST; raises GatewayError, and ClientDisconnected."""
        return _parse(scope, await self._body(scope, receive, principal))

    async def _body(self, scope: Scope, receive: Receive, principal: Principal) -> bytes:
        if scope["method"] == "GET":
            return b""
        if not _is_readable(scope):
            raise HTTPError(f"The body must be {JSON} in UTF-8, not compressed.", 415)
        whole = whole_body(scope, max_bytes=self.limits.body_bytes)
        if whole is not None:
            return whole
        with self.operations.quotas.bodies.holding(principal.quota_key) as held:
            return await read_body(
                scope,
                receive,
                max_bytes=self.limits.body_bytes,
                timeout_seconds=self.limits.body_seconds,
                held=held,
            )

    async def _run(
        self,
        request: OperationRequest,
        principal: Principal,
        method: str,
        receive: Receive,
        record: RequestRecord,
    ) -> OperationResult:
        prepared = await self.operations.prepare(
            principal, request, request_id=record.request_id, allowed=ALLOWED[method]
        )
        if isinstance(prepared, OperationResult):
            record_result(record, prepared)
            return prepared
        with WhileConnected(receive):
            return await self.operations.run(prepared, principal, record)


def _parse(scope: Scope, body: bytes) -> OperationRequest:
    return (
        parse_query_string(scope["query_string"]) if scope["method"] == "GET" else parse_body(body)
    )


def _is_readable(scope: Scope) -> bool:
    encodings = raw_values(scope, b"content-encoding")
    return is_json(header_value(scope, b"content-type")) and encodings[:1] in ([], [b"identity"])


def refusal_of(error: GatewayError, media_type: str = JSON) -> Response:
    """Return the response to an error that no operation has."""
    extensions = error.response_extensions if isinstance(error, OperationThrottled) else None
    return error_response(error, media_type=media_type, extensions=extensions)


def response_of(result: OperationResult, media_type: str, method: str) -> Response:
    """Return an operation's response with its status and headers."""
    headers = None
    if result.outcome is Outcome.NOT_ALLOWED:
        is_mutation = result.operation and result.operation.operation is OperationType.MUTATION
        headers = _POST_ONLY if is_mutation and method == "GET" else _ALLOW
    status = status_of(result, media_type)
    return encoded_response(result.encode(), status=status, media_type=media_type, headers=headers)


def status_of(result: OperationResult, media_type: str = GRAPHQL_JSON) -> int:
    """Return the status; a refused, well-formed request gets 200 in `application/json`."""
    if not result.errors:
        return 200
    if result.outcome is Outcome.NOT_ALLOWED:
        return 405
    if result.outcome is Outcome.REFUSED:
        return 400 if media_type == GRAPHQL_JSON else 200
    code = result.codes[0] if result.codes else ""
    if result.outcome is Outcome.STOPPED:
        return STATUS_BY_CODE.get(code, 500)
    away = {503, 507} & {STATUS_BY_CODE.get(code, 500) for code in result.codes}
    return away.pop() if result.data is None and away else 200
