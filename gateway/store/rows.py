"""Rows as statements return them: a `TypedDict` of the columns, in the order of the table's.

Money is in nanos of the account's currency, instants are in UTC. A row of one module's alone stands
beside its statement; rows that are written are `NamedTuple`s there.
"""

from datetime import date, datetime
from typing import TypedDict


class AccountRow(TypedDict):
    """A row of `account`."""

    account_id: int
    external_id: str
    name: str
    currency: str
    time_zone: str
    receipt_prefix: str
    stripe_customer_id: str | None
    balance_nanos: int
    ledger_version: int
    balance_at: datetime
    low_balance: str | None
    low_balance_nanos: int | None
    low_balance_days: int | None
    deployment_count: int
    revision: int
    created_at: datetime
    billing: str | None
    pending_time_zone: str | None


class LockedAccount(AccountRow):
    """An account, and whether a purchase that settles now has a receipt."""

    issues_receipts: bool


class VisibleAccount(AccountRow):
    """An account that a principal may read, with their role in it."""

    role: str


class WatchedAccount(VisibleAccount):
    """An account with its last ledger entry; both are null before the first."""

    last_cause: str | None
    last_amount_nanos: int | None


class MemberRow(TypedDict):
    """A row of `account_member`."""

    account_id: int
    subject: str
    role: str
    created_at: datetime


class CreditPurchaseRow(TypedDict):
    """A row of `credit_purchase`."""

    account_id: int
    id: int
    kind: str
    status: str
    currency: str
    amount_nanos: int
    tax_nanos: int
    bonus_nanos: int
    refunded_nanos: int
    bonus_reversed_nanos: int
    disputed_nanos: int
    description: str | None
    failure_code: str | None
    failure_reason: str | None
    payment_method_type: str | None
    payment_method_name: str | None
    payment_method_brand: str | None
    payment_method_last4: str | None
    payment_method_label: str | None
    provider: str | None
    provider_reference: str | None
    created_at: datetime
    status_at: datetime | None
    failed_at: datetime | None
    settled_at: datetime | None
    revision: int
    receipted: bool
    taxes: str | None


class RefundRow(TypedDict):
    """A row of `refund`."""

    account_id: int
    id: int
    purchase_id: int
    status: str
    currency: str
    amount_nanos: int
    tax_nanos: int
    bonus_reversed_nanos: int
    reason: str | None
    failure_reason: str | None
    provider: str | None
    provider_reference: str | None
    created_at: datetime
    settled_at: datetime | None
    has_succeeded: bool
    failed_at: datetime | None


class DisputeRow(TypedDict):
    """A row of `dispute`."""

    account_id: int
    id: int
    purchase_id: int
    state: str
    amount_nanos: int
    held_nanos: int
    reason: str | None
    provider: str | None
    provider_reference: str | None
    created_at: datetime
    closed_at: datetime | None


class VisibleDispute(DisputeRow):
    """A dispute with its account's currency."""

    currency: str


class DisputeMovementRow(TypedDict):
    """A row of `dispute_movement`."""

    account_id: int
    dispute_id: int
    reference: str
    amount_nanos: int
    moved_at: datetime


class ReceiptRow(TypedDict):
    """A row of `receipt` without `data`, which is large."""

    account_id: int
    id: int
    number: str
    year: int
    sequence: int
    purchase_id: int
    refund_id: int | None
    cancels_id: int | None
    currency: str
    total_nanos: int
    tax_nanos: int
    issued_at: datetime
    seller_id: int | None


class StatementRow(TypedDict):
    """A row of `statement` without `data`, which is large."""

    account_id: int
    id: int
    number: str
    month: str
    first_version: int
    last_version: int
    currency: str
    opening_nanos: int
    closing_nanos: int
    ended_at: datetime
    issued_at: datetime
    seller_id: int | None


class StoredDeployment(TypedDict):
    """A row of `deployment`."""

    account_id: int
    id: int
    ordinal: int
    external_id: str
    name: str | None
    provider: str | None
    gpu_model: str | None
    region: str | None
    service: str | None
    cpu_nanos: int | None
    gpu_nanos: int | None
    memory_bytes: int | None
    storage_bytes: int | None
    spend_nanos: int
    started_at: datetime
    closed_at: datetime | None
    created_at: datetime
    last_used_at: datetime | None
    last_used_until: datetime | None
    facts_at: str | None
    project: str | None


class VisibleDeployment(StoredDeployment):
    """A deployment with its account's currency."""

    currency: str


class LedgerEntryRow(TypedDict):
    """A row of `ledger_entry`."""

    account_id: int
    version: int
    cause: str
    amount_nanos: int
    balance_nanos: int
    source_key: str
    purchase_id: int | None
    description: str | None
    effective_at: datetime
    recorded_at: datetime
    refund_id: int | None
    dispute_id: int | None
    earliest_at: datetime | None


class LedgerRow(TypedDict):
    """A row of the ledger as people read it: an entry, or a day's usage.

    `version` and `recorded_at` are its last entry's; `key` is its first entry's version, which
    names it; `day` is null but for usage.
    """

    account_id: int
    key: int
    version: int
    recorded_at: datetime
    cause: str
    day: date | None
    amount_nanos: int
    balance_nanos: int
    description: str | None
    purchase_id: int | None
    refund_id: int | None
    dispute_id: int | None
    currency: str


class LedgerDayRow(TypedDict):
    """A row of `ledger_day`."""

    account_id: int
    day: date
    amount_nanos: int
    opening_nanos: int
    balance_nanos: int
    first_version: int
    first_at: datetime
    version: int
    recorded_at: datetime


class PeriodSumsRow(TypedDict):
    """The common columns of the roll-ups by quarter hour and by day: sums, the set of active
    deployments (see `bitset`), and quantities by resource as JSON.
    """

    account_id: int
    spent_nanos: int
    purchased_nanos: int
    bonus_nanos: int
    refunded_nanos: int
    adjusted_nanos: int
    deployments: bytes
    resources: str


class SlotRow(PeriodSumsRow):
    """A row of `rollup_slot`: a quarter hour of UTC."""

    slot_at: datetime


class DayRow(PeriodSumsRow):
    """A row of `rollup_day`: a day of the account's own zone."""

    day: date


class ActivityRow(TypedDict):
    """A row of `rollup_activity`: a day's usage of a deployment (0 for none), by breakdown
    dimension.
    """

    account_id: int
    day: date
    deployment_id: int
    resource: str
    provider: str
    gpu_model: str
    spent_nanos: int
    events: int


class ProjectRow(ActivityRow):
    """A row of `rollup_project`: the part of a row of `rollup_activity` that names a project."""

    project: str


class Counted(TypedDict):
    """The totals of a selection of rows."""

    total_count: int
