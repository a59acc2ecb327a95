"""WebSocket connections: uvicorn's, with two things added that pushing to many needs."""

import asyncio
import http
import logging
from typing import Any, Final

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.frames import Frame
from websockets.http11 import Request, Response

from gateway.http.disconnect import ABORT
from gateway.http.responses import HTTPError
from gateway.server.connections import Connections
from gateway.server.http_protocol import DEFAULT_LIMITS, ConnectionLimits
from gateway.settings.live import LiveSettings

PUSH: Final = "gateway.push"
"""The extension of the ASGI scope that is `push`."""
ABORT_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 2.0
"""Longest wait for a peer to answer that its socket is closed."""
FRAME_SECONDS: Final = 5
"""Window over which the rate of frames is measured."""
DEFAULT_FRAMES_PER_SECOND: Final = LiveSettings().messages_per_second
PIECE_BYTES: Final = 1_024
"""Most bytes that are parsed before the frames are counted."""
_POLICY: Final = 1008
_NO_HANDSHAKE: Final = "This is not a valid WebSocket handshake."

_log = logging.getLogger("gateway.server.websocket_protocol")
_log.setLevel(logging.WARNING)  # the rest is each socket's beginning, with its whole address


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Writes without waiting, and ends a peer that reads nothing rather than wait for it.

    Frames of every kind count, empty and control frames too: `frames_per_second` over FRAME_SECONDS
    is the most. What arrives is parsed in pieces, so that the count is looked at in time. While the
    peer does not read, nothing is read from it either: each of its pings has an answer.
    """

    def __init__(
        self,
        *args: Any,
        frames_per_second: int = DEFAULT_FRAMES_PER_SECOND,
        limits: ConnectionLimits = DEFAULT_LIMITS,
        places: Connections | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._limits = limits
        self.conn.logger = _log
        self.conn.reject = self._reject  # type: ignore[method-assign]  # what it refuses itself
        self._places = places
        self._most_frames = frames_per_second * FRAME_SECONDS
        self._frames_since = self.loop.time()
        self._frames = 0
        self.logger = _log
        self.close_timeout = CLOSE_SECONDS
        self.queue = _Inbox()  # type: ignore[assignment]  # what is used of a Queue, and 2 kB less
        self.writable = _Gate()  # type: ignore[assignment]  # as well, of an Event

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        vars(self.conn).pop("reject", None)  # it refers back to this
        if self._places is not None:
            self._places.remove(self.transport)

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE_BYTES):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + PIECE_BYTES])
            if self.conn.handshake_exc is not None and not self.handshake_complete:
                self._refuse_handshake()
                return

    def handle_events(self) -> None:
        now = self.loop.time()
        if now - self._frames_since > FRAME_SECONDS:
            self._frames_since, self._frames = now, 0
        super().handle_events()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["extensions"][PUSH] = {"push": self.push}
            self.scope["extensions"][ABORT] = {"abort": self.transport.abort}

    def handle_ping(self) -> None:
        super().handle_ping()
        self._count_frame()

    def handle_pong(self, event: Frame) -> None:
        super().handle_pong(event)
        self._count_frame()

    def handle_cont(self, event: Frame) -> None:
        super().handle_cont(event)
        self._count_frame()

    def handle_text(self, event: Frame) -> None:
        super().handle_text(event)
        self._count_frame()

    def handle_bytes(self, event: Frame) -> None:
        super().handle_bytes(event)
        self._count_frame()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.read_paused:
            self.transport.resume_reading()

    def _count_frame(self) -> None:
        self._frames += 1
        if self._frames > self._most_frames and not self.close_sent:
            self.conn.fail(_POLICY, "Too many messages")
            self.handle_parser_exception()
            self._abort_later()

    def _reject(self, status: http.HTTPStatus | int, text: str) -> Response:
        """Return the answer to a handshake that breaks the protocol, whatever the library says."""
        known = http.HTTPStatus(status)
        error = HTTPError(_NO_HANDSHAKE, known.value)
        headers, body = self._limits.refusal(error, self.client[0] if self.client else None)
        named = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
        return Response(known.value, known.phrase, Headers(named), body)

    def _refuse_handshake(self) -> None:
        """Answer a handshake that cannot be read; the stop of the process finds it closed."""
        self.handshake_complete = self.close_sent = True
        self.transport.write(self._reject(400, "").serialize())
        self.transport.close()
        self._abort_later()

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True  # by a refusal, which is no error of the application
        if message["type"] == "websocket.accept":
            # Thousands of sockets stay open for long, and their headers are not read again. They
            # are emptied where they are, because others hold them too.
            for headers in (self.scope["headers"], self.request.headers, self.response.headers):
                headers.clear()  # type: ignore[union-attr]  # a list, called an iterable

    def push(self, text: bytes) -> bool:
        """Write a text message; return False, and write nothing, where the peer is behind."""
        if not self.writable.is_set() or self.close_sent or self.transport.is_closing():
            return False
        self.transport.write(_text_frame_head(len(text)) + text)
        return True

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.send_close(1007)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._abort_later()

    def shutdown(self) -> None:
        super().shutdown()
        self._abort_later()

    def on_task_complete(self, task: "asyncio.Task[None]") -> None:
        super().on_task_complete(task)
        self._abort_later(self.close_timeout)

    def _abort_later(self, seconds: float = ABORT_SECONDS) -> None:
        """A transport that closes first writes all that it holds, which may take for ever."""
        if not self.disconnected:
            self.loop.call_later(seconds, self.transport.abort)


class _Inbox:
    """Messages for the one task that reads them."""

    __slots__ = ("_messages", "_reader")

    def __init__(self) -> None:
        self._messages: list[ASGIReceiveEvent] = []
        self._reader: asyncio.Future[None] | None = None

    def empty(self) -> bool:
        return not self._messages

    def put_nowait(self, message: ASGIReceiveEvent) -> None:
        self._messages.append(message)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def get(self) -> ASGIReceiveEvent:
        while not self._messages:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._messages.pop(0)


class _Gate:
    """Open, or closed until it is set."""

    __slots__ = ("_opening",)

    def __init__(self) -> None:
        self._opening: asyncio.Future[None] | None = None

    def is_set(self) -> bool:
        return self._opening is None

    def clear(self) -> None:
        self._opening = self._opening or asyncio.get_running_loop().create_future()

    def set(self) -> None:
        opening, self._opening = self._opening, None
        if opening is not None and not opening.done():
            opening.set_result(None)

    async def wait(self) -> None:
        while self._opening is not None:
            await asyncio.shield(self._opening)


def _text_frame_head(length: int) -> bytes:
    if length < 126:
        return bytes((0x81, length))
    if length < 65_536:
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")
