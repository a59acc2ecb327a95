"""Keep the audit log: never changed, and not deleted while it is young."""

import sqlalchemy as sa
from alembic import op

from gateway.models import Instant

revision = "0017"
down_revision = "0016"

KEPT_DAYS = 30


def upgrade() -> None:
    op.create_table(
        "audit_event",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("occurred_at", Instant(), nullable=False),
        sa.Column("actor_kind", sa.String(length=8), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("deed", sa.String(length=40), nullable=False),
        sa.Column("target", sa.String(length=300), nullable=True),
        sa.Column("result", sa.String(length=40), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("details", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "actor_kind IN ('PERSON', 'API_KEY', 'OPERATOR', 'PROVIDER', 'JOB')",
            name=op.f("ck_audit_event_actor_kind_known"),
        ),
        sa.CheckConstraint("length(result) > 0", name=op.f("ck_audit_event_result_given")),
        sa.PrimaryKeyConstraint("id", name="pk_audit_event"),
    )
    for name in ("account_id", "actor", "deed"):
        op.create_index(f"ix_audit_event_{name}_id", "audit_event", [name, "id"])
    if op.get_bind().dialect.name == "postgresql":
        protect_on_postgresql()
    else:
        protect_on_sqlite()


def protect_on_postgresql() -> None:
    op.execute(
        "CREATE TRIGGER audit_event_refuses_change BEFORE UPDATE OR TRUNCATE ON audit_event "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER audit_event_refuses_delete BEFORE DELETE ON audit_event FOR EACH ROW "
        f"WHEN (OLD.occurred_at > statement_timestamp() - interval '{KEPT_DAYS} days') "
        "EXECUTE FUNCTION refuse_change()"
    )


def protect_on_sqlite() -> None:
    refusal = "BEGIN SELECT RAISE(ABORT, 'rows of audit_event are never changed'); END"
    youngest = f"(CAST(strftime('%s', 'now') AS INTEGER) - {KEPT_DAYS * 86_400}) * 1000000"
    op.execute(f"CREATE TRIGGER audit_event_refuses_update BEFORE UPDATE ON audit_event {refusal}")
    op.execute(
        "CREATE TRIGGER audit_event_refuses_delete BEFORE DELETE ON audit_event "
        f"WHEN OLD.occurred_at > {youngest} {refusal}"
    )
