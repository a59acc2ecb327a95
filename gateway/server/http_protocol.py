"""HTTP connections: uvicorn's, with limits on their number and on what arrives, and four things
added.

A connection can be broken off, a body that came with its head is had without waiting, a whole
answer is sent in one call, and any answer of known length leaves in one write with its head.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, Final

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from gateway.errors import BadRequest
from gateway.http.body import BODY
from gateway.http.compression import ANSWER
from gateway.http.disconnect import ABORT
from gateway.http.headers import RawHeaders, ResponseHeaders
from gateway.http.request_log import QUIET_PATHS, RequestLog
from gateway.http.responses import CLOSE, HTTPError, error_response
from gateway.server.answers import Exchange
from gateway.server.connections import Connections, Refusal
from gateway.server.unread import UnreadWatch
from gateway.settings.http import HttpSettings
from gateway.settings.live import LiveSettings

ABORT_SECONDS: Final = 1.0
"""For a peer to read why its connection is closed."""
HEALTH_SECONDS: Final = 1.0
"""Longest wait for the head of a health check, while no other connection has a place."""
MAX_HANDSHAKE_LINE: Final = 8_190
"""Longest header line of a WebSocket handshake, bytes: that of `websockets`."""
MOST_PIPELINED: Final = 100
"""Requests of a connection that wait for the answer of an earlier one; beyond, it is cut."""
NO_PLACE: Final = "The server has no capacity for another connection; please try again."
_INTERIM: Final = b"HTTP/1.1 100 "
_LENGTH: Final = b"\r\ncontent-length: "
_SEPARATORS: Final = 8
"""Bytes around a header's name and value, at most."""


_log = logging.getLogger("gateway.server.http_protocol")
_log.setLevel(logging.ERROR)  # what is no HTTP has a line in the log of requests


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Limits of one connection. `headers` are those of each answer; `request_log` keeps what is
    refused before it is a request. A peer may read nothing for `unread_seconds`.
    """

    settings: HttpSettings
    headers: ResponseHeaders
    request_log: RequestLog | None = None
    unread_seconds: float = LiveSettings().unread_seconds

    @property
    def head_bytes(self) -> int:
        """The most bytes of a head that has not ended: a target, headers and what is around."""
        settings = self.settings
        return 2 * settings.header_bytes + _SEPARATORS * settings.header_count

    def refusal(self, error: HTTPError, client: str | None) -> tuple[RawHeaders, bytes]:
        """Return the headers and the body of a refusal, which ends the connection; log it."""
        response = error_response(HTTPError(error.message, error.status, CLOSE))
        headers = self.headers.complete(response.raw_headers)
        if self.request_log is not None:
            request_id = self.request_log.refused(client, error.status, error)
            headers.append((b"x-request-id", request_id.encode("ascii")))
        return headers, bytes(response.body)


DEFAULT_LIMITS: Final = ConnectionLimits(
    settings=HttpSettings(), headers=ResponseHeaders(dev=False)
)


class HttpProtocol(HttpToolsProtocol):
    """Refuses a head that grows or takes too long while it arrives, and closes an idle connection,
    also one that never sent anything. With `places` it needs one of them; one for health checks
    answers their paths alone, and closes.

    A transport that closes first writes all that it holds, which a peer that reads nothing makes
    take for ever.
    """

    def __init__(
        self,
        *args: Any,
        limits: ConnectionLimits = DEFAULT_LIMITS,
        places: Connections | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.headers = []
        self.logger = _log
        self.limits = limits
        self.has_served = False
        self._places = places
        self._is_for_health = False
        self._head_bytes = limits.head_bytes
        self._unread_bytes = 0
        """Bytes since the last of a body, or the end of a message."""
        self._since: float | None = None
        """Since when a head is waited for; None while it need not come."""
        self._seconds = 0.0
        """Longest wait for it."""
        self._timer: asyncio.TimerHandle | None = None
        self._unread: UnreadWatch | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        if self._places is not None and not self._take_place(self._places):
            self._refuse(HTTPError(NO_PLACE, 503))
            return
        self._unread = UnreadWatch(self.loop, transport, self.limits.unread_seconds)
        self._await_head(HEALTH_SECONDS if self._is_for_health else self.timeout_keep_alive)
        self._timer = self.loop.call_later(self._seconds, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._cancel_timer()
        if self._unread is not None:
            self._unread.end()
        if self._places is not None:
            self._places.remove(self.transport)

    def data_received(self, data: bytes) -> None:
        self._unread_bytes += len(data)
        super().data_received(data)
        if self._unread_bytes > self._head_bytes or (
            self._since is not None and len(self.headers) > self.limits.settings.header_count
        ):
            self._refuse_head()
        elif self._since is None and not self._is_answering():
            self._await_head(self.timeout_keep_alive)  # what came is no message

    def on_message_begin(self) -> None:
        super().on_message_begin()
        seconds = self.limits.settings.head_seconds
        self._await_head(HEALTH_SECONDS if self._is_for_health else seconds)
        self.scope["extensions"] = {ABORT: {"abort": self.transport.abort}}

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= MOST_PIPELINED:
            raise BadRequest("Too many requests wait for the answer of an earlier one.")
        self._since = None
        self._unread_bytes = 0
        self.has_served = True
        if self._is_for_health and self.url.partition(b"?")[0].decode("latin-1") not in QUIET_PATHS:
            self.app = _without_place
        before = self.cycle
        super().on_headers_complete()
        cycle = self.cycle
        if cycle is before:
            return  # an upgrade has no cycle
        if self._is_for_health:
            cycle.keep_alive = False
        exchange, extensions = Exchange(cycle, self.transport), self.scope["extensions"]
        extensions[BODY] = {"take": exchange.take_body}
        if self.scope["method"] != "HEAD":  # its answer has no body to wait for
            extensions[ANSWER] = {"send": exchange.answer, "has_begun": exchange.has_begun}
            cycle.transport = AnswerTransport(self.transport)  # type: ignore[assignment]  # its part

    def on_body(self, body: bytes) -> None:
        self._unread_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unread_bytes = 0
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._cancel_timer()
        headers = self.headers
        longest = max(len(name) + len(value) for name, value in headers) + len(b": ")
        if len(headers) > self.limits.settings.header_count or longest > MAX_HANDSHAKE_LINE:
            self._refuse(HTTPError("The headers of the handshake are too many or too long.", 431))
            return
        if self._is_for_health:
            self._refuse(HTTPError(NO_PLACE, 503))
            return
        if self._places is not None:
            self._places.keep(self.transport)
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._refuse(HTTPError("This is not a valid HTTP request.", 400))

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch_unread()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_unread()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.end()
            self._watch_unread()

    def _watch_unread(self) -> None:
        if self._unread is not None and self.transport.get_write_buffer_size():
            self._unread.begin()

    @property
    def is_idle(self) -> bool:
        return not self._is_answering() and not self.transport.get_write_buffer_size()

    def drop(self) -> None:
        self.transport.abort()

    def _take_place(self, places: Connections) -> bool:
        client = self.client
        refusal = places.add(self.transport, self, client[0] if client else None)
        if refusal is Refusal.PROCESS:
            self._is_for_health = places.add_for_health(self.transport, self)
            return self._is_for_health
        return refusal is None

    def _await_head(self, seconds: float) -> None:
        self._since, self._seconds = self.loop.time(), seconds

    def _look(self) -> None:
        """Close the connection if the head is late, else look again when it would be."""
        if self._since is None or self._is_answering():
            left = self._seconds
        else:
            left = self._since + self._seconds - self.loop.time()
        if left > 0:
            self._timer = self.loop.call_later(left, self._look)
        elif self._unread_bytes:
            sentence = f"The head of a request must arrive within {self._seconds:g} s."
            self._refuse(HTTPError(sentence, 408))
        else:
            self.transport.close()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request
        return cycle is not None and not cycle.response_complete

    def _refuse_head(self) -> None:
        """Refuse a head, or trailers, beyond the limits before the end of it."""
        if not self.transport.is_closing():
            settings = self.limits.settings
            sentence = (
                f"A request may have at most {settings.header_count} headers of "
                f"{settings.header_bytes} bytes together."
            )
            self._refuse(HTTPError(sentence, 431))

    def _refuse(self, error: HTTPError) -> None:
        """Answer and close the connection; in the middle of another answer, break it off."""
        if self._is_answering():
            self.transport.abort()
            return
        headers, body = self.limits.refusal(error, self.client[0] if self.client else None)
        lines = [STATUS_LINE[error.status]]
        for name, value in headers:
            lines += [name, b": ", value, b"\r\n"]
        self.transport.write(b"".join((*lines, b"\r\n", body)))
        self.transport.close()
        self.loop.call_later(ABORT_SECONDS, self.transport.abort)


class AnswerTransport:
    """The transport of one answer: keeps a head with a length until the body comes.

    Each write is a call of the operating system and mostly a packet.
    """

    __slots__ = ("_head", "_is_answered", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""
        self._is_answered = False

    def write(self, data: bytes) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.writelines((head, data))
        elif self._is_answered or data.startswith(_INTERIM):
            self._transport.write(data)
        else:
            self._is_answered = True
            if _LENGTH in data:
                self._head = data
            else:
                self._transport.write(data)

    def close(self) -> None:
        """Close the connection; a head that is still held was of an answer that failed."""
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()


async def _without_place(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a request that is no health check."""
    await error_response(HTTPError(NO_PLACE, 503, CLOSE))(scope, receive, send)
