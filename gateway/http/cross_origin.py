"""Cross-origin requests of web pages (CORS), by Starlette's middleware."""

from collections.abc import Sequence
from typing import Final, TypedDict

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Message, Receive, Scope, Send

from gateway.http.headers import RawHeaders, raw_values

CLIENT_HEADERS: Final = (
    "authorization",
    "content-type",
    "x-request-id",
    # Apollo Client's headers, and those that clients send against CSRF
    "apollo-require-preflight",
    "apollographql-client-name",
    "apollographql-client-version",
    "graphql-client-name",
    "graphql-client-version",
    "graphql-require-preflight",
    "x-apollo-operation-id",
    "x-apollo-operation-name",
    "x-graphql-client-name",
    "x-graphql-client-version",
    # Tracing (https://www.w3.org/TR/trace-context/), and event sources that reconnect
    "baggage",
    "last-event-id",
    "traceparent",
    "tracestate",
)
"""Headers that pages of other origins may send."""


class CrossOriginOptions(TypedDict):
    """The arguments of Starlette's middleware."""

    allow_origins: Sequence[str]
    allow_methods: Sequence[str]
    allow_headers: Sequence[str]
    expose_headers: Sequence[str]


def cross_origin_options(origins: Sequence[str]) -> CrossOriginOptions:
    """Return the CORS policy: the requests and answers that pages of these origins may send and
    read.
    """
    return CrossOriginOptions(
        allow_origins=origins,
        allow_methods=("GET", "POST"),
        allow_headers=CLIENT_HEADERS,
        expose_headers=("x-request-id", "retry-after", "ratelimit", "ratelimit-policy"),
    )


class CrossOriginHeaders:
    """The headers that the middleware adds to an answer: made by it once for each allowed origin,
    once for all others, and once for requests without an origin.
    """

    def __init__(self, origins: Sequence[str]) -> None:
        self._middleware = CORSMiddleware(_nothing, **cross_origin_options(origins))
        self._origins = frozenset(origins)
        self._made: dict[str | None, RawHeaders] = {}

    async def of(self, scope: Scope) -> RawHeaders:
        """Return the headers for the answer to a request that is not a preflight."""
        origins = raw_values(scope, b"origin")
        origin = origins[0].decode("latin-1") if origins else None
        key = origin if origin is None or origin in self._origins else ""
        made = self._made.get(key)
        if made is None:
            request = Headers({} if origin is None else {"origin": origin})
            answer: Message = {"type": "http.response.start", "headers": []}
            await self._middleware.send(answer, send=_discard, request_headers=request)
            made = self._made[key] = answer["headers"]
        return made


async def _nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """The application that the middleware wraps."""


async def _discard(_message: Message) -> None:
    """Send nothing."""
