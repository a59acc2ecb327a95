"""The HTTP edge: routes, middleware, limits and live updates, built on what they are handed."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import strawberry
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route, WebSocketRoute

from gateway.clock import Clock
from gateway.execution.engine import Engine
from gateway.execution.trusted_documents import TrustedDocuments
from gateway.http.compression import compression
from gateway.http.credentials import AttemptsMiddleware, Authenticator
from gateway.http.middleware import (
    AllowedHostsMiddleware,
    AnswerHeadersMiddleware,
    HeadLimitsMiddleware,
    RecordMiddleware,
)
from gateway.http.responses import http_error
from gateway.http.static_files import Built
from gateway.live.access import AccessCheck, ReadAccess
from gateway.live.hub import Hub
from gateway.observability.metrics import Metrics, Number
from gateway.quotas import Admission, Attempts
from gateway.routes.branding.brand import Brand
from gateway.routes.console import DevPerson, Fence, Oidc, Pages
from gateway.routes.health import Health, livez
from gateway.routes.openapi.route import DescribedRoute
from gateway.routes.openapi.serving import openapi_route
from gateway.server.drain import Drain, DrainMiddleware
from gateway.settings import Settings
from gateway.settings.values import origin_of
from gateway.transports.feeds import ContextFactory
from gateway.transports.http import GraphQLEndpoint, describe_nothing
from gateway.transports.operations import OpenSource, Operations
from gateway.transports.sse import StreamEndpoint
from gateway.transports.websocket import WebSocketEndpoint

CLIENT_HEADERS: Final = (
    "authorization",
    "content-type",
    "x-request-id",
    # Apollo Client's, and what it and others send against CSRF
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
    # Tracing (https://www.w3.org/TR/trace-context/), and event sources that come back
    "baggage",
    "last-event-id",
    "traceparent",
    "tracestate",
)
"""Headers that pages of other origins may send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What subscriptions are built on. The hub runs with `Parts.running`."""

    hub: Hub
    open_source: OpenSource
    read_access: ReadAccess
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the HTTP edge is built on.

    `running` is entered while the process serves: it opens the database and closes it. `people` is
    asked in dev alone.
    """

    schema: strawberry.Schema
    authenticator: Authenticator
    context_for: ContextFactory
    live: Live
    ready: Callable[[], Awaitable[None]]
    running: Callable[[], AbstractAsyncContextManager[None]]
    describe: Callable[[Any], Mapping[str, object]] = describe_nothing
    built: Built
    trusted: TrustedDocuments = field(default_factory=TrustedDocuments)
    people: Callable[[], Sequence[DevPerson]] = tuple
    routes: Sequence[DescribedRoute] = ()
    undescribed: Sequence[Route] = ()
    numbers: Sequence[Collector] = ()


def build_app(settings: Settings, parts: Parts) -> Starlette:
    """Return the application; `app.state` has its `drain`, `metrics` and `operations`."""
    drain, metrics = Drain(), Metrics()
    attempts = Attempts(settings.http.failed_credentials_per_minute)
    engine = _build_engine(settings, parts, metrics)
    operations = _build_operations(settings, parts, engine)
    metrics.watch(*_live_numbers(operations), *parts.numbers)
    routes = _build_routes(settings, parts, operations, drain, metrics)
    live = WebSocketEndpoint(
        operations=operations,
        authenticator=parts.authenticator,
        attempts=attempts,
        clock=parts.live.clock,
        origins=settings.origins,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with parts.running(), operations.access.running():
            yield

    app = Starlette(
        routes=[*routes, WebSocketRoute("/graphql", live)],
        middleware=_build_middleware(settings, routes, drain, metrics, attempts),
        exception_handlers={HTTPException: http_error},
        lifespan=lifespan,
    )
    app.state.drain, app.state.metrics, app.state.operations = drain, metrics, operations
    return app


def _live_numbers(operations: Operations) -> Sequence[Number]:
    admission, hub = operations.admission, operations.hub
    return (
        Number(
            name="gateway_sockets",
            text="WebSockets that are open and authenticated.",
            read=admission.sockets.total,
        ),
        Number(
            name="gateway_subscriptions",
            text="Subscriptions that are open.",
            read=admission.total,
        ),
        Number(
            name="gateway_live_groups",
            text="Different things that are subscribed to: each is read once for all.",
            read=lambda: hub.groups,
        ),
        Number(
            name="gateway_live_pushes",
            text="Changes that were pushed, each to all who asked for the same.",
            read=lambda: hub.pushes,
            grows=True,
        ),
        Number(
            name="gateway_live_resyncs",
            text="Looks at everything that is watched: at times, and after a lost connection.",
            read=lambda: hub.resyncs,
            grows=True,
        ),
        Number(
            name="gateway_live_listening",
            text="1 while changes are heard from the database, 0 while they are looked for.",
            read=lambda: hub.listening,
        ),
    )


def _build_engine(settings: Settings, parts: Parts, metrics: Metrics) -> Engine:
    return Engine(
        parts.schema,
        limits=settings.documents,
        deadline_seconds=settings.documents.operation_seconds,
        suggestions=settings.or_dev(settings.introspection),
        trusted=parts.trusted,
        count_deprecated=metrics.count_deprecated,
        count_fallback=metrics.count_fallback,
    )


def _build_operations(settings: Settings, parts: Parts, engine: Engine) -> Operations:
    return Operations(
        engine=engine,
        context_for=parts.context_for,
        open_source=parts.live.open_source,
        hub=parts.live.hub,
        admission=Admission(settings.live),
        access=AccessCheck(parts.live.read_access, settings.live.recheck_seconds),
        introspection=settings.or_dev(settings.introspection),
        leeway_seconds=settings.auth.jwt_leeway_seconds,
    )


def _build_routes(
    settings: Settings, parts: Parts, operations: Operations, drain: Drain, metrics: Metrics
) -> list[Route]:
    token = settings.metrics_token
    health = Health(
        drain=drain,
        metrics=metrics,
        ready=parts.ready,
        metrics_token=token.get_secret_value() if token else None,
    )
    graphql = GraphQLEndpoint(
        operations=operations,
        authenticator=parts.authenticator,
        describe=parts.describe,
        body_bytes=settings.http.body_bytes,
        body_seconds=settings.http.body_seconds,
    )
    stream = StreamEndpoint(
        http=graphql,
        operations=operations,
        drain=drain,
        clock=parts.live.clock,
        unread_seconds=settings.live.unread_seconds,
    )
    described = [
        DescribedRoute("/livez", livez),
        DescribedRoute("/readyz", health.readyz),
        DescribedRoute("/metrics", health.read_metrics),
        *parts.routes,
    ]
    return [
        Route("/graphql", graphql),
        Route("/graphql/stream", stream),
        *_build_pages(settings, parts).routes(),
        *described,
        *parts.undescribed,
        openapi_route(described, settings),
    ]


def _build_pages(settings: Settings, parts: Parts) -> Pages:
    oidc, asked = None, settings.console.oidc_origins
    if settings.console.oidc_issuer and settings.console.oidc_client_id:
        asked = (origin_of(settings.console.oidc_issuer), *asked)
        oidc = Oidc(
            issuer=settings.console.oidc_issuer,
            client_id=settings.console.oidc_client_id,
            scope=settings.console.oidc_scope,
            audience=settings.auth.jwt_audience,
        )
    return Pages(
        built=parts.built,
        console=settings.console.enabled,
        graphiql=settings.or_dev(settings.console.graphiql) and not settings.documents.trusted_only,
        dev=settings.environment == "dev",
        people=parts.people,
        oidc=oidc,
        top_up_url=settings.console.top_up_url,
        fence=Fence(ancestors=settings.console.frame_ancestors, asked=asked),
        brand=Brand.read(settings.console),
    )


def _build_middleware(
    settings: Settings,
    routes: Sequence[Route],
    drain: Drain,
    metrics: Metrics,
    attempts: Attempts,
) -> list[Middleware]:
    """Return what a request passes, the outermost first."""
    paths = frozenset(route.path for route in routes if not route.param_convertors)
    return [
        Middleware(RecordMiddleware, metrics=metrics, paths=paths),
        Middleware(AnswerHeadersMiddleware, dev=settings.environment == "dev"),
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
        Middleware(AttemptsMiddleware, attempts=attempts),
        compression(),
    ]
