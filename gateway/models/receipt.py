"""Receipts and credit notes: number, date and frozen data."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from gateway.models.base import Instant, Model

CREDIT_NOTES: Final = "refund_id IS NOT NULL AND cancels_id IS NULL"
CANCELLATIONS: Final = "cancels_id IS NOT NULL"


class ReceiptKind(StrEnum):
    """The kinds of documents of a purchase."""

    RECEIPT = "RECEIPT"
    CREDIT_NOTE = "CREDIT_NOTE"
    CANCELLATION = "CANCELLATION"


def receipt_kind(refund_id: int | None, cancels_id: int | None) -> ReceiptKind:
    """Return the kind of a document of a refund, or of none, that cancels another, or none."""
    if cancels_id is not None:
        return ReceiptKind.CANCELLATION
    return ReceiptKind.RECEIPT if refund_id is None else ReceiptKind.CREDIT_NOTE


class Receipt(Model, table=True):
    """The document of a settled purchase, the credit note of a refund, or the document that cancels
    a credit note because its refund failed. Never changed (a trigger refuses).

    `total_nanos` is what was charged, tax included, or the credit that was given; a credit note's
    is negative. `cancels_id` is the credit note of the same refund that it cancels. `data` is the
    JSON that the document is printed from, frozen at issue; `seller_id` is the version of the
    seller's details that was in force then, null where there was none yet.
    """

    __tablename__ = "receipt"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "purchase_id"], ["credit_purchase.account_id", "credit_purchase.id"]
        ),
        ForeignKeyConstraint(["account_id", "refund_id"], ["refund.account_id", "refund.id"]),
        ForeignKeyConstraint(
            ["account_id", "currency"], ["account.account_id", "account.currency"]
        ),
        ForeignKeyConstraint(["account_id", "cancels_id"], ["receipt.account_id", "receipt.id"]),
        ForeignKeyConstraint(["seller_id"], ["seller.id"]),
        UniqueConstraint("account_id", "year", "sequence"),
        CheckConstraint("sequence > 0", name="sequence_positive"),
        CheckConstraint("cancels_id IS NULL OR refund_id IS NOT NULL", name="cancels_of_refund"),
        # One receipt a purchase, one credit note a refund, one cancellation a credit note. Each
        # index holds one kind, so that SQLite does not look for a purchase's among all that have
        # no refund.
        Index(
            "uq_receipt_account_id_purchase_id",
            "account_id",
            "purchase_id",
            unique=True,
            postgresql_where=text("refund_id IS NULL"),
            sqlite_where=text("refund_id IS NULL"),
        ),
        Index(
            "uq_receipt_account_id_refund_id",
            "account_id",
            "refund_id",
            unique=True,
            postgresql_where=text(CREDIT_NOTES),
            sqlite_where=text(CREDIT_NOTES),
        ),
        Index(
            "uq_receipt_account_id_cancels_id",
            "account_id",
            "cancels_id",
            unique=True,
            postgresql_where=text(CANCELLATIONS),
            sqlite_where=text(CANCELLATIONS),
        ),
        # Purchases by a part of a document's number, without a look at the documents.
        Index(None, "account_id", "number", "purchase_id"),
        # An account's documents, page by page.
        Index(None, "account_id", "issued_at", "id"),
        # Both documents of a refund.
        Index(
            "ix_receipt_account_id_refund_id",
            "account_id",
            "refund_id",
            postgresql_where=text("refund_id IS NOT NULL"),
            sqlite_where=text("refund_id IS NOT NULL"),
        ),
    )

    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    id: int = Field(sa_type=BigInteger, primary_key=True)
    number: str = Field(max_length=24, unique=True)
    year: int
    sequence: int
    purchase_id: int = Field(sa_type=BigInteger)
    refund_id: int | None = Field(sa_type=BigInteger, default=None)
    cancels_id: int | None = Field(sa_type=BigInteger, default=None)
    currency: str = Field(max_length=3)
    total_nanos: int = Field(sa_type=BigInteger)
    tax_nanos: int = Field(sa_type=BigInteger, default=0)
    issued_at: datetime = Field(sa_type=Instant)
    data: str = Field(sa_type=Text)
    seller_id: int | None = Field(sa_type=BigInteger, default=None)


class ReceiptSequence(Model, table=True):
    """The last number that an account used in a year of its own zone; moved under the account's
    lock.
    """

    __tablename__ = "receipt_sequence"

    account_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="account.account_id")
    year: int = Field(primary_key=True)
    last_sequence: int
