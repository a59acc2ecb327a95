"""The middleware that every request passes."""

from collections.abc import Collection
from typing import Final

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from gateway.http.compression import compression
from gateway.http.credentials import FailedCredentialsMiddleware
from gateway.http.middleware import (
    AllowedHostsMiddleware,
    HeadLimitsMiddleware,
    RecordMiddleware,
    ResponseHeadersMiddleware,
)
from gateway.observability.metrics import Metrics
from gateway.quotas import RateQuota
from gateway.server.drain import Drain, DrainMiddleware
from gateway.settings import Settings

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


def build_middleware(
    settings: Settings,
    *,
    paths: Collection[str],
    drain: Drain,
    metrics: Metrics,
    failures: RateQuota,
) -> list[Middleware]:
    """Return the middleware, the outermost first. `paths` are counted in the metrics by name."""
    return [
        Middleware(RecordMiddleware, metrics=metrics, paths=frozenset(paths)),
        Middleware(ResponseHeadersMiddleware, dev=settings.environment == "dev"),
        Middleware(
            HeadLimitsMiddleware,
            max_bytes=settings.http.header_bytes,
            max_headers=settings.http.header_count,
        ),
        Middleware(AllowedHostsMiddleware, hosts=settings.hosts),
        Middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=("GET", "POST"),
            allow_headers=CLIENT_HEADERS,
            expose_headers=("x-request-id", "retry-after"),
        ),
        Middleware(DrainMiddleware, drain=drain),
        Middleware(FailedCredentialsMiddleware, failures=failures),
        compression(),
    ]
