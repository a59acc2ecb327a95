"""Keep the project of usage: of each event that names one, of its deployment, and by day.

Nothing is rewritten and nothing is filled in: no usage of before names a project, and what names
none has no row in the new table. A version that knows no projects goes on writing all it knew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    for table in ("usage_event", "deployment"):
        op.add_column(table, sa.Column("project", sa.String(length=200), nullable=True))
    op.create_table(
        "rollup_project",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("project", sa.String(length=200), nullable=False),
        sa.Column("deployment_id", sa.BigInteger(), nullable=False),
        sa.Column("resource", sa.String(length=8), nullable=False),
        sa.Column("provider", sa.String(length=200), nullable=False),
        sa.Column("gpu_model", sa.String(length=200), nullable=False),
        sa.Column("spent_nanos", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "account_id",
            "day",
            "project",
            "deployment_id",
            "resource",
            "provider",
            "gpu_model",
            name="pk_rollup_project",
        ),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        # Its rows change with every batch: see 0002.
        op.execute("ALTER TABLE rollup_project SET (fillfactor = 70)")
