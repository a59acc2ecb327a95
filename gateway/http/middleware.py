"""What every request passes on its way in, and every answer on its way out. Plain ASGI."""

import re
import secrets
import time
from collections.abc import Sequence
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import NotFound
from gateway.execution.errors import InternalError, format_error
from gateway.http.request_log import CLIENT_DISCONNECTED, RequestRecord, attach, record_of
from gateway.http.responses import CLOSE, NOT_HERE, HTTPError, error_response, errors_response
from gateway.observability.metrics import Metrics

QUIET_PATHS: Final = frozenset({"/livez", "/readyz", "/metrics"})
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_ANSWER_HEADERS: Final = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
}

log = structlog.get_logger(__name__)


class RecordMiddleware:
    """Gives a request its id and record, counts and logs it, and masks what nobody caught.

    `paths` are those that the metrics know by themselves; an endpoint of a path with parameters
    names its route in the record.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, paths: frozenset[str]) -> None:
        self.app = app
        self.metrics = metrics
        self.paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        record = RequestRecord(request_id=_request_id(scope))
        if scope["path"] in self.paths:
            record.route = scope["path"]
        attach(scope, record)
        status = 0

        async def identify(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = (b"x-request-id", record.request_id.encode("ascii"))
                message["headers"] = [*message["headers"], own]
            await send(message)

        began = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=record.request_id):
            self.metrics.in_flight.inc()
            try:
                await self.app(scope, receive, identify)
            except Exception:
                log.exception("unexpected")
                if status:
                    raise  # the transfer must break rather than look complete
                await _masked(record)(scope, receive, identify)
            finally:
                self.metrics.in_flight.dec()
                status = record.broken_as or status or CLIENT_DISCONNECTED
                self._finish(scope, record, status, time.perf_counter() - began)

    def _finish(self, scope: Scope, record: RequestRecord, status: int, seconds: float) -> None:
        self.metrics.observe(
            route=record.route, status=status, operation=record.operation, seconds=seconds
        )
        is_quiet = scope["path"] in QUIET_PATHS or (record.is_quiet and status < 400)
        write = log.debug if is_quiet else log.info
        write(
            "request",
            method=scope["method"],
            path=scope["path"],
            client=scope["client"][0] if scope.get("client") else None,
            status=status,
            milliseconds=round(seconds * 1000, 2),
            **record.log_fields(),
        )


class ResponseHeadersMiddleware:
    """Adds the headers that every answer has unless it says otherwise; `X-Dev-Mode` in dev."""

    def __init__(self, app: ASGIApp, *, dev: bool) -> None:
        self.app = app
        self.headers = _ANSWER_HEADERS | ({b"x-dev-mode": b"1"} if dev else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                missing = [h for h in self.headers.items() if h[0] not in present]
                message["headers"] = [*message["headers"], *missing]
            await send(message)

        await self.app(scope, receive, complete)


class HeadLimitsMiddleware:
    """Refuses a head that is too long (431, or 414 for the request's target), and a path with a
    line feed (404): a route's pattern would match the path before a line feed at its end.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, max_headers: int) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.max_headers = max_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = scope["headers"]
        if len(headers) > self.max_headers:
            sentence = f"A request may have at most {self.max_headers} headers."
            await refuse(431, sentence, scope, receive, send)
        elif sum(len(name) + len(value) for name, value in headers) > self.max_bytes:
            sentence = f"The headers may take at most {self.max_bytes} bytes."
            await refuse(431, sentence, scope, receive, send)
        elif len(scope["path"]) + len(scope["query_string"]) > self.max_bytes:
            sentence = f"The address may take at most {self.max_bytes} bytes; use POST."
            await refuse(414, sentence, scope, receive, send)
        elif scope["type"] == "http" and "\n" in scope["path"]:
            await error_response(NotFound(NOT_HERE))(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class AllowedHostsMiddleware:
    """Refuses a request that names another host: the defence against DNS rebinding.

    `hosts` are names without ports, `*.example.com` for all below one, `*` for any. Probes of
    liveness and readiness come by address, say nothing, and are exempt.
    """

    EXEMPT: Final = frozenset({"/livez", "/readyz"})

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self.app = app
        self.exact = frozenset(host for host in hosts if not host.startswith("*"))
        self.suffixes = tuple(host[1:] for host in hosts if host.startswith("*"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"} or self._is_allowed(scope):
            await self.app(scope, receive, send)
        else:
            await refuse(
                400,
                "The gateway does not answer by this host name, but by that of GATEWAY_PUBLIC_URL "
                "and by those of GATEWAY_ALLOWED_HOSTS.",
                scope,
                receive,
                send,
            )

    def _is_allowed(self, scope: Scope) -> bool:
        if scope["path"] in self.EXEMPT:
            return True
        named = [value for name, value in scope["headers"] if name == b"host"]
        if len(named) != 1:
            return False
        host = re.sub(r":\d*$", "", named[0].decode("latin-1").lower())
        return host in self.exact or (bool(host) and host.endswith(self.suffixes))


async def refuse(status: int, sentence: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request that goes no further, and log the sentence; the connection ends with it."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    record = record_of(scope)
    record.codes = [HTTPError.code]
    record.details["reason"] = sentence
    await error_response(HTTPError(sentence, status, CLOSE))(scope, receive, send)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return str(value, "ascii")
    return secrets.token_hex(16)


def _masked(record: RequestRecord) -> ASGIApp:
    error = InternalError(record.request_id)
    record.codes = [error.code]
    return errors_response([format_error(error)], status=500)
