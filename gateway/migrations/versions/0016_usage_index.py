"""Read a chart off an index: on Postgres a year's days lie on as many pages of the table, and on
three of the index.

A row's set of deployments has no limit that an index has, so the few rows with large sets have an
index of their own. SQLite keeps the table itself in the order of its key.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.create_index(
        "ix_rollup_day_usage",
        "rollup_day",
        ["account_id", "day"],
        postgresql_include=["spent_nanos", "deployments"],
        postgresql_where=sa.text("octet_length(deployments) <= 2000"),
        if_not_exists=True,
    )
    op.create_index(
        "ix_rollup_day_large_usage",
        "rollup_day",
        ["account_id", "day"],
        postgresql_where=sa.text("octet_length(deployments) > 2000"),
        if_not_exists=True,
    )
