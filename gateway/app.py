"""The composition root: every part is made here, once, and handed to what needs it."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.routing import Route

from gateway.auth.authenticator import Authenticator as OwnAuthenticator
from gateway.auth.authenticator import Issuer, configured_issuer, open_authenticator
from gateway.auth.key_store import KeyUse, StoredKeys
from gateway.billing.balance import low_balance_sweep
from gateway.clock import Clock, SystemClock
from gateway.dev.demo.meter import Meter
from gateway.dev.keys import dev_signing_keys
from gateway.dev.people import read_people
from gateway.dev.tokens import dev_issuer
from gateway.edge import Live, Parts, build_app
from gateway.errors import ConfigurationError, ServiceUnavailable
from gateway.execution.trusted_documents import TrustedDocuments, read_manifest
from gateway.http.static_files import Built
from gateway.ids import KeyFactory
from gateway.links import RECEIPT_PATH, Links
from gateway.live.access import CurrentAccess
from gateway.live.changes import open_change_listener
from gateway.live.hub import Hub
from gateway.migrations import head, is_at
from gateway.observability.metrics import Number
from gateway.principal import Principal
from gateway.providers.stripe import inbox
from gateway.providers.stripe.inbox import Inbox
from gateway.providers.stripe.signature import parse_secrets
from gateway.quotas import ExportPlaces
from gateway.receipts.pdf import ReceiptPrinter
from gateway.routes.exports import ExportParts, export_routes
from gateway.routes.openapi.route import DescribedRoute
from gateway.routes.openapi.surface import STRIPE_PATH
from gateway.routes.platform_endpoint import Platform
from gateway.routes.receipts import Receipts
from gateway.routes.v1 import platform_routes
from gateway.routes.webhooks import StripeWebhook, refuse_unsigned
from gateway.server.drain import Drain
from gateway.settings import Settings
from gateway.signing import Signer, parse_signing_keys
from gateway.store import Database, Snapshot, access, build_database
from gateway.store.announcements import revisions
from gateway.work.loops import Loops
from gateway.work.numbers import work_numbers
from gateway.work.tasks import Tasks
from gateway.work.worker import Worker
from resolvers.context import Context, make_context
from resolvers.schema import build_schema
from resolvers.sources import open_source


class _Runtime:
    """What is open while the process serves."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        authenticator: OwnAuthenticator,
        key_use: KeyUse,
    ) -> None:
        self._settings = settings
        self.database = database
        self._authenticator = authenticator
        self._key_use = key_use
        self.printer = ReceiptPrinter()
        self.hub = Hub()
        self.inbox: Inbox | None = None
        self.loops = Loops()
        self.tasks = Tasks()
        self.worker = _worker(settings, self)
        self.meter: Meter | None = None
        self.quiet_keys: set[str] = set()
        self._revision = head()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        database = self.database
        await database.open()

        async def read_revisions(account_ids: Collection[int]) -> Mapping[int, int]:
            async with Snapshot(database) as snapshot:
                return await revisions(snapshot, account_ids)

        self._authenticator.begin()
        try:
            async with (
                self.hub.running(open_change_listener(self._settings, database), read_revisions),
                self.worker.running(),
                self._counting_parked(),
                self._key_use.writing(),
                self.meter.running(database) if self.meter else nullcontext(),
            ):
                yield
        finally:
            self.printer.close()
            await self._authenticator.aclose()
            await database.close()

    def _counting_parked(self) -> AbstractAsyncContextManager[None]:
        if self.inbox is None:
            return nullcontext()
        count, seconds = self.inbox.count, inbox.COUNT_SECONDS
        return self.loops.make("stripe.count_parked", count, seconds=seconds).running()

    async def read_access(
        self, memberships: Collection[tuple[int, str]], keys: Collection[str]
    ) -> CurrentAccess:
        """Return who of those is still a member, and which keys are still active."""
        async with Snapshot(self.database) as snapshot:
            return CurrentAccess(
                roles=await access.roles(snapshot, memberships),
                keys=await access.active_keys(snapshot, keys, SystemClock().now()),
            )

    async def ready(self) -> None:
        """Raise where the database is away, or not at the revision that this code needs."""
        async with Snapshot(self.database) as snapshot:
            if not await is_at(snapshot, self._revision):
                raise ServiceUnavailable("The database has not been migrated to this version.")


def create_app(settings: Settings, *, metering: bool = False) -> Starlette:
    """Return the gateway that the settings describe. Raises ConfigurationError.

    The database must have been migrated (`gateway serve` does so before). `metering` lets the
    demo's meter run beside it, in dev alone.
    """
    clock = SystemClock()
    database = build_database(settings)
    stored_keys = StoredKeys(database, clock)
    key_use = KeyUse(database, clock)
    issuer = issuer_of(settings, clock)
    authenticator = open_authenticator(settings.auth, issuer, clock, stored_keys.find, key_use.note)
    runtime = _Runtime(settings, database, authenticator, key_use)
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

    built = Built()
    parts = Parts(
        schema=build_schema(federation=settings.federation),
        authenticator=authenticator,
        context_for=context_for,
        live=_live(runtime, clock),
        ready=runtime.ready,
        running=runtime.running,
        describe=_describe,
        built=built,
        trusted=_trusted(settings, built),
        people=lambda: read_people(settings.data_dir, clock),
        routes=[
            _receipt_route(runtime, authenticator, links),
            *_export_routes(settings, runtime, authenticator, links),
            *_platform_routes(settings, runtime, authenticator, clock),
            *_stripe_routes(settings, runtime, clock),
        ],
        undescribed=[]
        if settings.stripe.webhook_secrets
        else [Route(STRIPE_PATH, refuse_unsigned, methods=["POST"])],
        numbers=_numbers(settings, runtime),
    )
    low_balance_sweep.register(runtime.tasks, runtime.database, clock, settings.usage_delay_seconds)
    app = build_app(settings, parts)
    app.state.drain.on_begin.append(runtime.worker.stop)
    if metering:
        runtime.meter = _meter(settings, runtime, clock, app.state.drain)
    return app


def issuer_of(settings: Settings, clock: Clock) -> Issuer:
    """Return the issuer of the tokens that are accepted. Raises ConfigurationError."""
    if settings.environment == "dev":
        return dev_issuer(settings.data_dir)
    return configured_issuer(settings.auth, clock)


def _worker(settings: Settings, runtime: _Runtime) -> Worker:
    return Worker(
        runtime.database,
        runtime.tasks,
        keys=KeyFactory(SystemClock()),
        loops=runtime.loops,
        settings=settings.work,
        grace_seconds=settings.stop_grace_seconds,
    )


def _live(runtime: _Runtime, clock: Clock) -> Live:
    return Live(
        hub=runtime.hub,
        open_source=open_source,
        read_access=runtime.read_access,
        clock=clock,
    )


def _meter(settings: Settings, runtime: _Runtime, clock: Clock, drain: Drain) -> Meter:
    if settings.environment != "dev" or not settings.port:
        raise ConfigurationError("The demo's meter runs in dev, and where the port is known.")
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # nothing listens there
    host = everywhere.get(settings.host, settings.host)
    pepper = settings.auth.api_key_pepper
    return Meter(
        address=f"http://[{host}]:{settings.port}"
        if ":" in host
        else f"http://{host}:{settings.port}",
        host=settings.hosts[0].replace("*", "meter"),
        clock=clock,
        pepper=pepper.get_secret_value().encode() if pepper else None,
        stopping=lambda: drain.stopping,
        quiet_keys=runtime.quiet_keys,
    )


def _platform_routes(
    settings: Settings, runtime: _Runtime, authenticator: OwnAuthenticator, clock: Clock
) -> list[DescribedRoute]:
    platform = Platform(
        database=runtime.database,
        authenticator=authenticator,
        clock=clock,
        keys=KeyFactory(clock),
        body_bytes=settings.http.usage_body_bytes,
        body_seconds=settings.http.body_seconds,
        usage_delay_seconds=settings.usage_delay_seconds,
        quiet_keys=runtime.quiet_keys,
    )
    return platform_routes(
        platform,
        late_days=settings.usage_late_days,
        batch_events=settings.http.usage_batch_events,
        body_bytes=settings.http.body_bytes,
    )


def _receipt_route(
    runtime: _Runtime, authenticator: OwnAuthenticator, links: Links
) -> DescribedRoute:
    receipts = Receipts(
        authenticator=authenticator,
        database=runtime.database,
        links=links,
        printer=runtime.printer,
    )
    return DescribedRoute(RECEIPT_PATH, receipts.serve)


def _export_routes(
    settings: Settings, runtime: _Runtime, authenticator: OwnAuthenticator, links: Links
) -> list[DescribedRoute]:
    return export_routes(
        ExportParts(
            database=runtime.database,
            authenticator=authenticator,
            links=links,
            clock=SystemClock(),
            places=ExportPlaces(settings.exports),
            seconds=settings.exports.seconds,
            unread_seconds=settings.exports.unread_seconds,
        )
    )


def _numbers(settings: Settings, runtime: _Runtime) -> Sequence[Collector]:
    numbers = work_numbers(runtime.worker, runtime.loops)
    if settings.stripe.webhook_secrets is None:
        return numbers
    return [
        *numbers,
        Number(
            name="gateway_stripe_parked_payments",
            text="Payments of which something waits: for its account, another event, or a person.",
            read=lambda: runtime.inbox.parked if runtime.inbox else 0,
        ),
    ]


def _stripe_routes(settings: Settings, runtime: _Runtime, clock: Clock) -> list[DescribedRoute]:
    """Return the webhook's route, where there is a secret to verify it with."""
    if settings.stripe.webhook_secrets is None:
        return []
    runtime.inbox = Inbox(
        runtime.database,
        clock,
        secrets=parse_secrets(settings.stripe.webhook_secrets.get_secret_value()),
        test_mode=settings.or_dev(settings.stripe.test_mode),
        usage_delay_seconds=settings.usage_delay_seconds,
    )
    runtime.inbox.register(runtime.tasks)
    webhook = StripeWebhook(take=runtime.inbox.receive, body_seconds=settings.http.body_seconds)
    return [DescribedRoute(STRIPE_PATH, webhook.serve)]


def _trusted(settings: Settings, built: Built) -> TrustedDocuments:
    """Return the documents of the page's manifest and of the operator's."""
    paths = [path for path in (built.manifest, settings.documents.trusted_documents) if path]
    manifest = {name: text for path in paths for name, text in read_manifest(path).items()}
    if settings.documents.trusted_only and not manifest:
        raise ConfigurationError("GATEWAY_TRUSTED_ONLY: there is no document that is trusted.")
    return TrustedDocuments(manifest=manifest, only=settings.documents.trusted_only)


def _describe(context: Context) -> Mapping[str, object]:
    return {"statements": context.snapshot.statements}


def _signing_keys(settings: Settings) -> str:
    if settings.signing_keys is not None:
        return settings.signing_keys.get_secret_value()
    return dev_signing_keys(settings.data_dir)
