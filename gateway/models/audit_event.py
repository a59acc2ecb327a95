"""The audit log: who did what, and what came of it."""

from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, text
from sqlmodel import Field

from gateway.models.base import Instant, Model, one_of
from gateway.principal import ActorKind

KEPT_DAYS: Final = 30
"""Age in days below which the database itself refuses to delete an event."""

NO_READ: Final = text("deed <> 'data.read'")


class AuditEvent(Model, table=True):
    """One deed, or one request that was refused or that read. Never changed, and not deleted in its
    first `KEPT_DAYS` (triggers refuse).

    `actor_account_id` is the account of an actor that is an account's own API key. `account_id` is
    null for a deed of the platform itself and for one about several accounts. It
    refers to no account: a foreign key would lock the account's row. `target` names what the deed
    was done to: a subject, an API key, a payment. `result` is DONE or the code of the error.
    `details` is JSON; it never has a secret or a variable of a query.
    """

    __tablename__ = "audit_event"
    __table_args__ = (
        one_of("actor_kind", ActorKind),
        CheckConstraint("length(result) > 0", name="result_given"),
        # The events of one account, of one actor and of one kind of deed, newest first.
        Index(None, "account_id", "id"),
        Index(None, "actor", "id"),
        Index(None, "deed", "id"),
        # What the people of an account read: a platform's reads may be a thousand times as many.
        Index(
            "ix_audit_event_account_deeds",
            "account_id",
            "id",
            postgresql_where=NO_READ,
            sqlite_where=NO_READ,
        ),
    )

    id: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    account_id: int | None = Field(sa_type=BigInteger, default=None)
    occurred_at: datetime = Field(sa_type=Instant)
    actor_kind: str = Field(max_length=8)
    actor: str = Field(max_length=255)
    deed: str = Field(max_length=40)
    target: str | None = Field(max_length=300, default=None)
    result: str = Field(max_length=40)
    request_id: str | None = Field(max_length=64, default=None)
    details: str | None = Field(sa_type=Text, default=None)
    actor_account_id: int | None = Field(sa_type=BigInteger, default=None)
