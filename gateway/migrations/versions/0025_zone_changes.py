"""Prepare an account's new time zone beside traffic.

A version before this one changes a zone at once: a trigger has it end a change that is pending.
"""

import sqlalchemy as sa
from alembic import op

from gateway.migrations.row_security import protect
from gateway.models import Instant

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("account", sa.Column("pending_time_zone", sa.String(length=64), nullable=True))
    op.create_table(
        "zone_change",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("staged_to", sa.Date(), nullable=False),
        sa.Column("entries_to", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("fk_zone_change_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", name="pk_zone_change"),
    )
    stage_days()
    stage_breakdowns()
    for table in (
        "zone_change",
        "staged_day",
        "staged_activity",
        "staged_project",
        "staged_ledger_day",
    ):
        protect(table)
    end_pending_changes()


def stage_days() -> None:
    op.create_table(
        "staged_day",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("spent_nanos", sa.BigInteger(), nullable=False),
        sa.Column("purchased_nanos", sa.BigInteger(), nullable=False),
        sa.Column("bonus_nanos", sa.BigInteger(), nullable=False),
        sa.Column("refunded_nanos", sa.BigInteger(), nullable=False),
        sa.Column("adjusted_nanos", sa.BigInteger(), nullable=False),
        sa.Column("deployments", sa.LargeBinary(), nullable=False),
        sa.Column("resources", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "day", name="pk_staged_day"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "staged_ledger_day",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("opening_nanos", sa.BigInteger(), nullable=False),
        sa.Column("balance_nanos", sa.BigInteger(), nullable=False),
        sa.Column("first_version", sa.BigInteger(), nullable=False),
        sa.Column("first_at", Instant(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "day", name="pk_staged_ledger_day"),
        sqlite_with_rowid=False,
    )


def stage_breakdowns() -> None:
    dimensions = ("deployment_id", "resource", "provider", "gpu_model")
    for table, before in (("staged_activity", ()), ("staged_project", ("project",))):
        op.create_table(
            table,
            sa.Column("account_id", sa.BigInteger(), nullable=False),
            sa.Column("day", sa.Date(), nullable=False),
            *(sa.Column(name, sa.String(length=200), nullable=False) for name in before),
            sa.Column("deployment_id", sa.BigInteger(), nullable=False),
            sa.Column("resource", sa.String(length=8), nullable=False),
            sa.Column("provider", sa.String(length=200), nullable=False),
            sa.Column("gpu_model", sa.String(length=200), nullable=False),
            sa.Column("spent_nanos", sa.BigInteger(), nullable=False),
            sa.Column("events", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint("account_id", "day", *before, *dimensions, name=f"pk_{table}"),
            sqlite_with_rowid=False,
        )


def end_pending_changes() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION end_pending_time_zone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "NEW.pending_time_zone := NULL; RETURN NEW; END $$"
        )
        op.execute(
            "CREATE TRIGGER account_time_zone BEFORE UPDATE OF time_zone ON account "
            "FOR EACH ROW EXECUTE FUNCTION end_pending_time_zone()"
        )
        return
    op.execute(
        "CREATE TRIGGER account_time_zone AFTER UPDATE OF time_zone ON account "
        "WHEN NEW.pending_time_zone IS NOT NULL BEGIN UPDATE account SET pending_time_zone = NULL "
        "WHERE account_id = NEW.account_id; END"
    )
