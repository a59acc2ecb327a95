"""Providers' events, recorded once before they are processed."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field

from gateway.models.base import Instant, Model, one_of

PARKED: Final = text("state = 'PARKED'")
OWNERLESS: Final = text("account_id IS NULL")


class WebhookState(StrEnum):
    APPLIED = "APPLIED"
    PARKED = "PARKED"
    IGNORED = "IGNORED"


class WebhookEvent(Model, table=True):
    """A provider's event. Parked while its account is not known, so `account_id` may be missing.

    `object_id` is the payment that it is of, or the invoice. `external_id` and `customer_id` name
    the account. `reason` is why it is parked.
    """

    __tablename__ = "webhook_event"
    __table_args__ = (
        one_of("state", WebhookState),
        # All that is known of an object.
        Index(None, "provider", "object_id"),
        # Parked events, read before version 0020.
        Index(None, "state", "provider"),
        # The payments with parked events.
        Index(
            "ix_webhook_event_parked",
            "provider",
            "object_id",
            postgresql_where=PARKED,
            sqlite_where=PARKED,
        ),
        # Events without an account, found when an account of their names appears.
        Index(
            "ix_webhook_event_ownerless_external_id",
            "provider",
            "external_id",
            postgresql_where=OWNERLESS,
            sqlite_where=OWNERLESS,
        ),
        Index(
            "ix_webhook_event_ownerless_customer_id",
            "provider",
            "customer_id",
            postgresql_where=OWNERLESS,
            sqlite_where=OWNERLESS,
        ),
    )

    provider: str = Field(max_length=50, primary_key=True)
    event_id: str = Field(max_length=255, primary_key=True)
    type: str = Field(max_length=100)
    object_id: str | None = Field(max_length=255, default=None)
    external_id: str | None = Field(max_length=200, default=None)
    customer_id: str | None = Field(max_length=255, default=None)
    account_id: int | None = Field(
        sa_type=BigInteger, default=None, foreign_key="account.account_id"
    )
    state: str = Field(max_length=8)
    reason: str | None = Field(max_length=500, default=None)
    payload: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Instant)
    received_at: datetime = Field(sa_type=Instant)
    applied_at: datetime | None = Field(sa_type=Instant, default=None)


class WebhookInvoice(Model, table=True):
    """That a payment paid an invoice at a provider, or a part of it, as an event said.

    What is known of an invoice concerns all of its payments.
    """

    __tablename__ = "webhook_invoice"
    __table_args__ = (
        # The payments of an invoice. All columns, because SQLite prefers the primary key otherwise.
        Index(None, "provider", "invoice_id", "payment_id"),
    )

    provider: str = Field(max_length=50, primary_key=True)
    payment_id: str = Field(max_length=255, primary_key=True)
    invoice_id: str = Field(max_length=255, primary_key=True)
