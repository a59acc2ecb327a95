"""Find purchases by a part of a document's number without reading the documents."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_index(
        "ix_receipt_account_id_number_purchase_id",
        "receipt",
        ["account_id", "number", "purchase_id"],
    )
