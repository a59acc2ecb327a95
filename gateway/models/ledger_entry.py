"""The ledger: every change of a balance, in order of arrival."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from gateway.models.base import Instant, Model, one_of


class LedgerCause(StrEnum):
    PURCHASE = "PURCHASE"
    BONUS = "BONUS"
    REFUND = "REFUND"
    DISPUTE = "DISPUTE"
    USAGE = "USAGE"
    ADJUSTMENT = "ADJUSTMENT"


NOT_USAGE: Final = text("cause <> 'USAGE'")


class LedgerEntry(Model, table=True):
    """One signed change of a balance. Append-only (a trigger refuses), numbered 1, 2, 3 … per
    account.

    `source_key` names the fact that it comes from and is unique in the account, so that no fact can
    be booked twice. `balance_nanos` is the balance after it. `recorded_at` never goes back within
    an account. `refund_id` and `dispute_id` name the refund or the dispute that made it (both,
    where a refund took what a dispute had held). Of usage, `effective_at` is the latest start of
    the batch's events and `earliest_at` the earliest; null for other causes, and for usage that a
    version before 0023 recorded.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        UniqueConstraint("account_id", "source_key"),
        ForeignKeyConstraint(
            ["account_id", "purchase_id"], ["credit_purchase.account_id", "credit_purchase.id"]
        ),
        ForeignKeyConstraint(["account_id", "refund_id"], ["refund.account_id", "refund.id"]),
        ForeignKeyConstraint(["account_id", "dispute_id"], ["dispute.account_id", "dispute.id"]),
        one_of("cause", LedgerCause),
        CheckConstraint("version > 0", name="version_positive"),
        # Pages of an account's ledger, where usage is read by the day: of millions of entries, all
        # but a few are usage's.
        Index(
            None,
            "account_id",
            "recorded_at",
            "version",
            postgresql_where=NOT_USAGE,
            sqlite_where=NOT_USAGE,
        ),
        {"sqlite_with_rowid": False},
    )

    account_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="account.account_id")
    version: int = Field(sa_type=BigInteger, primary_key=True)
    cause: str = Field(max_length=10)
    amount_nanos: int = Field(sa_type=BigInteger)
    balance_nanos: int = Field(sa_type=BigInteger)
    source_key: str = Field(max_length=100)
    purchase_id: int | None = Field(sa_type=BigInteger, default=None)
    description: str | None = Field(max_length=2000, default=None)
    effective_at: datetime = Field(sa_type=Instant)
    recorded_at: datetime = Field(sa_type=Instant)
    refund_id: int | None = Field(sa_type=BigInteger, default=None)
    dispute_id: int | None = Field(sa_type=BigInteger, default=None)
    earliest_at: datetime | None = Field(sa_type=Instant, default=None)
