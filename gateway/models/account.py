"""Accounts and their members."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, UniqueConstraint
from sqlmodel import Field

from gateway.models.base import Instant, Model, one_of
from gateway.principal import Role


class LowBalance(StrEnum):
    """The threshold that a balance has passed."""

    MONEY = "MONEY"
    DAYS = "DAYS"


class Account(Model, table=True):
    """A balance's holder. Every change of the balance, or of anything derived from the balance,
    locks the row.

    `balance_nanos` and `ledger_version` are those of the last ledger entry, moved in its
    transaction. `revision` grows with each transaction that changed something that is pushed live:
    the balance, a purchase, whether the balance is low. `billing` is JSON: the buyer's details on
    documents. `pending_time_zone` will be the `time_zone` as soon as the roll-ups of its days are
    made; a statement that writes `time_zone` makes it null (a trigger).
    """

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("length(currency) = 3", name="currency_iso"),
        CheckConstraint("length(receipt_prefix) = 8", name="receipt_prefix_length"),
        CheckConstraint("ledger_version >= 0", name="ledger_version_not_negative"),
        CheckConstraint("deployment_count >= 0", name="deployment_count_not_negative"),
        CheckConstraint("revision >= 0", name="revision_not_negative"),
        CheckConstraint("low_balance_days > 0", name="low_balance_days_positive"),
        one_of("low_balance", LowBalance),
        # What the currency of purchases, refunds and receipts refers to: one account, one currency.
        UniqueConstraint("account_id", "currency"),
    )

    account_id: int = Field(
        sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    external_id: str = Field(max_length=200, unique=True)
    name: str = Field(max_length=200)
    currency: str = Field(max_length=3)
    time_zone: str = Field(max_length=64, default="UTC")
    receipt_prefix: str = Field(max_length=8, unique=True)
    stripe_customer_id: str | None = Field(max_length=255, default=None, unique=True)
    balance_nanos: int = Field(sa_type=BigInteger, default=0)
    ledger_version: int = Field(sa_type=BigInteger, default=0)
    balance_at: datetime = Field(sa_type=Instant)
    low_balance: str | None = Field(max_length=8, default=None)
    low_balance_nanos: int | None = Field(sa_type=BigInteger, default=None)
    low_balance_days: int | None = None
    deployment_count: int = 0
    revision: int = Field(sa_type=BigInteger, default=0)
    created_at: datetime = Field(sa_type=Instant)
    billing: str | None = Field(sa_type=Text, default=None)
    pending_time_zone: str | None = Field(max_length=64, default=None)


class AccountMember(Model, table=True):
    """A token's subject that may read an account."""

    __tablename__ = "account_member"
    __table_args__ = (
        one_of("role", Role),
        # A person's accounts, in the order in which they are paged.
        Index(None, "subject", "account_id"),
    )

    account_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="account.account_id")
    subject: str = Field(max_length=255, primary_key=True)
    role: str = Field(max_length=8)
    created_at: datetime = Field(sa_type=Instant)
