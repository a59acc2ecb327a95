"""The tables, one noun a file: columns, constraints, and indexes with their reason."""

from gateway.models.account import Account, AccountMember, LowBalance
from gateway.models.api_key import ApiKey, IdempotencyKey
from gateway.models.audit_event import AuditEvent
from gateway.models.base import Instant, metadata, table_of
from gateway.models.credit_purchase import (
    SETTLED,
    CreditPurchase,
    CreditPurchaseKind,
    CreditPurchaseStatus,
    Dispute,
    DisputeMovement,
    DisputeStatus,
    PaymentMethodType,
    Refund,
    RefundStatus,
    charged_nanos,
)
from gateway.models.deployment import Deployment
from gateway.models.imported_charge import ImportedCharge
from gateway.models.job import Job, JobState
from gateway.models.ledger_entry import LedgerCause, LedgerEntry
from gateway.models.receipt import Receipt, ReceiptKind, ReceiptSequence, receipt_kind
from gateway.models.rollup import LedgerDay, RollupActivity, RollupDay, RollupProject, RollupSlot
from gateway.models.rollup_block import QuarteredDay, RollupBlock, UnpackedDay
from gateway.models.saved_view import SavedView, UsageRange
from gateway.models.seller import Seller
from gateway.models.statement import MonthlyStatement
from gateway.models.usage_event import Resource, UsageEvent
from gateway.models.webhook_event import WebhookEvent, WebhookInvoice, WebhookState
from gateway.models.zone_change import (
    StagedActivity,
    StagedDay,
    StagedLedgerDay,
    StagedProject,
    ZoneChange,
)

__all__ = [
    "SETTLED",
    "Account",
    "AccountMember",
    "ApiKey",
    "AuditEvent",
    "CreditPurchase",
    "CreditPurchaseKind",
    "CreditPurchaseStatus",
    "Deployment",
    "Dispute",
    "DisputeMovement",
    "DisputeStatus",
    "IdempotencyKey",
    "ImportedCharge",
    "Instant",
    "Job",
    "JobState",
    "LedgerCause",
    "LedgerDay",
    "LedgerEntry",
    "LowBalance",
    "MonthlyStatement",
    "PaymentMethodType",
    "QuarteredDay",
    "Receipt",
    "ReceiptKind",
    "ReceiptSequence",
    "Refund",
    "RefundStatus",
    "Resource",
    "RollupActivity",
    "RollupBlock",
    "RollupDay",
    "RollupProject",
    "RollupSlot",
    "SavedView",
    "Seller",
    "StagedActivity",
    "StagedDay",
    "StagedLedgerDay",
    "StagedProject",
    "UnpackedDay",
    "UsageEvent",
    "UsageRange",
    "WebhookEvent",
    "WebhookInvoice",
    "WebhookState",
    "ZoneChange",
    "charged_nanos",
    "metadata",
    "receipt_kind",
    "table_of",
]
