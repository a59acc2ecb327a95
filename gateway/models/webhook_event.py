"""Providers' events, recorded once before they are processed."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field

from gateway.models.base import Instant, Model, one_of


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
        # Parked events, applied when their account appears.
        Index(None, "state", "provider"),
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
        # The payments of an invoice.
        Index(None, "provider", "invoice_id"),
    )

    provider: str = Field(max_length=50, primary_key=True)
    payment_id: str = Field(max_length=255, primary_key=True)
    invoice_id: str = Field(max_length=255, primary_key=True)
