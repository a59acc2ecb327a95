"""Bodies, read within bounds of size and time."""

import asyncio
from typing import Final

from starlette.types import Receive, Scope

from gateway.http.headers import header_values
from gateway.http.responses import CLOSE, HTTPError

BODY: Final = "gateway.body"
"""The extension of the ASGI scope that is `take`: it returns the body if all of it has come."""


class ClientDisconnected(Exception):
    """The client closed the connection; there is nobody to answer."""


async def read_body(
    scope: Scope, receive: Receive, *, max_bytes: int, timeout_seconds: float
) -> bytes:
    """Return the whole body, of at most `max_bytes`; no more than that and one chunk is held.

    Raises HTTPError for one that is too long (413) or too slow (408), which closes the connection
    after the answer, and ClientDisconnected where the client disconnects before the end.
    """
    length = "".join(header_values(scope, b"content-length"))
    if length.isdecimal() and int(length) > max_bytes:
        raise _too_long(max_bytes)
    whole = _whole_body(scope)
    if whole is not None:
        if len(whole) > max_bytes:
            raise _too_long(max_bytes)
        return whole
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnected
                body += message.get("body", b"")
                if len(body) > max_bytes:
                    raise _too_long(max_bytes)
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        sentence = f"The body must arrive within {timeout_seconds:g} s."
        raise HTTPError(sentence, 408, CLOSE) from None


def _whole_body(scope: Scope) -> bytes | None:
    """Return the body where it came with the head, as most do: nothing is waited for then."""
    extension = scope.get("extensions", {}).get(BODY)
    if extension is None:
        return None
    body: bytes | None = extension["take"]()
    return body


def _too_long(max_bytes: int) -> HTTPError:
    return HTTPError(f"The body may have at most {max_bytes} bytes.", 413, CLOSE)
