"""Keep when a key was last used; null for keys that were not used since."""

import sqlalchemy as sa
from alembic import op

from gateway.models import Instant

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("api_key", sa.Column("last_used_at", Instant(), nullable=True))
