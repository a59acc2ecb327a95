"""Answers of `/v1/audit-events`."""

from pydantic import Field

from gateway.http.json_models import WireAnswer
from gateway.principal import ActorKind


class ActorAnswer(WireAnswer):
    """The author of a deed."""

    kind: ActorKind
    name: str = Field(
        description="A person's subject, an API key's id, the user of a command, a payment "
        "provider, or a job of the gateway."
    )


class AuditEventAnswer(WireAnswer):
    """One audit event."""

    id: str
    at: str = Field(description="When it happened, UTC.", json_schema_extra={"format": "date-time"})
    actor: ActorAnswer
    account: str | None = Field(
        description="The account's external id; null for a deed of the platform or about several "
        "accounts."
    )
    deed: str = Field(description="What was done, such as `member.added`.")
    target: str | None = Field(
        description="What it was done to: a subject, an API key, a payment; of a request its "
        "operation's name or its path."
    )
    result: str = Field(description="`DONE`, or the code of the error that refused it.")
    request_id: str | None = Field(description="The request's id; null outside HTTP.")
    details: dict[str, object] | None = Field(description="More facts, by the kind of deed.")


class AuditEventsAnswer(WireAnswer):
    """A page of audit events, newest first."""

    events: list[AuditEventAnswer]
    next: str | None = Field(
        description="Value of `after` for the next page; null on the last page."
    )
