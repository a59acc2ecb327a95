"""The composition root: every part is made here, once, and handed to what needs it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import strawberry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route, WebSocketRoute

from gateway.auth.authenticator import Authenticator as OwnAuthenticator
from gateway.auth.authenticator import open_authenticator
from gateway.auth.dev import dev_signing_keys
from gateway.auth.key_store import StoredKeys
from gateway.clock import Clock, SystemClock
from gateway.documents.receipt import ReceiptPrinter
from gateway.errors import ServiceUnavailable
from gateway.execution.engine import Engine
from gateway.execution.limits import Limits
from gateway.ids import KeyFactory
from gateway.links import RECEIPT_PATH, Links
from gateway.live.hub import Hub
from gateway.live.signals import open_signals
from gateway.migrations import REVISION, head
from gateway.principal import Principal
from gateway.providers.stripe.inbox import Inbox
from gateway.providers.stripe.signature import parse_secrets
from gateway.routes.admission import Admission, LiveLimits
from gateway.routes.answers import http_error
from gateway.routes.attempts import AttemptsMiddleware
from gateway.routes.desk import Desk, OpenSource
from gateway.routes.drain import Drain, DrainMiddleware
from gateway.routes.graphiql import (
    TOKENS_FILE,
    DevPerson,
    Example,
    graphiql_routes,
    read_examples,
    read_people,
    to_graphiql,
)
from gateway.routes.graphql import Authenticator, ContextFactory, GraphQLEndpoint, describe_nothing
from gateway.routes.graphql_sse import StreamEndpoint
from gateway.routes.graphql_ws import WebSocketEndpoint
from gateway.routes.health import Health, livez
from gateway.routes.metrics import Metrics
from gateway.routes.middleware import (
    AllowedHostsMiddleware,
    AnswerHeadersMiddleware,
    HeadLimitsMiddleware,
    RecordMiddleware,
)
from gateway.routes.platform import Platform
from gateway.routes.receipts import Receipts
from gateway.routes.v1 import platform_routes
from gateway.routes.watch import ReadStanding, Standing, Watch
from gateway.routes.webhooks import STRIPE_PATH, StripeWebhook
from gateway.settings import Settings
from gateway.signing import Signer, parse_signing_keys
from gateway.store import Database, Snapshot, connect, standing
from gateway.store.announcements import revisions
from resolvers.context import Context, make_context
from resolvers.schema import build_schema
from resolvers.sources import open_source


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What subscriptions are built on. The hub runs with `Parts.running`."""

    hub: Hub
    open_source: OpenSource
    read_standing: ReadStanding
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
    examples: Sequence[Example] = ()
    people: Callable[[], Sequence[DevPerson]] = tuple
    routes: Sequence[Route] = ()


class _Runtime:
    """What is open while the process serves."""

    def __init__(self, settings: Settings, authenticator: OwnAuthenticator) -> None:
        self._settings = settings
        self._authenticator = authenticator
        self._database: Database | None = None
        self.printer = ReceiptPrinter()
        self.hub = Hub()
        self.inbox: Inbox | None = None
        self._revision = head()

    @property
    def database(self) -> Database:
        if self._database is None:
            raise ServiceUnavailable("The gateway has not started yet.")
        return self._database

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self._database = database = await connect(self._settings)

        async def read_revisions(account_ids: Collection[int]) -> Mapping[int, int]:
            async with Snapshot(database) as snapshot:
                return await revisions(snapshot, account_ids)

        try:
            async with (
                self.hub.running(open_signals(self._settings, database), read_revisions),
                self.inbox.sweeping() if self.inbox else nullcontext(),
            ):
                yield
        finally:
            self.printer.close()
            await self._authenticator.aclose()
            await self._database.close()

    async def read_standing(
        self, memberships: Collection[tuple[int, str]], keys: Collection[str]
    ) -> Standing:
        """Return who of those is still a member, and which keys are still active."""
        async with Snapshot(self.database) as snapshot:
            return Standing(
                roles=await standing.roles(snapshot, memberships),
                keys=await standing.active_keys(snapshot, keys, SystemClock().now()),
            )

    async def ready(self) -> None:
        """Raise where the database is away, or not at the revision that this code needs."""
        async with Snapshot(self.database) as snapshot:
            found = await snapshot.fetch(REVISION)
        if [row["version_num"] for row in found] != [self._revision]:
            raise ServiceUnavailable("The database has not been migrated to this version.")


def create_app(settings: Settings) -> Starlette:
    """Return the gateway that the settings describe. Raises ConfigurationError.

    The database must have been migrated (`gateway serve` does so before).
    """
    clock = SystemClock()
    stored_keys = StoredKeys(lambda: runtime.database, clock)
    authenticator = open_authenticator(settings, clock, stored_keys.find)
    runtime = _Runtime(settings, authenticator)
    signer = Signer(parse_signing_keys(_signing_keys(settings)))
    links = Links(signer, clock, base_url=settings.base_url, seconds=settings.link_seconds)

    @asynccontextmanager
    async def context_for(principal: Principal, request_id: str) -> AsyncIterator[Context]:
        async with Snapshot(runtime.database) as snapshot:
            yield make_context(
                principal=principal,
                snapshot=snapshot,
                clock=clock,
                signer=signer,
                links=links,
                usage_delay_seconds=settings.usage_delay_seconds,
                request_id=request_id,
            )

    receipts = Receipts(
        authenticator=authenticator,
        database=lambda: runtime.database,
        links=links,
        printer=runtime.printer,
    )
    parts = Parts(
        schema=build_schema(federation=settings.federation),
        authenticator=authenticator,
        context_for=context_for,
        live=Live(
            hub=runtime.hub,
            open_source=open_source,
            read_standing=runtime.read_standing,
            clock=clock,
        ),
        ready=runtime.ready,
        running=runtime.running,
        describe=_describe,
        examples=read_examples(),
        people=lambda: read_people(settings.data_dir / TOKENS_FILE),
        routes=[
            Route(RECEIPT_PATH, receipts.serve),
            *_platform_routes(settings, runtime, authenticator, clock),
            *_stripe_routes(settings, runtime, clock),
        ],
    )
    return build_app(settings, parts)


def _platform_routes(
    settings: Settings, runtime: _Runtime, authenticator: OwnAuthenticator, clock: Clock
) -> list[Route]:
    platform = Platform(
        database=lambda: runtime.database,
        authenticator=authenticator,
        clock=clock,
        keys=KeyFactory(clock),
        body_bytes=settings.usage_body_bytes,
        body_seconds=settings.http_body_seconds,
    )
    return platform_routes(
        platform, late_days=settings.usage_late_days, body_bytes=settings.http_body_bytes
    )


def _stripe_routes(settings: Settings, runtime: _Runtime, clock: Clock) -> list[Route]:
    """Return the webhook's route, where there is a secret to verify it with."""
    if settings.stripe_webhook_secrets is None:
        return []
    runtime.inbox = Inbox(
        lambda: runtime.database,
        clock,
        secrets=parse_secrets(settings.stripe_webhook_secrets.get_secret_value()),
        test_mode=_or_dev(settings.stripe_test_mode, settings),
    )
    webhook = StripeWebhook(take=runtime.inbox.receive, body_seconds=settings.http_body_seconds)
    return [Route(STRIPE_PATH, webhook.serve, methods=["POST"])]


def _describe(context: Context) -> Mapping[str, object]:
    return {"statements": context.snapshot.statements}


def _signing_keys(settings: Settings) -> str:
    if settings.signing_keys is not None:
        return settings.signing_keys.get_secret_value()
    return dev_signing_keys(settings.data_dir)


def build_app(settings: Settings, parts: Parts) -> Starlette:
    """Return the application; `app.state` has its `drain`, `metrics` and `desk`."""
    drain, metrics = Drain(), Metrics()
    engine = _build_engine(settings, parts.schema)
    desk = _build_desk(settings, parts, engine)
    metrics.watch(sockets=desk.admission.sockets.total, subscriptions=desk.admission.total)
    routes = _build_routes(settings, parts, desk, drain, metrics)
    live = WebSocketEndpoint(
        desk=desk,
        authenticator=parts.authenticator,
        clock=parts.live.clock,
        origins=settings.origins,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with parts.running(), desk.watch.running():
            yield

    app = Starlette(
        routes=[*routes, WebSocketRoute("/graphql", live)],
        middleware=_build_middleware(settings, routes, drain, metrics),
        exception_handlers={HTTPException: http_error},
        lifespan=lifespan,
    )
    app.state.drain, app.state.metrics, app.state.desk = drain, metrics, desk
    return app


def _build_engine(settings: Settings, schema: strawberry.Schema) -> Engine:
    limits = Limits(
        source_length=settings.document_length,
        tokens=settings.document_tokens,
        comments=settings.document_comments,
        depth=settings.document_depth,
        introspection_depth=settings.document_introspection_depth,
        aliases=settings.document_aliases,
        directives=settings.document_directives,
        operations=settings.document_operations,
        variables=settings.document_variables,
        fragments=settings.document_fragments,
    )
    return Engine(
        schema,
        limits=limits,
        deadline_seconds=settings.operation_seconds,
        suggestions=_or_dev(settings.introspection, settings),
    )


def _build_desk(settings: Settings, parts: Parts, engine: Engine) -> Desk:
    limits = LiveLimits(
        init_seconds=settings.live_init_seconds,
        messages_per_second=settings.live_messages_per_second,
        unauthenticated_sockets=settings.live_unauthenticated_sockets,
        sockets=settings.live_sockets,
        socket_operations=settings.live_socket_operations,
        subscriptions=settings.live_subscriptions,
        process_subscriptions=settings.live_process_subscriptions,
        heartbeat_seconds=settings.live_heartbeat_seconds,
        leeway_seconds=settings.jwt_leeway_seconds,
    )
    return Desk(
        engine=engine,
        context_for=parts.context_for,
        open_source=parts.live.open_source,
        hub=parts.live.hub,
        admission=Admission(limits),
        watch=Watch(parts.live.read_standing, settings.live_recheck_seconds),
        introspection=_or_dev(settings.introspection, settings),
    )


def _build_routes(
    settings: Settings, parts: Parts, desk: Desk, drain: Drain, metrics: Metrics
) -> list[Route]:
    dev = settings.environment == "dev"
    token = settings.metrics_token
    health = Health(
        drain=drain,
        metrics=metrics,
        ready=parts.ready,
        metrics_token=token.get_secret_value() if token else None,
    )
    graphql = GraphQLEndpoint(
        engine=desk.engine,
        authenticator=parts.authenticator,
        context_for=parts.context_for,
        describe=parts.describe,
        introspection=_or_dev(settings.introspection, settings),
        body_bytes=settings.http_body_bytes,
        body_seconds=settings.http_body_seconds,
    )
    stream = StreamEndpoint(
        http=graphql,
        desk=desk,
        drain=drain,
        clock=parts.live.clock,
        unread_seconds=settings.live_unread_seconds,
    )
    routes = [
        Route("/graphql", graphql),
        Route("/graphql/stream", stream),
        Route("/livez", livez),
        Route("/readyz", health.readyz),
        Route("/metrics", health.read_metrics),
        *parts.routes,
    ]
    if _or_dev(settings.graphiql, settings):
        routes += graphiql_routes(parts.examples, parts.people, dev=dev)
        routes.append(Route("/", to_graphiql))
    return routes


def _build_middleware(
    settings: Settings, routes: Sequence[Route], drain: Drain, metrics: Metrics
) -> list[Middleware]:
    """Return what a request passes, the outermost first."""
    paths = frozenset(route.path for route in routes if not route.param_convertors)
    return [
        Middleware(RecordMiddleware, metrics=metrics, paths=paths),
        Middleware(AnswerHeadersMiddleware, dev=settings.environment == "dev"),
        Middleware(
            HeadLimitsMiddleware,
            max_bytes=settings.http_header_bytes,
            max_headers=settings.http_header_count,
        ),
        Middleware(AllowedHostsMiddleware, hosts=settings.hosts),
        Middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=("GET", "POST"),
            allow_headers=("authorization", "content-type", "x-request-id"),
            expose_headers=("x-request-id", "retry-after"),
        ),
        Middleware(DrainMiddleware, drain=drain),
        Middleware(AttemptsMiddleware, per_minute=settings.failed_credentials_per_minute),
    ]


def _or_dev(choice: bool | None, settings: Settings) -> bool:
    return settings.environment == "dev" if choice is None else choice
