"""Monthly statements: an account's ledger month by month."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Text, UniqueConstraint
from sqlmodel import Field

from gateway.models.base import Instant, Model


class MonthlyStatement(Model, table=True):
    """The document of a month. Never changed (a trigger refuses).

    It holds the ledger's versions `first_version` to `last_version`; a month without movement has
    none, and `last_version` is `first_version` - 1. `opening_nanos` is the closing balance of the
    statement before, `ended_at` the month's end in the account's zone at issue. `data` is the JSON
    that the document is printed from; `seller_id` is the version of the seller's details that was
    in force at issue, null where there was none.
    """

    __tablename__ = "statement"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "currency"], ["account.account_id", "account.currency"]
        ),
        ForeignKeyConstraint(["seller_id"], ["seller.id"]),
        UniqueConstraint("account_id", "month"),
        CheckConstraint("length(month) = 7", name="month_length"),
        CheckConstraint("last_version >= first_version - 1", name="versions_in_order"),
    )

    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    id: int = Field(sa_type=BigInteger, primary_key=True)
    number: str = Field(max_length=24, unique=True)
    month: str = Field(max_length=7)
    first_version: int = Field(sa_type=BigInteger)
    last_version: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    opening_nanos: int = Field(sa_type=BigInteger)
    closing_nanos: int = Field(sa_type=BigInteger)
    ended_at: datetime = Field(sa_type=Instant)
    issued_at: datetime = Field(sa_type=Instant)
    data: str = Field(sa_type=Text)
    seller_id: int | None = Field(sa_type=BigInteger, default=None)
