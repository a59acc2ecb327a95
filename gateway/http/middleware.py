"""Plain ASGI middleware for every request and answer.

Each middleware applies a rule that also stands by itself: the direct route applies the same rules
without a wrapper for each.
"""

from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import GatewayError, NotFound
from gateway.execution.errors import format_error, log_unexpected
from gateway.http.head import AllowedHosts, HeadLimits
from gateway.http.headers import ResponseHeaders, drop_headers
from gateway.http.request_log import RequestLog, RequestRecord, record_of
from gateway.http.responses import NOT_HERE, deny, error_response, errors_response

DENIAL: Final = "websocket.http.response.start"
"""The message that begins the answer to a refused handshake."""


class RecordMiddleware:
    """Gives a request its id and record, counts and logs it, and masks what nobody caught."""

    def __init__(self, app: ASGIApp, *, request_log: RequestLog) -> None:
        self.app = app
        self.request_log = request_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._shake_hands(scope, receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        record = self.request_log.begin(scope)
        status = 0

        async def identify(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], record.header]
            await send(message)

        try:
            await self.app(scope, receive, identify)
        except Exception as error:
            response = masked(error, record)
            if status:
                raise  # the transfer must break rather than look complete
            await response(scope, receive, identify)
        finally:
            self.request_log.finish(scope, record, status)

    async def _shake_hands(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a WebSocket; its handshake is a request, which ends with the answer to it."""
        record = self.request_log.begin(scope)
        is_over = False

        def finish(status: int) -> None:
            nonlocal is_over
            is_over = True
            self.request_log.finish(scope, record, status)
            drop_headers(scope)

        async def identify(message: Message) -> None:
            if not is_over and message["type"] in {"websocket.accept", DENIAL}:
                message["headers"] = [*message.get("headers", ()), record.header]
                await send(message)
                finish(message.get("status", 101))
            elif not is_over and message["type"] == "websocket.close":
                await deny(error_response(NotFound(NOT_HERE)), scope, receive, identify)
            else:
                await send(message)

        try:
            await self.app(scope, receive, identify)
        except Exception as error:
            if is_over:
                raise
            await deny(masked(error, record), scope, receive, identify)
        finally:
            if not is_over:
                finish(0)


class ResponseHeadersMiddleware:
    """Adds the headers that every answer has unless it says otherwise."""

    def __init__(self, app: ASGIApp, *, headers: ResponseHeaders) -> None:
        self.app = app
        self.headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return

        async def complete(message: Message) -> None:
            if message["type"] in {"http.response.start", DENIAL}:
                message["headers"] = self.headers.complete(message["headers"])
            await send(message)

        await self.app(scope, receive, complete)


class HeadMiddleware:
    """Refuses a request for its head; the connection ends with the answer."""

    def __init__(self, app: ASGIApp, *, limits: HeadLimits, hosts: AllowedHosts) -> None:
        self.app = app
        self.limits = limits
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            try:
                self.limits.check(scope)
                self.hosts.check(scope)
            except GatewayError as error:
                response = refusal(error, record_of(scope))
                if scope["type"] == "websocket":
                    await deny(response, scope, receive, send)
                else:
                    await response(scope, receive, send)
                return
        await self.app(scope, receive, send)


def refusal(error: GatewayError, record: RequestRecord) -> Response:
    """Return the answer to a request that goes no further because of its head; the log says why."""
    record.codes = [error.code]
    record.details["reason"] = error.message
    return error_response(error)


def masked(cause: Exception, record: RequestRecord) -> Response:
    """Log an exception that nobody caught; return the answer that says nothing of it."""
    error = log_unexpected(cause, record.request_id)
    record.codes = [error.code]
    return errors_response([format_error(error)], status=500)
