"""Keep usage queries that people name."""

import sqlalchemy as sa
from alembic import op

from gateway.migrations.row_security import Rows, protect
from gateway.models import Instant

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "saved_view",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("interval", sa.String(length=8), nullable=True),
        sa.Column("range", sa.String(length=20), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=True),
        sa.Column("filter", sa.Text(), nullable=True),
        sa.Column("group_by", sa.String(length=20), nullable=True),
        sa.Column("then_by", sa.String(length=20), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_saved_view"),
        sa.UniqueConstraint(
            "account_id", "subject", "name", name="uq_saved_view_account_id_subject_name"
        ),
    )
    protect("saved_view", Rows.OF_PERSON)
