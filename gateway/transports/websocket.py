"""`WS /graphql`: the protocol graphql-transport-ws."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog
from starlette.types import Receive, Scope, Send

from gateway.clock import Clock
from gateway.errors import BadRequest, Forbidden, GatewayError
from gateway.http.credentials import (
    CountingChecker,
    CredentialChecker,
    address_of,
    has_access_token,
)
from gateway.http.disconnect import hang_up
from gateway.http.headers import header_values
from gateway.http.middleware import refusal
from gateway.http.request_log import RequestLog, record_of
from gateway.http.responses import deny
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
    request_log: RequestLog

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # the handshake
        address = address_of(scope)
        try:
            self._check_head(scope)
            release = await self.operations.quotas.live.unauthenticated_sockets.take(address)
        except GatewayError as error:
            await deny(refusal(error, record_of(scope)), scope, receive, send)
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
            recording=partial(self.request_log.recording, scope),
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

    def _check_head(self, scope: Scope) -> None:
        """Raise Forbidden for a page of another origin, BadRequest for a credential in the address:
        the header or the first message may hold another one.
        """
        named = [value.lower() for value in header_values(scope, b"origin")]
        allowed = "*" in self.origins or (len(named) == 1 and named[0] in self.origins)
        if named and not allowed:
            raise Forbidden("Pages of this origin may not connect.")
        if has_access_token(scope):
            raise BadRequest("A credential may not stand in the address.")
