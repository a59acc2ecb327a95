"""`/graphql/stream`: operations as server-sent events, a connection for each (graphql-sse)."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson
from graphql import OperationType
from starlette.types import Receive, Scope, Send

from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.execution.errors import format_error
from gateway.execution.operation import OperationResult, Outcome
from gateway.http.body import ClientDisconnected
from gateway.http.disconnect import WhileConnected, hang_up
from gateway.http.headers import header_values
from gateway.http.negotiation import GRAPHQL_JSON
from gateway.http.request_log import record_of
from gateway.http.responses import CLOSE, HTTPError
from gateway.live.hub import Update
from gateway.quotas import Release
from gateway.server.drain import Drain
from gateway.transports.expiry import Expiry, expires_at
from gateway.transports.http import GraphQLEndpoint, refusal_of, response_of
from gateway.transports.operations import Operations

EVENT_STREAM: Final = "text/event-stream"
LAST_SECONDS: Final = 1
"""Longest wait for the end of a connection that was cut."""
_ACCEPTED: Final = (EVENT_STREAM, "text/*", "*/*")
_METHODS: Final = ("GET", "POST")
_ALLOWED: Final = frozenset({OperationType.QUERY, OperationType.SUBSCRIPTION})
_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"x-accel-buffering", b"no"),  # nginx would buffer the events
]
_COMPLETE: Final = b"event: complete\ndata:\n\n"
_ALIVE: Final = b":\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEndpoint:
    """Serves operations as event streams; an ASGI application. `http` reads the requests."""

    http: GraphQLEndpoint
    operations: Operations
    drain: Drain
    clock: Clock
    unread_seconds: float

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stream = EventStream()
        try:
            started = await self._start(scope, receive, stream)
        except ClientDisconnected:
            return
        except GatewayError as error:
            record_of(scope).codes = [error.code]
            await refusal_of(error)(scope, receive, send)
            return
        if not isinstance(started, OperationResult):
            await self._follow(scope, receive, send, stream, started)
        elif started.outcome is Outcome.EXECUTED:
            stream.put("next", _next(started.encode()))
            await _send_head(send)
            await send({"type": "http.response.body", "body": stream.take() + _COMPLETE})
        else:
            await response_of(started, GRAPHQL_JSON, scope["method"])(scope, receive, send)

    async def _start(
        self, scope: Scope, receive: Receive, stream: "EventStream"
    ) -> OperationResult | Release:
        if scope["method"] not in _METHODS:
            raise HTTPError("Use GET or POST for event streams.", 405, {"allow": "GET, POST"})
        accepts = ",".join(header_values(scope, b"accept")) or "*/*"
        if not any(kind in accepts for kind in _ACCEPTED):
            raise HTTPError(f"The Accept header must allow {EVENT_STREAM}.", 406)
        if self.drain.streams_over.is_set():
            raise HTTPError("The gateway is stopping; send the request again.", 503, CLOSE)
        record = record_of(scope)
        record.principal = principal = await self.http.authenticate(scope)
        request = await self.http.read(scope, receive, principal)
        stream.expires_at = expires_at(principal, self.operations.leeway_seconds)
        with WhileConnected(receive):
            return await self.operations.start(principal, request, stream, record, allowed=_ALLOWED)

    async def _follow(
        self, scope: Scope, receive: Receive, send: Send, stream: "EventStream", release: Release
    ) -> None:
        """Send events until the client leaves, its credential expires or the process stops."""
        watchers = [
            asyncio.create_task(_left(receive)),
            asyncio.create_task(self.drain.streams_over.wait()),
        ]
        for watcher in watchers:
            watcher.add_done_callback(lambda _: stream.stop())
        at = stream.expires_at
        expiry = Expiry(self.clock, at, stream.stop) if at is not None else None
        record_of(scope).note(scope, 200)
        try:
            await _send_head(send)
            while not stream.stopped or stream.holds_last_words:
                text = await stream.wait(self.operations.limits.heartbeat_seconds)
                async with asyncio.timeout(self.unread_seconds):
                    await send({"type": "http.response.body", "body": text, "more_body": True})
            if not watchers[0].done():
                await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            hang_up(scope)
            await asyncio.wait(watchers[:1], timeout=LAST_SECONDS)
        finally:
            if expiry is not None:
                expiry.cancel()
            for watcher in watchers:
                watcher.cancel()
            release()


class EventStream:
    """The events that one stream has not sent yet; the hub's sink."""

    def __init__(self) -> None:
        self.stopped = False
        self.holds_last_words = False
        self.expires_at: datetime | None = None
        self._waiting: dict[object, bytes] = {}
        self._wake = asyncio.Event()
        self._behind = True

    def offer(self, update: Update) -> None:
        if self.stopped:
            return  # it ended while the first event was read
        self.put(update.key, _next(update.payload))

    def end(self, error: GatewayError | None) -> None:
        if error is not None:
            self.put("error", _next(orjson.dumps({"errors": [format_error(error)]})) + _COMPLETE)
            self.holds_last_words = True
        self.stop()

    def stop(self) -> None:
        self.stopped = True
        self._wake.set()

    def put(self, key: object, text: bytes) -> None:
        """Queue an event. While the client is behind, it replaces a queued event with its key."""
        self._waiting[key] = text if self._behind else self._waiting.get(key, b"") + text
        self._wake.set()

    def take(self) -> bytes:
        """Return everything queued, and empty the queue."""
        text = b"".join(self._waiting.values())
        self._waiting.clear()
        self.holds_last_words = False
        return text

    async def wait(self, seconds: float) -> bytes:
        """Return the queued events, or a heartbeat after `seconds` without one."""
        self._behind = False
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return _ALIVE
        finally:
            self._behind = True
        self._wake.clear()
        return self.take()


def _next(payload: bytes) -> bytes:
    return b"event: next\ndata: " + payload + b"\n\n"


async def _send_head(send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
