"""Deployments: compute that runs and draws the credit down."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, UniqueConstraint
from sqlmodel import Field

from gateway.models.base import Instant, Model


class Deployment(Model, table=True):
    """A deployment and what it leases. `ordinal` counts the account's deployments from 0: its bit
    in the sets of active deployments that roll-ups keep. `spend_nanos` is its lifetime spend.

    `last_used_at` and `last_used_until` are the period of its latest usage. `facts_at` says when
    the other facts were stated, where that was not with it: see `billing.usage.deployments`.
    """

    __tablename__ = "deployment"
    __table_args__ = (
        UniqueConstraint("account_id", "external_id"),
        UniqueConstraint("account_id", "ordinal"),
        CheckConstraint("ordinal >= 0", name="ordinal_not_negative"),
        CheckConstraint("closed_at >= started_at", name="closed_after_start"),
        # Pages of an account's deployments, in both directions.
        Index(None, "account_id", "started_at", "id"),
    )

    account_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="account.account_id")
    id: int = Field(sa_type=BigInteger, primary_key=True)
    ordinal: int
    external_id: str = Field(max_length=1000)
    name: str | None = Field(max_length=200, default=None)
    provider: str | None = Field(max_length=200, default=None)
    gpu_model: str | None = Field(max_length=200, default=None)
    region: str | None = Field(max_length=200, default=None)
    service: str | None = Field(max_length=200, default=None)
    cpu_nanos: int | None = Field(sa_type=BigInteger, default=None)
    gpu_nanos: int | None = Field(sa_type=BigInteger, default=None)
    memory_bytes: int | None = Field(sa_type=BigInteger, default=None)
    storage_bytes: int | None = Field(sa_type=BigInteger, default=None)
    spend_nanos: int = Field(sa_type=BigInteger, default=0)
    started_at: datetime = Field(sa_type=Instant)
    closed_at: datetime | None = Field(sa_type=Instant, default=None)
    created_at: datetime = Field(sa_type=Instant)
    last_used_at: datetime | None = Field(sa_type=Instant, default=None)
    last_used_until: datetime | None = Field(sa_type=Instant, default=None)
    facts_at: str | None = Field(sa_type=Text, default=None)
    project: str | None = Field(max_length=200, default=None)
