"""HTTP connections: uvicorn's, with three things added.

A connection can be broken off, a body that came with its head is had without waiting, and an answer
of known length leaves in one write with its head.
"""

import asyncio
from functools import partial
from typing import Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.http.body import BODY
from gateway.http.disconnect import ABORT

_INTERIM: Final = b"HTTP/1.1 100 "
_LENGTH: Final = b"\r\ncontent-length: "


class HttpProtocol(HttpToolsProtocol):
    """A transport that closes first writes all that it holds, which a peer that reads nothing
    makes take for ever.
    """

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"abort": self.transport.abort}}

    def on_headers_complete(self) -> None:
        before = self.cycle
        super().on_headers_complete()
        cycle = self.cycle
        if cycle is before:
            return  # an upgrade has no cycle
        self.scope["extensions"][BODY] = {"take": partial(_take_body, cycle)}
        if self.scope["method"] != "HEAD":  # its answer has no body to wait for
            cycle.transport = cast("asyncio.Transport", AnswerTransport(self.transport))


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


def _take_body(cycle: RequestResponseCycle) -> bytes | None:
    """Return the whole body, as `receive` would; None where some of it has not come."""
    if cycle.more_body or cycle.disconnected:
        return None
    cycle.message_event.clear()
    body, cycle.body = bytes(cycle.body), bytearray()
    return body
