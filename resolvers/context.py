"""The context of resolvers, `info.context`: the principal, the reads of one operation, and the
loaders.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

import strawberry

from gateway.billing.usage.saved_views import SavedViews
from gateway.clock import Clock
from gateway.execution.plan.columns import ReadColumns, ReadRelations
from gateway.execution.runner import PlannedContext
from gateway.links import Links
from gateway.principal import Principal
from gateway.signing import Signer
from gateway.store import Database, Snapshot
from gateway.waves import Wave
from loaders.operation import Loaders


@dataclass(slots=True, kw_only=True)  # `frozen` doubles what it takes to make one
class Context(PlannedContext):
    """Made for one operation, or for one event of a subscription, and never kept longer: leaving it
    ends its reads. `now` is the one instant of all its fields, so that no two have different days.
    """

    principal: Principal
    snapshot: Snapshot
    now: datetime
    signer: Signer
    links: Links
    usage_delay_seconds: int
    saved_views: SavedViews
    request_id: str
    loaders: Loaders

    @property
    def wave(self) -> Wave:
        return self.snapshot.wave

    @property
    def reads(self) -> int:
        return self.snapshot.reads

    @property
    def statements(self) -> int:
        return self.snapshot.statements

    @property
    def is_cut_short(self) -> bool:
        return self.snapshot.is_cut_short

    def begin(self, *, reads_once: bool) -> None:
        self.snapshot.begin(reads_once=reads_once)
        self.loaders.begin()

    def want(self, columns: ReadColumns, relations: ReadRelations) -> None:
        self.loaders.columns = columns
        self.loaders.relations = relations

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.snapshot.close()


Info = strawberry.Info[Context, None]


def make_context(
    *,
    principal: Principal,
    snapshot: Snapshot,
    clock: Clock,
    signer: Signer,
    links: Links,
    usage_delay_seconds: int,
    saved_views: SavedViews,
    request_id: str,
) -> Context:
    """Return a context with empty loaders."""
    return Context(
        principal=principal,
        snapshot=snapshot,
        now=clock.now(),
        signer=signer,
        links=links,
        usage_delay_seconds=usage_delay_seconds,
        saved_views=saved_views,
        request_id=request_id,
        loaders=Loaders(snapshot, principal),
    )


def context_factory(
    database: Database,
    *,
    clock: Clock,
    signer: Signer,
    links: Links,
    usage_delay_seconds: int,
) -> Callable[[Principal, str], Context]:
    """Return the function that makes the context of a principal's operation, by the request's id,
    with a snapshot of its own.
    """
    views = SavedViews(database, clock)

    def make(principal: Principal, request_id: str) -> Context:
        return make_context(
            principal=principal,
            snapshot=Snapshot(database, principal),
            clock=clock,
            signer=signer,
            links=links,
            usage_delay_seconds=usage_delay_seconds,
            saved_views=views,
            request_id=request_id,
        )

    return make
