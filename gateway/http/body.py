"""Bodies, read within bounds of size and time."""

import asyncio
from typing import Final

from starlette.types import Receive, Scope

from gateway.http.headers import raw_values
from gateway.http.responses import CLOSE, HTTPError
from gateway.quotas import HeldBytes

BODY: Final = "gateway.body"
"""The extension of the ASGI scope that is `take`: it returns the body if all of it has come."""


class ClientDisconnected(Exception):
    """The client closed the connection; there is nobody to answer."""


def whole_body(scope: Scope, *, max_bytes: int) -> bytes | None:
    """Return the body where it came with the head, as most do; None where some of it has not come.

    Raises HTTPError (413) for one that is longer than `max_bytes`, or says so.
    """
    length = b"".join(raw_values(scope, b"content-length"))
    if length.isdigit() and int(length) > max_bytes:
        raise _too_long(max_bytes)
    extension = scope.get("extensions", {}).get(BODY)
    if extension is None:
        return None
    whole: bytes | None = extension["take"]()
    if whole is not None and len(whole) > max_bytes:
        raise _too_long(max_bytes)
    return whole


async def read_body(
    scope: Scope, receive: Receive, *, max_bytes: int, timeout_seconds: float, held: HeldBytes
) -> bytes:
    """Return the whole body, of at most `max_bytes`; no more than that and one chunk is held.

    Raises HTTPError for one that is too long (413) or too slow (408), which closes the connection
    after the answer; ServiceUnavailable where `held` may not grow so far; and ClientDisconnected
    where the client disconnects before the end.
    """
    whole = whole_body(scope, max_bytes=max_bytes)
    if whole is not None:
        held.grow(len(whole))
        return whole
    body = bytearray()
    held.grow(0)
    try:
        async with asyncio.timeout(timeout_seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnected
                body += message.get("body", b"")
                if len(body) > max_bytes:
                    raise _too_long(max_bytes)
                held.grow(len(body))
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        sentence = f"The body must arrive within {timeout_seconds:g} s."
        raise HTTPError(sentence, 408, CLOSE) from None


def _too_long(max_bytes: int) -> HTTPError:
    return HTTPError(f"The body may have at most {max_bytes} bytes.", 413, CLOSE)
