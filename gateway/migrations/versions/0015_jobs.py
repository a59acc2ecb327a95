"""Keep jobs: work that is deferred in a transaction, and periodic tasks."""

import sqlalchemy as sa
from alembic import op

from gateway.models import Instant

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("queue", sa.String(length=50), nullable=False),
        sa.Column("task", sa.String(length=100), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("lock", sa.String(length=200), nullable=True),
        sa.Column("queueing_lock", sa.String(length=200), nullable=True),
        sa.Column("is_periodic", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease", sa.BigInteger(), nullable=True),
        sa.Column("worker", sa.String(length=100), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("taken_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "state IN ('WAITING', 'RUNNING', 'DEAD')", name=op.f("ck_job_state_known")
        ),
        sa.CheckConstraint(
            "(state = 'RUNNING') = (lease IS NOT NULL)", name=op.f("ck_job_lease_while_running")
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_job_attempts_not_negative")),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
    )
    create_index("ix_job_queue_due_at", "queue", "due_at", where="state <> 'DEAD'")
    create_index("ix_job_lock_id", "lock", "id", where="state <> 'DEAD'")
    create_index("uq_job_queueing_lock", "queueing_lock", where="state = 'WAITING'", unique=True)
    create_index("uq_job_lock", "lock", where="state = 'RUNNING'", unique=True)
    create_index("uq_job_task", "task", where="is_periodic", unique=True)


def create_index(name: str, *columns: str, where: str, unique: bool = False) -> None:
    op.create_index(
        name,
        "job",
        list(columns),
        unique=unique,
        postgresql_where=sa.text(where),
        sqlite_where=sa.text(where),
    )
