"""The parts of a gateway, as `gateway/app.py` builds them: the resources that a process has open,
and what requests are served with.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field

import strawberry
from prometheus_client.registry import Collector
from starlette.routing import Route

from gateway.audit.buffer import AuditBuffer
from gateway.auth.authenticator import Authenticator
from gateway.auth.key_store import KeyUse
from gateway.clock import Clock, SystemClock
from gateway.dev.demo.meter import Meter
from gateway.execution.trusted_documents import TrustedDocuments
from gateway.http.credentials import CredentialChecker
from gateway.http.request_log import Note, note_nothing
from gateway.http.static_files import StaticFiles
from gateway.live.access import ReadAccess
from gateway.live.changes import open_change_listener
from gateway.live.hub import Hub
from gateway.live.reader import LiveReader
from gateway.providers.stripe.inbox import Inbox
from gateway.quotas import Quotas
from gateway.receipts.pdf import ReceiptPrinter
from gateway.routes.console import DevPerson
from gateway.server.drain import Drain
from gateway.settings import Settings
from gateway.store import Database
from gateway.transports.feeds import ContextFactory
from gateway.transports.operations import Describe, describe_nothing
from gateway.work.loops import Loops
from gateway.work.worker import Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts that requests are served with.

    `running` is entered while the process serves: it opens the database and closes it. `people` are
    the demo's, read in dev only.
    """

    schema: strawberry.Schema
    authenticator: CredentialChecker
    context_for: ContextFactory
    hub: Hub
    quotas: Quotas
    read_access: ReadAccess
    ready: Callable[[], Awaitable[None]]
    running: Callable[[], AbstractAsyncContextManager[None]]
    clock: Clock = field(default_factory=SystemClock)
    drain: Drain = field(default_factory=Drain)
    loops: Loops = field(default_factory=Loops)
    describe: Describe = describe_nothing
    note: Note = note_nothing
    files: StaticFiles
    trusted: TrustedDocuments = field(default_factory=TrustedDocuments)
    people: Callable[[], Sequence[DevPerson]] = tuple
    routes: Sequence[Route] = ()
    metrics: Sequence[Collector] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """The resources that one process has open while it serves."""

    settings: Settings
    clock: Clock
    database: Database
    reader: LiveReader
    hub: Hub
    quotas: Quotas
    authenticator: Authenticator
    key_use: KeyUse
    audit: AuditBuffer
    printer: ReceiptPrinter
    inbox: Inbox | None
    loops: Loops
    worker: Worker
    meter: Meter | None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open everything, and close it at the end."""
        database = self.database
        await database.open()
        self.authenticator.begin()
        try:
            async with (
                self.hub.running(
                    open_change_listener(self.settings, database, self.loops),
                    self.reader.revisions,
                ),
                self.worker.running(),
                self.inbox.counting(self.loops) if self.inbox else nullcontext(),
                self.key_use.writing(),
                self.audit.writing(),
                self.meter.running(database) if self.meter else nullcontext(),
            ):
                yield
        finally:
            self.printer.close()
            await self.authenticator.aclose()
            await self.quotas.aclose()
            await database.close()
