"""WebSocket connections: uvicorn's, with two things added that pushing to many needs."""

import asyncio
import logging
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

PUSH: Final = "gateway.push"
"""The extension of the ASGI scope that is `push`."""
ABORT_SECONDS: Final = 1.0

_log = logging.getLogger("gateway.websocket")
_log.setLevel(logging.WARNING)  # the rest is each socket's beginning, with its whole address


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Writes without waiting, and ends a peer that reads nothing rather than wait for it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = _log

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["extensions"][PUSH] = {"push": self.push}

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


def _text_frame_head(length: int) -> bytes:
    if length < 126:
        return bytes((0x81, length))
    if length < 65_536:
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")
