"""Attempts to add credit, their refunds and their disputes."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
)
from sqlmodel import Field

from gateway.models.base import Instant, Model, one_of


class CreditPurchaseKind(StrEnum):
    CARD = "CARD"
    COUPON = "COUPON"
    MANUAL_CREDIT = "MANUAL_CREDIT"
    TRIAL_GRANT = "TRIAL_GRANT"


class CreditPurchaseStatus(StrEnum):
    PENDING = "PENDING"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    SUCCEEDED = "SUCCEEDED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"
    DISPUTED = "DISPUTED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"

    @property
    def is_settled(self) -> bool:
        return self in SETTLED


SETTLED = frozenset(
    {
        CreditPurchaseStatus.SUCCEEDED,
        CreditPurchaseStatus.PARTIALLY_REFUNDED,
        CreditPurchaseStatus.REFUNDED,
        CreditPurchaseStatus.DISPUTED,
    }
)


def charged_nanos(kind: str, amount_nanos: int, tax_nanos: int) -> int:
    """Return the nanos that a card is charged: the credit and the tax on it; 0 without a card."""
    return amount_nanos + tax_nanos if kind == CreditPurchaseKind.CARD else 0


class DisputeStatus(StrEnum):
    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


class PaymentMethodType(StrEnum):
    CARD = "CARD"
    WALLET = "WALLET"
    LINK = "LINK"
    BANK_ACCOUNT = "BANK_ACCOUNT"
    OTHER = "OTHER"


class RefundStatus(StrEnum):
    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


class CreditPurchase(Model, table=True):
    """An attempt to add credit. `amount_nanos` is the credit bought, without tax and without bonus.

    `refunded_nanos` is the credit taken back: by refunds that succeeded, and what disputes hold.
    amount + bonus − refunded − bonus reversed = the ledger's sum
    for it. `revision` is the account's at the last change of the purchase, its refunds or disputes.
    `payment_method_name` is the provider's name for the method, such as `sepa_debit`; versions
    before 0.2 wrote it as a `payment_method_label` instead.
    `taxes` is JSON: the lines of a settled purchase's tax, as the provider named them.
    `receipted`: a receipt was issued when it settled, and so a credit note is for each refund.
    `status_at` is the provider's time of the facts that an unsettled purchase's status, amounts and
    failure are of.
    """

    __tablename__ = "credit_purchase"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "currency"], ["account.account_id", "account.currency"]
        ),
        UniqueConstraint("account_id", "provider", "provider_reference"),
        one_of("kind", CreditPurchaseKind),
        one_of("status", CreditPurchaseStatus),
        one_of("payment_method_type", PaymentMethodType),
        CheckConstraint("amount_nanos > 0", name="amount_positive"),
        CheckConstraint("tax_nanos >= 0", name="tax_not_negative"),
        CheckConstraint(
            "refunded_nanos >= 0 AND refunded_nanos <= amount_nanos", name="refunded_in_amount"
        ),
        CheckConstraint(
            "disputed_nanos >= 0 AND disputed_nanos <= refunded_nanos", name="disputed_in_refunded"
        ),
        CheckConstraint(
            "bonus_reversed_nanos >= 0 AND bonus_reversed_nanos <= bonus_nanos",
            name="bonus_reversed_in_bonus",
        ),
        CheckConstraint(
            "(settled_at IS NOT NULL) = "
            "(status IN ('SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'DISPUTED'))",
            name="settled_with_status",
        ),
        # Pages of an account's purchases, in both directions.
        Index(None, "account_id", "created_at", "id"),
        # What changed since a revision of the account.
        Index(None, "account_id", "revision"),
    )

    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    id: int = Field(sa_type=BigInteger, primary_key=True)
    kind: str = Field(max_length=16)
    status: str = Field(max_length=20)
    currency: str = Field(max_length=3)
    amount_nanos: int = Field(sa_type=BigInteger)
    tax_nanos: int = Field(sa_type=BigInteger, default=0)
    bonus_nanos: int = Field(sa_type=BigInteger, default=0)
    refunded_nanos: int = Field(sa_type=BigInteger, default=0)
    bonus_reversed_nanos: int = Field(sa_type=BigInteger, default=0)
    disputed_nanos: int = Field(sa_type=BigInteger, default=0)
    description: str | None = Field(max_length=2000, default=None)
    failure_code: str | None = Field(max_length=100, default=None)
    failure_reason: str | None = Field(max_length=2000, default=None)
    payment_method_type: str | None = Field(max_length=12, default=None)
    payment_method_name: str | None = Field(max_length=50, default=None)
    payment_method_brand: str | None = Field(max_length=50, default=None)
    payment_method_last4: str | None = Field(max_length=4, default=None)
    payment_method_label: str | None = Field(max_length=200, default=None)
    provider: str | None = Field(max_length=50, default=None)
    provider_reference: str | None = Field(max_length=255, default=None)
    created_at: datetime = Field(sa_type=Instant)
    status_at: datetime | None = Field(sa_type=Instant, default=None)
    failed_at: datetime | None = Field(sa_type=Instant, default=None)
    settled_at: datetime | None = Field(sa_type=Instant, default=None)
    revision: int = Field(sa_type=BigInteger, default=0)
    receipted: bool = False
    taxes: str | None = Field(sa_type=Text, default=None)


class Refund(Model, table=True):
    """Money taken back from a purchase. `amount_nanos` is credit, `tax_nanos` the tax that went
    with it.

    `settled_at` is when it took effect in the ledger; a refund that came before its purchase
    settled is kept without one. `has_succeeded`: it succeeded once, though it may have failed
    since; its credit note's tax stays. `failed_at` is when it failed or was canceled, where known.
    """

    __tablename__ = "refund"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "purchase_id"], ["credit_purchase.account_id", "credit_purchase.id"]
        ),
        ForeignKeyConstraint(
            ["account_id", "currency"], ["account.account_id", "account.currency"]
        ),
        UniqueConstraint("account_id", "provider", "provider_reference"),
        one_of("status", RefundStatus),
        CheckConstraint("amount_nanos > 0", name="amount_positive"),
        CheckConstraint("tax_nanos >= 0", name="tax_not_negative"),
        CheckConstraint("bonus_reversed_nanos >= 0", name="bonus_reversed_not_negative"),
        CheckConstraint("settled_at IS NULL OR status = 'SUCCEEDED'", name="settled_with_status"),
        # A purchase's refunds, oldest first.
        Index(None, "account_id", "purchase_id", "created_at", "id"),
    )

    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    id: int = Field(sa_type=BigInteger, primary_key=True)
    purchase_id: int = Field(sa_type=BigInteger)
    status: str = Field(max_length=10)
    currency: str = Field(max_length=3)
    amount_nanos: int = Field(sa_type=BigInteger)
    tax_nanos: int = Field(sa_type=BigInteger, default=0)
    bonus_reversed_nanos: int = Field(sa_type=BigInteger, default=0)
    reason: str | None = Field(max_length=2000, default=None)
    failure_reason: str | None = Field(max_length=2000, default=None)
    provider: str | None = Field(max_length=50, default=None)
    provider_reference: str | None = Field(max_length=255, default=None)
    created_at: datetime = Field(sa_type=Instant)
    settled_at: datetime | None = Field(sa_type=Instant, default=None)
    has_succeeded: bool = False
    failed_at: datetime | None = Field(sa_type=Instant, default=None)


class Dispute(Model, table=True):
    """A cardholder's objection to `amount_nanos` of money, tax included.

    `held_nanos` is the credit that its movements hold: 0 until the purchase has settled.
    `closed_at` is the time of the decision that `state` says.
    """

    __tablename__ = "dispute"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "purchase_id"], ["credit_purchase.account_id", "credit_purchase.id"]
        ),
        UniqueConstraint("account_id", "provider", "provider_reference"),
        one_of("state", DisputeStatus),
        CheckConstraint("amount_nanos > 0", name="amount_positive"),
        CheckConstraint("held_nanos >= 0", name="held_not_negative"),
        # A purchase's disputes.
        Index(None, "account_id", "purchase_id"),
    )

    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    id: int = Field(sa_type=BigInteger, primary_key=True)
    purchase_id: int = Field(sa_type=BigInteger)
    state: str = Field(max_length=4)
    amount_nanos: int = Field(sa_type=BigInteger)
    held_nanos: int = Field(sa_type=BigInteger, default=0)
    reason: str | None = Field(max_length=2000, default=None)
    provider: str | None = Field(max_length=50, default=None)
    provider_reference: str | None = Field(max_length=255, default=None)
    created_at: datetime = Field(sa_type=Instant)
    closed_at: datetime | None = Field(sa_type=Instant, default=None)


class DisputeMovement(Model, table=True):
    """Money that a dispute moved at the provider, tax included: negative where it was withdrawn,
    positive where it came back. `reference` is the provider's id of the movement.
    """

    __tablename__ = "dispute_movement"
    __table_args__ = (
        ForeignKeyConstraint(["account_id", "dispute_id"], ["dispute.account_id", "dispute.id"]),
    )

    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    dispute_id: int = Field(sa_type=BigInteger, primary_key=True)
    reference: str = Field(max_length=255, primary_key=True)
    amount_nanos: int = Field(sa_type=BigInteger)
    moved_at: datetime = Field(sa_type=Instant)
