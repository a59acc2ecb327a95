"""Audit events as an account's owners read them."""

from datetime import datetime
from typing import ClassVar, Final

import strawberry

from gateway.audit.account_deeds import MOST_CHANGES, actor_kind, actor_name, changes
from gateway.audit.listing import event_id
from gateway.execution.fields import Cost
from resolvers.columns import attribute, column, converted, itself
from resolvers.connection import Connection
from resolvers.enums import AccountActorKind, AccountDeed
from resolvers.permissions import Policy

_CHANGES: Final = Cost(items=MOST_CHANGES)


def _deed(deed: str) -> AccountDeed:
    return AccountDeed(deed.replace(".", "_").upper())


@strawberry.type(description="The author of a deed.")
class AuditActor:
    POLICY: ClassVar = Policy.OWNERS
    POINTS: ClassVar = 0

    kind: AccountActorKind = converted(
        actor_kind,
        *("actor_kind", "account_id", "actor_account_id"),
        description="The kind of author.",
    )
    name: str | None = converted(
        actor_name,
        *("actor_kind", "account_id", "actor_account_id", "actor"),
        description="A person's subject, or the id of the account's own API key; null for the "
        "platform.",
    )


@strawberry.type(description="A fact before and after a deed, as text.")
class AuditChange:
    POLICY: ClassVar = Policy.OWNERS
    POINTS: ClassVar = 0

    name: str = attribute(
        "name",
        description="The fact: `name`, `currency`, `timeZone`, `billing`, `role`, `scopes`, "
        "`expiresAt`, `kind`, `amount` (in the account's currency) or `days`.",
    )
    before: str | None = attribute("before", description="The fact before; null if there was none.")
    after: str | None = attribute("after", description="The fact after; null if there is none.")


@strawberry.type(description="A deed in an account, such as a new member. Events never change.")
class AuditEvent:
    POLICY: ClassVar = Policy.OWNERS

    id: strawberry.ID = converted(
        event_id, "id", description="The event's id, as in `GET /v1/audit-events`; no global id."
    )
    at: datetime = column("occurred_at", description="When the deed was done.")
    actor: AuditActor = itself(description="The author of the deed.")
    deed: AccountDeed = converted(_deed, "deed", description="What was done.")
    target: str | None = column(
        "target",
        description="What it was done to: the account's external id, a member's subject, an API "
        "key's id, or a purchase's global id.",
    )
    changes: list[AuditChange] = converted(
        changes,
        *("deed", "details", "currency"),
        cost=_CHANGES,
        description=f"The facts that the deed changed, at most {MOST_CHANGES}.",
    )


@strawberry.type(description="Audit events, newest first.")
class AuditEventConnection(Connection[AuditEvent]):
    POLICY: ClassVar = Policy.OWNERS
