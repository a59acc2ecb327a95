"""Let the owners of an account read its audit events.

Of an earlier event it is not known whether the account's own API key was the actor.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

OWNED = """
EXISTS (
  SELECT FROM account_member
  WHERE account_member.account_id = audit_event.account_id
    AND subject = current_setting('app.principal', true) AND role = 'OWNER'
)
"""
SEEN = """
coalesce(account_id = ANY ((SELECT gateway_accounts())::bigint[]),
  (SELECT gateway_accounts()) IS NULL)
AND coalesce(current_setting('app.principal', true), '') = ''
"""


def upgrade() -> None:
    op.add_column("audit_event", sa.Column("actor_account_id", sa.BigInteger(), nullable=True))
    no_read = sa.text("deed <> 'data.read'")
    op.create_index(
        "ix_audit_event_account_deeds",
        "audit_event",
        ["account_id", "id"],
        if_not_exists=True,
        postgresql_where=no_read,
        sqlite_where=no_read,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"ALTER POLICY rows_seen ON audit_event USING (({SEEN}) "
            f"OR (deed <> 'data.read' AND {OWNED}))"
        )
