"""`POST /v1/usage-events`: usage from meters."""

from typing import ClassVar

from starlette.responses import Response
from starlette.types import Scope

from gateway.audit.deeds import Deed
from gateway.billing.usage.ingestion import ingest
from gateway.http.request_log import record_of
from gateway.http.responses import encoded_response
from gateway.principal import Actor, Permission, Principal
from gateway.routes.bodies.usage_batch import read_batch
from gateway.routes.bodies.usage_items import ItemReader, answer_of
from gateway.routes.descriptions.usage_events import POST_USAGE_EVENTS
from gateway.routes.platform_endpoint import Platform, PlatformEndpoint, media_type_of


class UsageEventsEndpoint(PlatformEndpoint):
    """Books a batch in one transaction; what became of each item stands in the answer.

    An event is known by its account, source and id: sent again it is a duplicate, with other
    content a CONFLICT.
    """

    OPERATION: ClassVar = POST_USAGE_EVENTS
    DEED: ClassVar = Deed.USAGE_RECORDED

    def __init__(self, platform: Platform, *, late_days: int) -> None:
        super().__init__(platform)
        self.late_days = late_days

    @property
    def body_bytes(self) -> int:
        return self.platform.limits.usage_body_bytes

    async def answer(
        self, principal: Principal, scope: Scope, body: bytes, details: dict[str, object]
    ) -> Response:
        reader = ItemReader()
        values = await read_batch(
            body, media_type_of(scope), limit=self.platform.limits.usage_batch_events
        )
        await self.platform.quotas.points.take_items(principal.quota_key, len(values))
        items = await reader.read(values)
        result = await ingest(
            self.platform.database,
            items,
            actor=Actor.of(principal, record_of(scope).request_id),
            clock=self.platform.clock,
            keys=self.platform.keys,
            late_days=self.late_days,
            usage_delay_seconds=self.platform.usage_delay_seconds,
            may_credit=bool(principal.scopes & {Permission.CREDITS_WRITE, Permission.ADMIN}),
        )
        result.rejected += reader.rejected
        details |= {
            "accepted": result.accepted,
            "duplicates": result.duplicates,
            "rejected": len(result.rejected),
        }
        return encoded_response(await answer_of(result), status=200)
