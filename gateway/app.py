"""The composition root: makes every part once and hands it to those that need it.

Nothing is open before the lifespan: it opens the database, runs what works beside the requests, and
closes everything at the end.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from gateway.audit import retention
from gateway.audit.buffer import AuditBuffer
from gateway.auth.authenticator import Issuer, configured_issuer, open_authenticator
from gateway.auth.key_store import KeyUse, StoredKeys
from gateway.billing import periodic
from gateway.clock import Clock, SystemClock
from gateway.dev.demo.meter import Meter, build_meter
from gateway.dev.keys import dev_signing_keys
from gateway.dev.people import read_people
from gateway.dev.tokens import dev_issuer
from gateway.execution.engine import Engine
from gateway.execution.trusted_documents import trusted_documents
from gateway.http.audited_requests import AuditedRequests
from gateway.http.request_log import RequestLog, RequestRecord
from gateway.http.responses import http_error
from gateway.http.static_files import StaticFiles
from gateway.ids import KeyFactory
from gateway.links import Links
from gateway.live.access import AccessCheck
from gateway.live.hub import Hub
from gateway.live.reader import LiveReader
from gateway.migrations import readiness_check
from gateway.observability.metrics import Metrics
from gateway.parts import Parts, Process
from gateway.providers.stripe.inbox import build_inbox
from gateway.quotas import build_quotas
from gateway.receipts.pdf import ReceiptPrinter
from gateway.routes.archive import DocumentsExport
from gateway.routes.console import build_console
from gateway.routes.documents import Documents, document_routes
from gateway.routes.exports import Exports, export_routes
from gateway.routes.health import Health, health_routes
from gateway.routes.openapi.route import DescribedRoute
from gateway.routes.openapi.serving import openapi_route
from gateway.routes.platform_endpoint import Platform
from gateway.routes.v1 import platform_routes
from gateway.routes.webhooks import stripe_metrics, stripe_route
from gateway.server.direct import Application, DirectRoute
from gateway.server.drain import Drain
from gateway.server.edge import Edge
from gateway.server.middleware import build_middleware, wrapped_sockets
from gateway.settings import Settings
from gateway.signing import Signer, parse_signing_keys
from gateway.store import build_database
from gateway.transports.costs import OperationCosts
from gateway.transports.http import ALLOWED, PATH, GraphQLEndpoint
from gateway.transports.metrics import live_metrics, load_metrics
from gateway.transports.operations import Operations
from gateway.transports.sse import StreamEndpoint
from gateway.transports.websocket import WebSocketEndpoint
from gateway.work.loops import Loops
from gateway.work.metrics import work_metrics
from gateway.work.outbox import Outbox
from gateway.work.tasks import Tasks
from gateway.work.worker import Worker
from resolvers.context import Context, context_factory
from resolvers.schema import build_schema


def create_app(settings: Settings, *, metering: bool = False) -> Starlette:
    """Return the gateway that the settings describe. Raises ConfigurationError.

    The database must have been migrated (`gateway serve` does so before). `metering` runs the
    demo's meter beside it, in dev only.
    """
    clock, drain, files = SystemClock(), Drain(), StaticFiles()
    keys = settings.signing_keys
    signer = Signer(
        parse_signing_keys(keys.get_secret_value() if keys else dev_signing_keys(settings.data_dir))
    )
    links = Links(signer, clock, base_url=settings.base_url, seconds=settings.link_seconds)
    loops = Loops()
    meter = build_meter(settings, clock, drain, loops) if metering else None
    process = _build_process(settings, clock, loops, meter=meter)
    drain.on_begin.append(process.worker.stop)

    parts = Parts(
        schema=build_schema(federation=settings.federation),
        authenticator=process.authenticator,
        context_for=context_factory(
            process.database,
            clock=clock,
            signer=signer,
            links=links,
            usage_delay_seconds=settings.usage_delay_seconds,
        ),
        hub=process.hub,
        quotas=process.quotas,
        read_access=process.reader.access,
        ready=readiness_check(process.database),
        running=process.running,
        clock=clock,
        drain=drain,
        loops=process.loops,
        describe=_describe,
        files=files,
        trusted=trusted_documents(
            (files.manifest, settings.documents.trusted_documents),
            only=settings.documents.trusted_only,
        ),
        note=AuditedRequests(process.audit).note,
        people=partial(read_people, settings.data_dir, clock),
        routes=_rest_routes(process, links),
        metrics=[
            *work_metrics(process.worker, process.loops),
            *process.audit.metrics(),
            *(stripe_metrics(process.inbox) if process.inbox else ()),
        ],
    )
    return build_app(settings, parts)


def _describe(context: Context, record: RequestRecord) -> None:
    record.details["statements"] = context.snapshot.statements
    record.accounts = context.loaders.accounts


def build_app(settings: Settings, parts: Parts) -> Starlette:
    """Return the application; `app.state` has `drain`, `metrics`, `operations`, `request_log`."""
    metrics = Metrics()
    operations = _build_operations(settings, parts, metrics)
    metrics.watch(
        *live_metrics(operations.hub, operations.quotas.live),
        *load_metrics(operations.quotas),
        *parts.metrics,
    )
    graphql = GraphQLEndpoint(
        operations=operations,
        authenticator=parts.authenticator,
        limits=settings.http,
    )
    request_log = RequestLog(metrics, note=parts.note)
    routes = _build_routes(settings, parts, graphql, metrics)
    socket = WebSocketEndpoint(
        operations=operations,
        authenticator=parts.authenticator,
        failures=parts.quotas.failures,
        clock=parts.clock,
        origins=settings.origins,
        request_log=request_log,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with parts.running(), operations.access.running():
            yield

    request_log.paths = frozenset(route.path for route in routes if not route.param_convertors)
    edge = Edge.of(
        settings,
        request_log=request_log,
        drain=parts.drain,
        quotas=parts.quotas,
    )
    app = Application(
        DirectRoute(path=PATH, methods=frozenset(ALLOWED), responder=graphql, edge=edge),
        sockets=wrapped_sockets(socket, edge),
        routes=routes,
        middleware=build_middleware(edge),
        exception_handlers={HTTPException: http_error},
        lifespan=lifespan,
    )
    app.state.drain, app.state.metrics, app.state.operations = parts.drain, metrics, operations
    app.state.request_log = request_log
    return app


def issuer_of(settings: Settings, clock: Clock) -> Issuer:
    """Return the issuer of accepted tokens. Raises ConfigurationError."""
    if settings.environment == "dev":
        return dev_issuer(settings.data_dir)
    return configured_issuer(settings.auth, clock)


def _build_process(
    settings: Settings, clock: Clock, loops: Loops, *, meter: Meter | None
) -> Process:
    database = build_database(settings)
    key_use, tasks, keys = KeyUse(database, clock, loops), Tasks(), KeyFactory(clock)
    worker = Worker(
        database,
        tasks,
        keys=keys,
        loops=loops,
        settings=settings.work,
        grace_seconds=settings.stop_grace_seconds,
    )
    inbox = build_inbox(settings, database, clock)
    if inbox is not None:
        inbox.background.register(tasks)
    outbox = Outbox(keys, worker.wake)
    periodic.register(
        tasks,
        database,
        clock,
        outbox,
        usage_delay_seconds=settings.usage_delay_seconds,
        issues_statements=settings.seller.issues_statements,
    )
    retention.register(tasks, database, clock, settings.audit)
    return Process(
        settings=settings,
        clock=clock,
        database=database,
        reader=LiveReader(database, clock),
        hub=Hub(),
        quotas=build_quotas(settings),
        authenticator=open_authenticator(
            settings.auth,
            issuer_of(settings, clock),
            clock,
            StoredKeys(database, clock).find,
            key_use.record,
        ),
        key_use=key_use,
        audit=AuditBuffer(database, clock, loops),
        printer=ReceiptPrinter(),
        inbox=inbox,
        loops=loops,
        worker=worker,
        meter=meter,
    )


def _build_operations(settings: Settings, parts: Parts, metrics: Metrics) -> Operations:
    introspection = settings.or_dev(settings.introspection)
    engine = Engine(
        parts.schema,
        limits=settings.documents,
        deadline_seconds=settings.documents.operation_seconds,
        suggestions=introspection,
        trusted=parts.trusted,
        count_deprecated=metrics.count_deprecated,
        count_fallback=metrics.count_fallback,
    )
    return Operations(
        engine=engine,
        context_for=parts.context_for,
        hub=parts.hub,
        limits=settings.live,
        quotas=parts.quotas,
        costs=OperationCosts(parts.quotas.points),
        access=AccessCheck(parts.read_access, settings.live.recheck_seconds, parts.loops),
        introspection=introspection,
        leeway_seconds=settings.auth.jwt_leeway_seconds,
        describe=parts.describe,
    )


def _build_routes(
    settings: Settings, parts: Parts, graphql: GraphQLEndpoint, metrics: Metrics
) -> list[Route]:
    stream = StreamEndpoint(
        http=graphql,
        operations=graphql.operations,
        drain=parts.drain,
        clock=parts.clock,
        unread_seconds=settings.live.unread_seconds,
    )
    token = settings.metrics_token
    health = Health(
        drain=parts.drain,
        metrics=metrics,
        ready=parts.ready,
        metrics_token=token.get_secret_value() if token else None,
        behind_proxy=bool(settings.trusted_proxies),
    )
    rest = [*health_routes(health), *parts.routes]
    described = [route for route in rest if isinstance(route, DescribedRoute)]
    return [
        Route(PATH, graphql),
        Route("/graphql/stream", stream),
        *build_console(settings, parts.files, parts.people).routes(),
        *rest,
        openapi_route(described, settings),
    ]


def _rest_routes(process: Process, links: Links) -> list[Route]:
    """Return the routes of the platform, of files, and of Stripe's webhook."""
    settings, database, clock = process.settings, process.database, process.clock
    platform = Platform(
        database=database,
        authenticator=process.authenticator,
        clock=clock,
        keys=KeyFactory(clock),
        limits=settings.http,
        quotas=process.quotas,
        usage_delay_seconds=settings.usage_delay_seconds,
        quiet_keys=process.meter.quiet_keys if process.meter else (),
    )
    documents = Documents(
        authenticator=process.authenticator,
        database=database,
        links=links,
        printer=process.printer,
        quotas=process.quotas,
    )
    exports = Exports(
        database=database,
        authenticator=process.authenticator,
        links=links,
        clock=clock,
        quota=process.quotas.exports,
        principal_quota=process.quotas.principal_exports,
        reads=process.quotas.gates.reads,
        points=process.quotas.points,
        limits=settings.exports,
    )
    return [
        *document_routes(documents),
        *export_routes(exports),
        DescribedRoute(DocumentsExport.PATH, DocumentsExport(exports, process.printer)),
        *platform_routes(platform, late_days=settings.usage_late_days),
        stripe_route(process.inbox, settings.http, process.quotas),
    ]
