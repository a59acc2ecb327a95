"""Keep the provider's name for a payment method.

Until now it was kept as the words that were made of it, or not at all where a bank's name was
known. Rows of before keep those: they are read as the name that they were made of.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column(
        "credit_purchase", sa.Column("payment_method_name", sa.String(length=50), nullable=True)
    )
