"""Whole answers: head and body in one call and one write, without a message for each.

uvicorn checks each header of each answer by regular expressions. Most heads differ in their length,
date and request id alone: the rest of a head is checked and joined once.
"""

import asyncio
from functools import lru_cache
from typing import Final, NamedTuple
from weakref import ref

from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

from gateway.http.headers import RawHeaders

_OWN: Final = frozenset({b"content-length", b"date", b"ratelimit", b"x-request-id"})
"""Names of the headers that each answer has with a value of its own."""
_REMEMBERED: Final = 256
"""Most common parts of heads that are kept."""
_CLOSING: Final = (b"connection", b"close")


class _CommonPart(NamedTuple):
    """The lines of a head that other answers have too, and whether they end the connection."""

    lines: bytes
    closes: bool


class Exchange:
    """One request of a connection, and its answer, while uvicorn's cycle runs.

    The cycle holds the scope, which holds the exchange: a reference back would leave every request
    to the garbage collector.
    """

    __slots__ = ("_reference", "_transport")

    def __init__(self, cycle: RequestResponseCycle, transport: asyncio.Transport) -> None:
        self._reference = ref(cycle)
        self._transport = transport

    @property
    def _cycle(self) -> RequestResponseCycle:
        cycle = self._reference()
        assert cycle is not None  # noqa: S101  # it runs the caller
        return cycle

    def take_body(self) -> bytes | None:
        """Return the whole body, as `receive` would; None where some of it has not come."""
        cycle = self._cycle
        if cycle.more_body or cycle.disconnected:
            return None
        cycle.message_event.clear()
        body, cycle.body = bytes(cycle.body), bytearray()
        return body

    def has_begun(self) -> bool:
        """Return whether any of the answer was written."""
        return self._cycle.response_started

    async def answer(self, status: int, headers: RawHeaders, body: bytes) -> None:
        """Send a whole answer, as two messages would. The request is not HEAD, and the headers have
        the body's length.
        """
        cycle = self._cycle
        if cycle.flow.write_paused and not cycle.disconnected:
            await cycle.flow.drain()
        if cycle.disconnected:
            return
        every = [*cycle.default_headers, *headers]
        own = [b"%b: %b\r\n" % header for header in every if header[0] in _OWN]
        common = tuple([header for header in every if header[0] not in _OWN])
        lines = b"".join(own)
        if lines.count(b"\r") != len(own) or lines.count(b"\n") != len(own):
            raise ValueError("A header is more than one line.")
        part = _common_part(status, common)
        closes = part.closes or not cycle.keep_alive
        end = _line(_CLOSING) + b"\r\n" if closes else b"\r\n"
        cycle.response_started = cycle.response_complete = True
        self._transport.writelines((part.lines + lines + end, body))
        cycle.message_event.set()
        if closes:
            self._transport.close()
        cycle.on_response()


@lru_cache(_REMEMBERED)
def _common_part(status: int, headers: tuple[tuple[bytes, bytes], ...]) -> _CommonPart:
    lines = [_line(header) for header in headers if header != _CLOSING]
    return _CommonPart(b"".join((STATUS_LINE[status], *lines)), len(lines) < len(headers))


def _line(header: tuple[bytes, bytes]) -> bytes:
    """Return a header's line. Raises ValueError for characters that are not allowed in it."""
    name, value = header
    if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
        raise ValueError(f"A header is not valid: {name!r}")
    return b"%b: %b\r\n" % header
