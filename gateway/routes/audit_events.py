"""`GET /v1/audit-events`: who did what, newest first."""

from typing import ClassVar, Final

from starlette.responses import Response
from starlette.types import Scope

from gateway.audit.listing import FILTERS, answer_fields, event_id, key_of, read_filter
from gateway.http.query import parse_query, read_limit, refuse_unknown
from gateway.http.responses import json_response
from gateway.ids import MAX_KEY
from gateway.principal import Principal
from gateway.routes.bodies.audit_events import ActorAnswer, AuditEventAnswer, AuditEventsAnswer
from gateway.routes.descriptions.audit_events import LIST_AUDIT_EVENTS
from gateway.routes.platform_endpoint import PlatformEndpoint
from gateway.store import Snapshot, audit_events
from gateway.store.audit_events import AuditEventRow

DEFAULT_LIMIT: Final = 100
MOST: Final = 1_000


class AuditEventsEndpoint(PlatformEndpoint):
    """Lists audit events page by page, newest first."""

    OPERATION: ClassVar = LIST_AUDIT_EVENTS

    async def answer(
        self, principal: Principal, scope: Scope, body: bytes, details: dict[str, object]
    ) -> Response:
        parameters = parse_query(scope["query_string"].decode("latin-1"))
        refuse_unknown(parameters, (*FILTERS, "after", "limit"))
        limit = read_limit(parameters, default=DEFAULT_LIMIT, most=MOST)
        after = parameters.get("after")
        wanted = read_filter(parameters, before=MAX_KEY if after is None else key_of(after))
        async with Snapshot(self.platform.database, principal) as snapshot:
            # One more row than is listed: it says whether there is a next page.
            rows = await audit_events.page(snapshot, principal, wanted, limit=limit + 1)
        listed = [_answer_of(row) for row in rows[:limit]]
        answer = AuditEventsAnswer(events=listed, next=listed[-1].id if rows[limit:] else None)
        return json_response(answer.payload())


def _answer_of(row: AuditEventRow) -> AuditEventAnswer:
    fields = answer_fields(row)
    return AuditEventAnswer(
        id=event_id(row["id"]),
        at=fields.at,
        actor=ActorAnswer(kind=fields.actor_kind, name=row["actor"]),
        account=row["external_id"],
        deed=row["deed"],
        target=row["target"],
        result=row["result"],
        request_id=row["request_id"],
        details=fields.details,
    )
