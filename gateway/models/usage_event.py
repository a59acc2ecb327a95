"""Metered charges as received: immutable and permanent."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary
from sqlmodel import Field

from gateway.models.base import Instant, Model, Quantity, one_of


class Resource(StrEnum):
    CPU = "CPU"
    MEMORY = "MEMORY"
    STORAGE = "STORAGE"
    GPU = "GPU"
    NETWORK = "NETWORK"
    IP = "IP"
    OTHER = "OTHER"


class UsageEvent(Model, table=True):
    """One metered charge. (source, event id) makes it unique in its account.

    `fingerprint` tells a repeat from the same id with other content. Where rounding to nanos
    changed a number, its `_text` holds what arrived. `ledger_version` is the entry of the batch it
    came in.
    """

    __tablename__ = "usage_event"
    __table_args__ = (
        one_of("resource", Resource),
        CheckConstraint("ended_at >= started_at", name="ended_after_start"),
        CheckConstraint("amount_nanos >= 0 OR correction", name="negative_is_correction"),
        # Raw events of a window: exports, and the edges that a foreign zone cuts from a roll-up's
        # day.
        Index(None, "account_id", "started_at"),
        # No foreign keys: each would be looked up for every event of a batch, and the one write
        # path makes the deployment and the ledger entry in the same transaction. `gateway doctor`
        # checks.
    )

    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    source: str = Field(max_length=200, primary_key=True)
    event_id: str = Field(max_length=200, primary_key=True)
    fingerprint: bytes = Field(sa_type=LargeBinary)
    deployment_id: int | None = Field(sa_type=BigInteger, default=None)
    resource: str = Field(max_length=8)
    unit: str = Field(max_length=100)
    quantity_nanos: int = Field(sa_type=Quantity)
    quantity_text: str | None = Field(max_length=64, default=None)
    amount_nanos: int = Field(sa_type=BigInteger)
    amount_text: str | None = Field(max_length=64, default=None)
    correction: bool = False
    provider: str | None = Field(max_length=200, default=None)
    gpu_model: str | None = Field(max_length=200, default=None)
    region: str | None = Field(max_length=200, default=None)
    service: str | None = Field(max_length=200, default=None)
    sku: str | None = Field(max_length=200, default=None)
    project: str | None = Field(max_length=200, default=None)
    started_at: datetime = Field(sa_type=Instant)
    ended_at: datetime = Field(sa_type=Instant)
    received_at: datetime = Field(sa_type=Instant)
    ledger_version: int = Field(sa_type=BigInteger)
