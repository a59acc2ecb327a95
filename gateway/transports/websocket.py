"""`WS /graphql`: the protocol graphql-transport-ws."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog
from starlette.types import Message, Receive, Scope, Send

from gateway.clock import Clock
from gateway.errors import BadRequest, GatewayError, TooManySubscriptions
from gateway.http.credentials import (
    CountingChecker,
    CredentialChecker,
    address_of,
    has_access_token,
)
from gateway.http.disconnect import hang_up
from gateway.http.headers import header_values
from gateway.http.responses import CLOSE, error_response
from gateway.quotas import RateQuota
from gateway.server.websocket_protocol import PUSH
from gateway.transports.connection import Socket
from gateway.transports.operations import Operations

SUBPROTOCOL: Final = "graphql-transport-ws"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSocketEndpoint:
    """Serves operations over the WebSockets of `server/`; an ASGI application.

    Pages of `origins` may connect; clients that are no browser send no origin.
    """

    operations: Operations
    authenticator: CredentialChecker
    failures: RateQuota
    clock: Clock
    origins: Collection[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # the handshake
        if not self._allows_origin(scope):
            await send({"type": "websocket.close", "code": 1008})  # before accept: HTTP 403
            return
        if has_access_token(scope):
            # The header or the first message may hold another.
            error = BadRequest("A credential may not stand in the address.")
            await _deny(error, scope, receive, send)
            return
        address = address_of(scope)
        try:
            release = await self.operations.quotas.live.unauthenticated_sockets.take(address)
        except TooManySubscriptions as error:
            await _deny(error, scope, receive, send)
            return
        if SUBPROTOCOL not in scope["subprotocols"]:
            release()
            await send({"type": "websocket.accept"})
            reason = f"The subprotocol must be {SUBPROTOCOL}"
            await send({"type": "websocket.close", "code": 4406, "reason": reason})
            return
        socket = Socket(
            operations=self.operations,
            authenticator=CountingChecker(self.authenticator, self.failures, address),
            clock=self.clock,
            credentials=header_values(scope, b"authorization"),
            release=release,
            push=scope["extensions"][PUSH]["push"],
            send=send,
            abort=partial(hang_up, scope),
        )
        try:
            await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
            await socket.serve(receive)
        except OSError:
            log.debug("socket.lost")  # uvicorn raises this once the peer has gone
        finally:
            socket.clear()

    def _allows_origin(self, scope: Scope) -> bool:
        named = [value.lower() for value in header_values(scope, b"origin")]
        return not named or "*" in self.origins or (len(named) == 1 and named[0] in self.origins)


async def _deny(error: GatewayError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the handshake by HTTP."""

    async def as_denial(message: Message) -> None:
        await send({**message, "type": message["type"].replace("http.", "websocket.http.", 1)})

    await error_response(error, headers=CLOSE)({**scope, "type": "http"}, receive, as_denial)
