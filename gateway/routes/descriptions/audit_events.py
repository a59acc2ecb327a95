"""`/v1/audit-events`."""

from typing import Final

from gateway.audit.deeds import Deed
from gateway.principal import Permission
from gateway.routes.bodies.audit_events import AuditEventsAnswer
from gateway.routes.descriptions.refusals import CREDENTIAL_LIMITS, PAGE
from gateway.routes.openapi.operation import JSON, Answer, Example, Operation, Parameter

_AT: Final = {"type": "string", "format": "date-time"}
FILTERS: Final = (
    Parameter(name="account", place="query", text="Only this account, by its external id."),
    Parameter(
        name="actor",
        place="query",
        text="Only this actor: a subject, an API key's id, a user, a provider or a job.",
    ),
    Parameter(
        name="deed",
        place="query",
        text="Only this kind of deed.",
        schema={"type": "string", "enum": [each.value for each in Deed]},
    ),
    Parameter(name="result", place="query", text="Only `DONE`, or this code of an error."),
    Parameter(name="requestId", place="query", text="Only this request."),
    Parameter(name="from", place="query", text="Only at this instant or later.", schema=_AT),
    Parameter(name="to", place="query", text="Only before this instant.", schema=_AT),
)
LIST_AUDIT_EVENTS: Final = Operation(
    id="listAuditEvents",
    method="GET",
    tag="Audit log",
    summary="List audit events",
    text="Returns who did what, newest first: every event for a platform key, those of its account "
    "for an account key. Events of requests (reads with a platform key, and refused writes) appear "
    "within a second. `gateway export audit-events` writes all of them to a file.",
    scopes=(Permission.ADMIN,),
    parameters=(
        *FILTERS,
        Parameter(
            name="limit",
            place="query",
            text="Most items per page.",
            schema={"type": "integer", "minimum": 1, "maximum": 1_000, "default": 100},
        ),
        Parameter(name="after", place="query", text="`next` of the previous page."),
    ),
    answers=(Answer(status=200, text="A page.", content={JSON: AuditEventsAnswer}),),
    refusals=PAGE,
    limits=CREDENTIAL_LIMITS,
    examples=(
        Example(
            name="page",
            text="Members who joined an account",
            status=200,
            parameters={"account": "acme", "deed": "member.added", "limit": "1"},
            answer={
                "events": [
                    {
                        "id": "audit_18f2d0a5f3d8c41e",
                        "at": "2026-11-01T08:30:00.123456Z",
                        "actor": {"kind": "API_KEY", "name": "k7Jq2"},
                        "account": "acme",
                        "deed": "member.added",
                        "target": "auth0|42",
                        "result": "DONE",
                        "requestId": "8c5d1fe0b7a94f0e8a1d2c3b4e5f6a7b",
                        "details": {"role": "OWNER"},
                    }
                ],
                "next": None,
            },
        ),
    ),
)
