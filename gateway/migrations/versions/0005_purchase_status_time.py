"""Keep the provider's time of the facts that an unsettled purchase shows."""

import sqlalchemy as sa
from alembic import op

from gateway.models.base import Instant

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("credit_purchase", sa.Column("status_at", Instant(), nullable=True))
    op.execute("UPDATE credit_purchase SET status_at = coalesce(settled_at, failed_at, created_at)")
