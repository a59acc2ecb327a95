"""Give `members:write` to the platform's keys that could replace members until now.

A key of one account loses that: it may no longer change who reads the account.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

KEY = sa.table("api_key", *(sa.column(name) for name in ("id", "account_id", "scopes")))


def upgrade() -> None:
    found = op.get_bind().execute(sa.select(KEY).where(KEY.c.account_id.is_(None))).mappings().all()
    for row in found:
        scopes = set(row["scopes"].split())
        if "accounts:write" in scopes:
            changed = " ".join(sorted(scopes | {"members:write"}))
            op.execute(sa.update(KEY).where(KEY.c.id == row["id"]).values(scopes=changed))
