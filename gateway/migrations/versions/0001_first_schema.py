"""Create every table, and the triggers that keep facts as they are."""

import sqlalchemy as sa
from alembic import op

from gateway.models import Instant

revision = "0001"
down_revision = None

FACTS = ("ledger_entry", "receipt", "seller", "usage_event")
"""Tables whose rows are never changed: a correction is a new row."""


def upgrade() -> None:
    create_account()
    create_rollup_activity()
    create_rollup_day()
    create_rollup_slot()
    create_usage_event()
    create_account_member()
    create_api_key()
    create_credit_purchase()
    create_deployment()
    create_idempotency_key()
    create_receipt_sequence()
    create_seller()
    create_webhook_event()
    create_dispute()
    create_ledger_entry()
    create_refund()
    create_receipt()
    if op.get_bind().dialect.name == "postgresql":
        protect_facts_on_postgresql()
    else:
        protect_facts_on_sqlite()


def protect_facts_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME "
        "USING ERRCODE = 'restrict_violation'; END $$"
    )
    for table in FACTS:
        op.execute(
            f"CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
            f"ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def protect_facts_on_sqlite() -> None:
    for table in FACTS:
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed'); END"
            )


def create_account() -> None:
    op.create_table(
        "account",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("receipt_prefix", sa.String(length=8), nullable=False),
        sa.Column("stripe_customer_id", sa.String(length=255), nullable=True),
        sa.Column("balance_nanos", sa.BigInteger(), nullable=False),
        sa.Column("ledger_version", sa.BigInteger(), nullable=False),
        sa.Column("balance_at", Instant(), nullable=False),
        sa.Column("low_balance", sa.String(length=8), nullable=True),
        sa.Column("low_balance_nanos", sa.BigInteger(), nullable=True),
        sa.Column("low_balance_days", sa.Integer(), nullable=True),
        sa.Column("deployment_count", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "low_balance IN ('MONEY', 'DAYS')", name=op.f("ck_account_low_balance_known")
        ),
        sa.CheckConstraint(
            "deployment_count >= 0", name=op.f("ck_account_deployment_count_not_negative")
        ),
        sa.CheckConstraint("revision >= 0", name=op.f("ck_account_revision_not_negative")),
        sa.CheckConstraint(
            "ledger_version >= 0", name=op.f("ck_account_ledger_version_not_negative")
        ),
        sa.CheckConstraint("length(currency) = 3", name=op.f("ck_account_currency_iso")),
        sa.CheckConstraint(
            "length(receipt_prefix) = 8", name=op.f("ck_account_receipt_prefix_length")
        ),
        sa.CheckConstraint(
            "low_balance_days > 0", name=op.f("ck_account_low_balance_days_positive")
        ),
        sa.PrimaryKeyConstraint("account_id", name="pk_account"),
        sa.UniqueConstraint("account_id", "currency", name="uq_account_account_id_currency"),
        sa.UniqueConstraint("external_id", name="uq_account_external_id"),
        sa.UniqueConstraint("receipt_prefix", name="uq_account_receipt_prefix"),
        sa.UniqueConstraint("stripe_customer_id", name="uq_account_stripe_customer_id"),
    )


def create_rollup_activity() -> None:
    op.create_table(
        "rollup_activity",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("deployment_id", sa.BigInteger(), nullable=False),
        sa.Column("resource", sa.String(length=8), nullable=False),
        sa.Column("provider", sa.String(length=200), nullable=False),
        sa.Column("gpu_model", sa.String(length=200), nullable=False),
        sa.Column("spent_nanos", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "account_id",
            "day",
            "deployment_id",
            "resource",
            "provider",
            "gpu_model",
            name="pk_rollup_activity",
        ),
        sqlite_with_rowid=False,
    )


def create_rollup_day() -> None:
    op.create_table(
        "rollup_day",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("spent_nanos", sa.BigInteger(), nullable=False),
        sa.Column("purchased_nanos", sa.BigInteger(), nullable=False),
        sa.Column("bonus_nanos", sa.BigInteger(), nullable=False),
        sa.Column("refunded_nanos", sa.BigInteger(), nullable=False),
        sa.Column("adjusted_nanos", sa.BigInteger(), nullable=False),
        sa.Column("deployments", sa.LargeBinary(), nullable=False),
        sa.Column("resources", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "day", name="pk_rollup_day"),
        sqlite_with_rowid=False,
    )


def create_rollup_slot() -> None:
    op.create_table(
        "rollup_slot",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("spent_nanos", sa.BigInteger(), nullable=False),
        sa.Column("purchased_nanos", sa.BigInteger(), nullable=False),
        sa.Column("bonus_nanos", sa.BigInteger(), nullable=False),
        sa.Column("refunded_nanos", sa.BigInteger(), nullable=False),
        sa.Column("adjusted_nanos", sa.BigInteger(), nullable=False),
        sa.Column("deployments", sa.LargeBinary(), nullable=False),
        sa.Column("resources", sa.Text(), nullable=False),
        sa.Column("slot_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "slot_at", name="pk_rollup_slot"),
        sqlite_with_rowid=False,
    )


def create_usage_event() -> None:
    op.create_table(
        "usage_event",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("deployment_id", sa.BigInteger(), nullable=True),
        sa.Column("resource", sa.String(length=8), nullable=False),
        sa.Column("unit", sa.String(length=100), nullable=False),
        sa.Column("quantity_nanos", sa.BigInteger(), nullable=False),
        sa.Column("quantity_text", sa.String(length=64), nullable=True),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("amount_text", sa.String(length=64), nullable=True),
        sa.Column("correction", sa.Boolean(), nullable=False),
        sa.Column("provider", sa.String(length=200), nullable=True),
        sa.Column("gpu_model", sa.String(length=200), nullable=True),
        sa.Column("region", sa.String(length=200), nullable=True),
        sa.Column("service", sa.String(length=200), nullable=True),
        sa.Column("sku", sa.String(length=200), nullable=True),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("ledger_version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "resource IN ('CPU', 'MEMORY', 'STORAGE', 'GPU', 'NETWORK', 'IP', 'OTHER')",
            name=op.f("ck_usage_event_resource_known"),
        ),
        sa.CheckConstraint(
            "amount_nanos >= 0 OR correction", name=op.f("ck_usage_event_negative_is_correction")
        ),
        sa.CheckConstraint("ended_at >= started_at", name=op.f("ck_usage_event_ended_after_start")),
        sa.PrimaryKeyConstraint("account_id", "source", "event_id", name="pk_usage_event"),
    )
    op.create_index(
        "ix_usage_event_account_id_started_at",
        "usage_event",
        ["account_id", "started_at"],
        unique=False,
    )


def create_account_member() -> None:
    op.create_table(
        "account_member",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "role IN ('OWNER', 'BILLING', 'VIEWER')", name=op.f("ck_account_member_role_known")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name="fk_account_member_account_id"
        ),
        sa.PrimaryKeyConstraint("account_id", "subject", name="pk_account_member"),
    )
    op.create_index(
        "ix_account_member_subject_account_id",
        "account_member",
        ["subject", "account_id"],
        unique=False,
    )


def create_api_key() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.String(length=200), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name="fk_api_key_account_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
    )
    op.create_index("ix_api_key_account_id", "api_key", ["account_id"], unique=False)


def create_credit_purchase() -> None:
    op.create_table(
        "credit_purchase",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("tax_nanos", sa.BigInteger(), nullable=False),
        sa.Column("bonus_nanos", sa.BigInteger(), nullable=False),
        sa.Column("refunded_nanos", sa.BigInteger(), nullable=False),
        sa.Column("bonus_reversed_nanos", sa.BigInteger(), nullable=False),
        sa.Column("disputed_nanos", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=True),
        sa.Column("failure_code", sa.String(length=100), nullable=True),
        sa.Column("failure_reason", sa.String(length=2000), nullable=True),
        sa.Column("payment_method_type", sa.String(length=12), nullable=True),
        sa.Column("payment_method_brand", sa.String(length=50), nullable=True),
        sa.Column("payment_method_last4", sa.String(length=4), nullable=True),
        sa.Column("payment_method_label", sa.String(length=200), nullable=True),
        sa.Column("provider", sa.String(length=50), nullable=True),
        sa.Column("provider_reference", sa.String(length=255), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("failed_at", Instant(), nullable=True),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(settled_at IS NOT NULL) = "
            "(status IN ('SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'DISPUTED'))",
            name=op.f("ck_credit_purchase_settled_with_status"),
        ),
        sa.CheckConstraint(
            "kind IN ('CARD', 'COUPON', 'MANUAL_CREDIT', 'TRIAL_GRANT')",
            name=op.f("ck_credit_purchase_kind_known"),
        ),
        sa.CheckConstraint(
            "payment_method_type IN ('CARD', 'WALLET', 'LINK', 'BANK_ACCOUNT', 'OTHER')",
            name=op.f("ck_credit_purchase_payment_method_type_known"),
        ),
        sa.CheckConstraint(
            "status IN ('PENDING', 'REQUIRES_ACTION', 'SUCCEEDED', 'PARTIALLY_REFUNDED', "
            "'REFUNDED', 'DISPUTED', 'FAILED', 'CANCELED')",
            name=op.f("ck_credit_purchase_status_known"),
        ),
        sa.CheckConstraint("amount_nanos > 0", name=op.f("ck_credit_purchase_amount_positive")),
        sa.CheckConstraint(
            "bonus_reversed_nanos >= 0 AND bonus_reversed_nanos <= bonus_nanos",
            name=op.f("ck_credit_purchase_bonus_reversed_in_bonus"),
        ),
        sa.CheckConstraint(
            "disputed_nanos >= 0 AND disputed_nanos <= refunded_nanos",
            name=op.f("ck_credit_purchase_disputed_in_refunded"),
        ),
        sa.CheckConstraint(
            "refunded_nanos >= 0 AND refunded_nanos <= amount_nanos",
            name=op.f("ck_credit_purchase_refunded_in_amount"),
        ),
        sa.CheckConstraint("tax_nanos >= 0", name=op.f("ck_credit_purchase_tax_not_negative")),
        sa.ForeignKeyConstraint(
            ["account_id", "currency"],
            ["account.account_id", "account.currency"],
            name="fk_credit_purchase_account_id_currency",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_credit_purchase"),
        sa.UniqueConstraint(
            "account_id",
            "provider",
            "provider_reference",
            name="uq_credit_purchase_account_id_provider_provider_reference",
        ),
    )
    op.create_index(
        "ix_credit_purchase_account_id_created_at_id",
        "credit_purchase",
        ["account_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_credit_purchase_account_id_revision",
        "credit_purchase",
        ["account_id", "revision"],
        unique=False,
    )


def create_deployment() -> None:
    op.create_table(
        "deployment",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(length=1000), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("provider", sa.String(length=200), nullable=True),
        sa.Column("gpu_model", sa.String(length=200), nullable=True),
        sa.Column("region", sa.String(length=200), nullable=True),
        sa.Column("service", sa.String(length=200), nullable=True),
        sa.Column("cpu_nanos", sa.BigInteger(), nullable=True),
        sa.Column("gpu_nanos", sa.BigInteger(), nullable=True),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=True),
        sa.Column("storage_bytes", sa.BigInteger(), nullable=True),
        sa.Column("spend_nanos", sa.BigInteger(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "closed_at >= started_at", name=op.f("ck_deployment_closed_after_start")
        ),
        sa.CheckConstraint("ordinal >= 0", name=op.f("ck_deployment_ordinal_not_negative")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name="fk_deployment_account_id"
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_deployment"),
        sa.UniqueConstraint(
            "account_id", "external_id", name="uq_deployment_account_id_external_id"
        ),
        sa.UniqueConstraint("account_id", "ordinal", name="uq_deployment_account_id_ordinal"),
    )
    op.create_index(
        "ix_deployment_account_id_started_at_id",
        "deployment",
        ["account_id", "started_at", "id"],
        unique=False,
    )


def create_idempotency_key() -> None:
    op.create_table(
        "idempotency_key",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name="fk_idempotency_key_account_id"
        ),
        sa.PrimaryKeyConstraint("account_id", "key", name="pk_idempotency_key"),
    )


def create_receipt_sequence() -> None:
    op.create_table(
        "receipt_sequence",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last_sequence", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name="fk_receipt_sequence_account_id"
        ),
        sa.PrimaryKeyConstraint("account_id", "year", name="pk_receipt_sequence"),
    )


def create_seller() -> None:
    op.create_table(
        "seller",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("logo", sa.LargeBinary(), nullable=True),
        sa.Column("logo_type", sa.String(length=4), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_seller"),
    )


def create_webhook_event() -> None:
    op.create_table(
        "webhook_event",
        sa.Column("provider", sa.String(length=50), nullable=False),
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=True),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("customer_id", sa.String(length=255), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("applied_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "state IN ('APPLIED', 'PARKED', 'IGNORED')", name=op.f("ck_webhook_event_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name="fk_webhook_event_account_id"
        ),
        sa.PrimaryKeyConstraint("provider", "event_id", name="pk_webhook_event"),
    )
    op.create_index(
        "ix_webhook_event_provider_object_id",
        "webhook_event",
        ["provider", "object_id"],
        unique=False,
    )
    op.create_index(
        "ix_webhook_event_state_provider", "webhook_event", ["state", "provider"], unique=False
    )


def create_dispute() -> None:
    op.create_table(
        "dispute",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("purchase_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=4), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("debited_nanos", sa.BigInteger(), nullable=False),
        sa.Column("credited_nanos", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=True),
        sa.Column("provider", sa.String(length=50), nullable=True),
        sa.Column("provider_reference", sa.String(length=255), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("withdrawn_at", Instant(), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "credited_nanos = 0 OR (credited_nanos = debited_nanos AND state = 'WON')",
            name=op.f("ck_dispute_credited_when_won"),
        ),
        sa.CheckConstraint("state IN ('OPEN', 'WON', 'LOST')", name=op.f("ck_dispute_state_known")),
        sa.CheckConstraint("amount_nanos > 0", name=op.f("ck_dispute_amount_positive")),
        sa.CheckConstraint(
            "debited_nanos >= 0 AND debited_nanos <= amount_nanos",
            name=op.f("ck_dispute_debited_in_amount"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "purchase_id"],
            ["credit_purchase.account_id", "credit_purchase.id"],
            name="fk_dispute_account_id_purchase_id",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_dispute"),
        sa.UniqueConstraint(
            "account_id",
            "provider",
            "provider_reference",
            name="uq_dispute_account_id_provider_provider_reference",
        ),
    )
    op.create_index(
        "ix_dispute_account_id_purchase_id", "dispute", ["account_id", "purchase_id"], unique=False
    )


def create_ledger_entry() -> None:
    op.create_table(
        "ledger_entry",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(length=10), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("balance_nanos", sa.BigInteger(), nullable=False),
        sa.Column("source_key", sa.String(length=100), nullable=False),
        sa.Column("purchase_id", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.String(length=2000), nullable=True),
        sa.Column("effective_at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "cause IN ('PURCHASE', 'BONUS', 'REFUND', 'DISPUTE', 'USAGE', 'ADJUSTMENT')",
            name=op.f("ck_ledger_entry_cause_known"),
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_ledger_entry_version_positive")),
        sa.ForeignKeyConstraint(
            ["account_id", "purchase_id"],
            ["credit_purchase.account_id", "credit_purchase.id"],
            name="fk_ledger_entry_account_id_purchase_id",
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name="fk_ledger_entry_account_id"
        ),
        sa.PrimaryKeyConstraint("account_id", "version", name="pk_ledger_entry"),
        sa.UniqueConstraint(
            "account_id", "source_key", name="uq_ledger_entry_account_id_source_key"
        ),
        sqlite_with_rowid=False,
    )


def create_refund() -> None:
    op.create_table(
        "refund",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("purchase_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("tax_nanos", sa.BigInteger(), nullable=False),
        sa.Column("bonus_reversed_nanos", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=True),
        sa.Column("failure_reason", sa.String(length=2000), nullable=True),
        sa.Column("provider", sa.String(length=50), nullable=True),
        sa.Column("provider_reference", sa.String(length=255), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "settled_at IS NULL OR status = 'SUCCEEDED'", name=op.f("ck_refund_settled_with_status")
        ),
        sa.CheckConstraint(
            "status IN ('PENDING', 'SUCCEEDED', 'FAILED', 'CANCELED')",
            name=op.f("ck_refund_status_known"),
        ),
        sa.CheckConstraint("amount_nanos > 0", name=op.f("ck_refund_amount_positive")),
        sa.CheckConstraint(
            "bonus_reversed_nanos >= 0", name=op.f("ck_refund_bonus_reversed_not_negative")
        ),
        sa.CheckConstraint("tax_nanos >= 0", name=op.f("ck_refund_tax_not_negative")),
        sa.ForeignKeyConstraint(
            ["account_id", "currency"],
            ["account.account_id", "account.currency"],
            name="fk_refund_account_id_currency",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "purchase_id"],
            ["credit_purchase.account_id", "credit_purchase.id"],
            name="fk_refund_account_id_purchase_id",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_refund"),
        sa.UniqueConstraint(
            "account_id",
            "provider",
            "provider_reference",
            name="uq_refund_account_id_provider_provider_reference",
        ),
    )
    op.create_index(
        "ix_refund_account_id_purchase_id_created_at_id",
        "refund",
        ["account_id", "purchase_id", "created_at", "id"],
        unique=False,
    )


def create_receipt() -> None:
    op.create_table(
        "receipt",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("purchase_id", sa.BigInteger(), nullable=False),
        sa.Column("refund_id", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total_nanos", sa.BigInteger(), nullable=False),
        sa.Column("tax_nanos", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", Instant(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("sequence > 0", name=op.f("ck_receipt_sequence_positive")),
        sa.ForeignKeyConstraint(
            ["account_id", "currency"],
            ["account.account_id", "account.currency"],
            name="fk_receipt_account_id_currency",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "purchase_id"],
            ["credit_purchase.account_id", "credit_purchase.id"],
            name="fk_receipt_account_id_purchase_id",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "refund_id"],
            ["refund.account_id", "refund.id"],
            name="fk_receipt_account_id_refund_id",
        ),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.id"], name="fk_receipt_seller_id"),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_receipt"),
        sa.UniqueConstraint(
            "account_id", "year", "sequence", name="uq_receipt_account_id_year_sequence"
        ),
        sa.UniqueConstraint("number", name="uq_receipt_number"),
    )
    op.create_index(
        "uq_receipt_account_id_purchase_id",
        "receipt",
        ["account_id", "purchase_id"],
        unique=True,
        postgresql_where=sa.text("refund_id IS NULL"),
        sqlite_where=sa.text("refund_id IS NULL"),
    )
    op.create_index(
        "uq_receipt_account_id_refund_id",
        "receipt",
        ["account_id", "refund_id"],
        unique=True,
        postgresql_where=sa.text("refund_id IS NOT NULL"),
        sqlite_where=sa.text("refund_id IS NOT NULL"),
    )
    # ### end Alembic commands ###
