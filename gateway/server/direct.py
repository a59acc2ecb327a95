"""The direct route: the most frequent requests, answered without a wrapper for each rule.

Middleware wraps `send` once for each rule, and a router looks for the path: together they cost more
than a small operation. Here the same rules are called one after another, on an answer that is whole
before it is sent.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import BadRequest, GatewayError
from gateway.http.compression import CompressingSender, may_have_begun
from gateway.http.credentials import credential_of
from gateway.http.middleware import masked, refusal
from gateway.http.request_log import RequestRecord
from gateway.http.responses import error_response
from gateway.server.drain import stopping
from gateway.server.edge import Edge


class Responder(Protocol):
    """An endpoint that returns its whole answer."""

    async def respond(
        self, scope: Scope, receive: Receive, record: RequestRecord
    ) -> Response | None:
        """Return the answer; None where the client has left."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectRoute:
    """Requests of one path and these methods; an ASGI application.

    Other methods of the path take the ordinary way, with preflights (CORS) among them.
    """

    path: str
    methods: Collection[str]
    responder: Responder
    edge: Edge
    sender: CompressingSender = field(default_factory=CompressingSender)

    def serves(self, scope: Scope) -> bool:
        return (
            scope["type"] == "http"
            and scope["path"] == self.path
            and scope["method"] in self.methods
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        edge = self.edge
        record = edge.request_log.begin(scope)
        task, status = asyncio.current_task(), 0
        assert task is not None  # noqa: S101  # the server runs each request in a task
        edge.drain.requests.add(task)
        try:
            try:
                response = await self._respond(scope, receive, record, task)
            except Exception as error:
                response = masked(error, record)
            if response is not None:
                status = response.status_code
                try:
                    await self._send(response, record, scope, receive, send)
                except asyncio.CancelledError:
                    if may_have_begun(scope) or not edge.drain.cut_off(task):
                        raise
                    status = (response := stopping()).status_code
                    await self._send(response, record, scope, receive, send)
        finally:
            edge.drain.requests.discard(task)
            edge.request_log.finish(scope, record, status)

    async def _respond(
        self, scope: Scope, receive: Receive, record: RequestRecord, task: asyncio.Task[object]
    ) -> Response | None:
        edge = self.edge
        try:
            edge.limits.check(scope)
            edge.hosts.check(scope)
        except GatewayError as error:
            return refusal(error, record)
        try:
            response = await self._answer(scope, receive, record)
        except asyncio.CancelledError:
            if not edge.drain.cut_off(task):
                raise
            response = stopping()
        if response is not None:
            headers = response.raw_headers
            headers += edge.rate_limit.of(record.principal, response.status_code, headers)
            headers += await edge.cross_origin.of(scope)
        return response

    async def _send(
        self,
        response: Response,
        record: RequestRecord,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        response.raw_headers = self.edge.headers.complete(response.raw_headers)
        response.raw_headers.append(record.header)
        await self.sender.send(response, scope, receive, send)

    async def _answer(
        self, scope: Scope, receive: Receive, record: RequestRecord
    ) -> Response | None:
        if self.edge.drain.expired:
            return stopping()
        try:
            credential_of(scope)
        except BadRequest as error:
            response: Response | None = error_response(error)
        else:
            response = await self.responder.respond(scope, receive, record)
        if response is not None and response.status_code != 200:
            return await self.edge.addresses.count(scope, response.status_code) or response
        return response


class Application(Starlette):
    """A Starlette application with a direct route before its middleware, and with `sockets`: the
    WebSockets of that route's path. Each WebSocket keeps a coroutine of every layer above it.
    """

    def __init__(self, direct: DirectRoute, sockets: ASGIApp, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.direct = direct
        self.sockets = sockets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.direct.serves(scope):
            await self.direct(scope, receive, send)
        elif scope["type"] == "websocket" and scope["path"] == self.direct.path:
            await self.sockets(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
