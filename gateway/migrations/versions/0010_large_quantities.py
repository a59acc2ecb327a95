"""Keep quantities of up to 38 digits: byte-seconds do not fit 64 bits of nanos.

Nanos stay what is counted, so no number is scaled. Postgres writes `usage_event` and its indexes
again, and nobody reads or writes the table meanwhile: about a minute for ten million events, and
as much room on the disk as the table has. SQLite, where a column keeps its type, makes the table
again and copies the events.
"""

import sqlalchemy as sa
from alembic import op

from gateway.models import Instant

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("usage_event", "quantity_nanos", type_=sa.Numeric(38, 0))
    else:
        make_usage_event_again()


def make_usage_event_again() -> None:
    # Dropping the old table drops its triggers and fires none.
    create_usage_event("new_usage_event")
    op.execute("INSERT INTO new_usage_event SELECT * FROM usage_event")
    op.drop_table("usage_event")
    op.rename_table("new_usage_event", "usage_event")
    op.create_index(
        "ix_usage_event_account_id_started_at", "usage_event", ["account_id", "started_at"]
    )
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER usage_event_refuses_{change.lower()} BEFORE {change} ON usage_event "
            "BEGIN SELECT RAISE(ABORT, 'rows of usage_event are never changed'); END"
        )


def create_usage_event(name: str) -> None:
    op.create_table(
        name,
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("deployment_id", sa.BigInteger(), nullable=True),
        sa.Column("resource", sa.String(length=8), nullable=False),
        sa.Column("unit", sa.String(length=100), nullable=False),
        sa.Column("quantity_nanos", sa.Text(), nullable=False),
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
