"""Compression of answers and files: Zstandard, Brotli or gzip, as the client accepts."""

from typing import Final

from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette_compress import CompressMiddleware, add_compress_type, remove_compress_type

MINIMUM_BYTES: Final = 1_024
"""Size of the smallest answer that is compressed: less would not save a packet."""

ANSWER: Final = "gateway.answer"
"""The extension of the ASGI scope for requests other than HEAD: `send` sends a whole answer in one
call, and `has_begun` says whether any of the answer was written.
"""

_TYPES: Final = ("application/graphql-response+json", "application/x-ndjson", "text/csv")
"""Media types that the library does not know."""
_RESPONSE: Final = "gateway.response"


def compression() -> Middleware:
    """Return the middleware."""
    _choose_types()
    return Middleware(CompressMiddleware, minimum_size=MINIMUM_BYTES)


class CompressingSender:
    """Sends whole responses as the middleware would; one that is too small does not pass it."""

    def __init__(self) -> None:
        _choose_types()
        self._middleware = CompressMiddleware(_send_response, minimum_size=MINIMUM_BYTES)

    async def send(self, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
        if len(response.body) >= MINIMUM_BYTES:
            scope[_RESPONSE] = response
            await self._middleware(scope, receive, send)
            return
        status, headers, body = response.status_code, response.raw_headers, bytes(response.body)
        extension = scope.get("extensions", {}).get(ANSWER)
        if extension is not None:
            await extension["send"](status, headers, body)
            return
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def may_have_begun(scope: Scope) -> bool:
    """Return whether some of the answer may have been written; True where the server cannot say."""
    extension = scope.get("extensions", {}).get(ANSWER)
    return extension is None or bool(extension["has_begun"]())


def _choose_types() -> None:
    """Set what the library compresses: not event streams, because an event must not wait."""
    for media_type in _TYPES:
        add_compress_type(media_type)
    remove_compress_type("text/event-stream")


async def _send_response(scope: Scope, receive: Receive, send: Send) -> None:
    response: Response = scope[_RESPONSE]
    await response(scope, receive, send)
