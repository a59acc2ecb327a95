"""Find parked events by an index: all of them, and those of an account that appears.

The index of invoices gets the payments too: without them SQLite read the whole primary key.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

PARKED = "state = 'PARKED'"
OWNERLESS = "account_id IS NULL"
INDEXES = {
    "ix_webhook_event_parked": ("object_id", PARKED),
    "ix_webhook_event_ownerless_external_id": ("external_id", OWNERLESS),
    "ix_webhook_event_ownerless_customer_id": ("customer_id", OWNERLESS),
}


def upgrade() -> None:
    for name, (column, where) in INDEXES.items():
        op.create_index(
            name,
            "webhook_event",
            ["provider", column],
            postgresql_where=sa.text(where),
            sqlite_where=sa.text(where),
            if_not_exists=True,
        )
    op.create_index(
        "ix_webhook_invoice_provider_invoice_id_payment_id",
        "webhook_invoice",
        ["provider", "invoice_id", "payment_id"],
        if_not_exists=True,
    )
    op.drop_index("ix_webhook_invoice_provider_invoice_id", "webhook_invoice")
