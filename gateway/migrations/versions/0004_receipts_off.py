"""Keep whether the seller issues receipts, and whether a purchase has one.

Until now every purchase that settled had one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for table, column, default in (
        ("seller", "issues_receipts", sa.true()),
        ("credit_purchase", "receipted", sa.false()),
    ):
        op.add_column(
            table, sa.Column(column, sa.Boolean(), nullable=False, server_default=default)
        )
    op.execute("UPDATE credit_purchase SET receipted = TRUE WHERE settled_at IS NOT NULL")
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("seller", "issues_receipts", server_default=None)
        op.alter_column("credit_purchase", "receipted", server_default=None)
