"""Errors as HTTP answers: the same body everywhere, and the status that goes with a code."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from gateway.auth.rejected import challenge
from gateway.errors import (
    BadCursor,
    BadRequest,
    BadUserInput,
    Conflict,
    DeadlineExceeded,
    Forbidden,
    GatewayError,
    InvalidFields,
    NotFound,
    OutOfRange,
    ServiceUnavailable,
    StorageFull,
    Throttled,
    TooManySubscriptions,
    Unauthenticated,
)
from gateway.http.headers import RawHeaders

JSON: Final = "application/json"
NOT_HERE: Final = "Nothing exists at this path."
STATUS_BY_CODE: Final[Mapping[str, int]] = {
    BadRequest.code: 400,
    BadUserInput.code: 400,
    BadCursor.code: 400,
    OutOfRange.code: 400,
    Unauthenticated.code: 401,
    Forbidden.code: 403,
    NotFound.code: 404,
    Conflict.code: 409,
    TooManySubscriptions.code: 429,
    Throttled.code: 429,
    ServiceUnavailable.code: 503,
    DeadlineExceeded.code: 504,
    StorageFull.code: 507,
}
CLOSE: Final[Mapping[str, str]] = {"connection": "close"}
_RETRY_AFTER: Final = {"retry-after": "1"}
TEMPORARY: Final = frozenset({429, 503})
"""Statuses of answers that say when to come back."""
_MEDIA_TYPES: Final = 16
"""Most headers that are kept."""


class HTTPError(BadRequest):
    """A request that HTTP itself has a status and perhaps headers for."""

    def __init__(self, message: str, status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


class EncodedResponse(Response):
    """A response of encoded JSON; Starlette's own reads the headers that it is given once more."""

    def __init__(self, body: bytes, status: int, headers: RawHeaders) -> None:
        self.body = body
        self.status_code = status
        self.raw_headers = headers
        self.background = None


def json_response(
    payload: Mapping[str, object],
    *,
    status: int = 200,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return `payload` as JSON in UTF-8; an answer 429 or 503 says when to come back."""
    body = orjson.dumps(payload)
    return encoded_response(body, status=status, media_type=media_type, headers=headers)


def encoded_response(
    body: bytes, *, status: int, media_type: str = JSON, headers: Mapping[str, str] | None = None
) -> Response:
    """Return JSON that is encoded already, like `json_response`."""
    raw = [(b"content-length", b"%d" % len(body)), _content_type(media_type)]
    if headers or status in TEMPORARY:
        extra = {**(_RETRY_AFTER if status in TEMPORARY else {}), **(headers or {})}
        raw += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in extra.items()]
    return EncodedResponse(body, status, raw)


@lru_cache(_MEDIA_TYPES)
def _content_type(media_type: str) -> tuple[bytes, bytes]:
    return b"content-type", f"{media_type}; charset=utf-8".encode("latin-1")


def errors_response(
    errors: Sequence[Mapping[str, object]],
    *,
    status: int,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
    extensions: Mapping[str, object] | None = None,
) -> Response:
    """Return an answer that has errors, and perhaps extensions beside them."""
    payload: dict[str, object] = {"errors": errors}
    if extensions:
        payload["extensions"] = extensions
    return json_response(payload, status=status, media_type=media_type, headers=headers)


def error_response(
    error: GatewayError,
    *,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
    extensions: Mapping[str, object] | None = None,
) -> Response:
    """Return the response to an error: the status of its code or its own; with 401 the header
    `WWW-Authenticate`, with 429 and 503 `Retry-After`. `extensions` are those of the response.
    """
    status = STATUS_BY_CODE.get(error.code, 500)
    if isinstance(error, HTTPError):
        status, headers = error.status, error.headers
    elif isinstance(error, Unauthenticated):
        headers = {**(headers or {}), "www-authenticate": challenge(error)}
    elif isinstance(error, Throttled) and error.wait_seconds is not None:
        headers = {**(headers or {}), "retry-after": str(error.wait_seconds)}
    return errors_response(
        _bodies(error), status=status, media_type=media_type, headers=headers, extensions=extensions
    )


def _bodies(error: GatewayError) -> list[dict[str, object]]:
    if not isinstance(error, InvalidFields):
        return [{"message": error.message, "extensions": error.extensions}]
    return [
        {
            "message": fault.message,
            "path": fault.path,
            "extensions": {"code": fault.code, "argument": fault.path.partition(".")[0]},
        }
        for fault in error.faults
    ]


async def deny(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a WebSocket's handshake by HTTP."""

    async def as_denial(message: Message) -> None:
        await send({**message, "type": message["type"].replace("http.", "websocket.http.", 1)})

    response.headers.setdefault("connection", "close")
    await response({**scope, "type": "http"}, receive, as_denial)


async def http_error(_: Request, error: Exception) -> Response:
    """Answer what Starlette itself refuses: an unknown path, a method that is not served."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 404:
        return error_response(NotFound(NOT_HERE))
    sentence = "This method is not served here." if error.status_code == 405 else "Malformed."
    return error_response(HTTPError(sentence, error.status_code, error.headers))
