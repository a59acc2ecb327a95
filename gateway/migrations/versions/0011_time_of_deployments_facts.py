"""Keep the period of each deployment's latest usage, and when its facts were stated.

What is stored is taken for stated with the latest usage; a start that is the earliest event's is
taken for one that no event states. A deployment with usage after its `closed_at` runs again.
"""

import sqlalchemy as sa
from alembic import op

from gateway.models import Instant

revision = "0011"
down_revision = "0010"

OF_DEPLOYMENT = "account_id = deployment.account_id AND deployment_id = deployment.id"


def upgrade() -> None:
    op.add_column("deployment", sa.Column("last_used_at", Instant(), nullable=True))
    op.add_column("deployment", sa.Column("last_used_until", Instant(), nullable=True))
    op.add_column("deployment", sa.Column("facts_at", sa.Text(), nullable=True))
    # Events have no index by deployment: each is read once, into a table with one.
    op.execute(
        "CREATE TEMPORARY TABLE usage_of_deployment AS SELECT account_id, deployment_id, "
        "min(started_at) AS earliest, "
        "max(CASE WHEN NOT correction THEN started_at END) AS latest "
        "FROM usage_event WHERE deployment_id IS NOT NULL GROUP BY account_id, deployment_id"
    )
    op.execute(
        "CREATE UNIQUE INDEX usage_of_deployment_key "
        "ON usage_of_deployment (account_id, deployment_id)"
    )
    op.execute(
        "UPDATE deployment SET last_used_at = "
        f"(SELECT latest FROM usage_of_deployment WHERE {OF_DEPLOYMENT}), facts_at = CASE "
        "WHEN started_at = (SELECT earliest FROM usage_of_deployment "
        f"WHERE {OF_DEPLOYMENT}) THEN NULL ELSE '{{\"started_at\"\\:0}}' END"
    )
    op.execute(
        "UPDATE deployment SET last_used_until = (SELECT max(ended_at) FROM usage_event "
        f"WHERE {OF_DEPLOYMENT} AND NOT correction AND usage_event.started_at = last_used_at)"
    )
    op.execute(
        "UPDATE deployment SET closed_at = NULL WHERE last_used_at > closed_at "
        "OR (last_used_at = closed_at AND last_used_until > closed_at)"
    )
    op.execute("DROP TABLE usage_of_deployment")
