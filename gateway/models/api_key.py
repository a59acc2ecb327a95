"""Keys of machines, and the requests that they may repeat."""

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary, Text
from sqlmodel import Field

from gateway.models.base import Instant, Model


class ApiKey(Model, table=True):
    """A key, stored hashed. It belongs to one account, or to the platform where `account_id` is
    null. `last_used_at` is up to an hour older than the last use.
    """

    __tablename__ = "api_key"

    id: str = Field(max_length=32, primary_key=True)
    account_id: int | None = Field(
        sa_type=BigInteger, default=None, foreign_key="account.account_id", index=True
    )
    name: str = Field(max_length=200)
    digest: bytes = Field(sa_type=LargeBinary)
    scopes: str = Field(max_length=200)
    created_at: datetime = Field(sa_type=Instant)
    expires_at: datetime | None = Field(sa_type=Instant, default=None)
    revoked_at: datetime | None = Field(sa_type=Instant, default=None)
    last_used_at: datetime | None = Field(sa_type=Instant, default=None)


class IdempotencyKey(Model, table=True):
    """An answered request: the same key with the same body gets the same answer."""

    __tablename__ = "idempotency_key"

    account_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="account.account_id")
    key: str = Field(max_length=255, primary_key=True)
    fingerprint: bytes = Field(sa_type=LargeBinary)
    response: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Instant)
