"""Keep the buyer's details on documents, and the lines of a purchase's tax."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.add_column("account", sa.Column("billing", sa.Text(), nullable=True))
    op.add_column("credit_purchase", sa.Column("taxes", sa.Text(), nullable=True))
