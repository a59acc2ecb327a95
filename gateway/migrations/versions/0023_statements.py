"""Keep monthly statements, and when the usage of a ledger entry began.

`earliest_at` bounds the events that a statement looks at; of entries recorded by earlier versions
it is not known, and their statements look at all events.
"""

import sqlalchemy as sa
from alembic import op

from gateway.migrations.row_security import protect
from gateway.models import Instant

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.add_column("ledger_entry", sa.Column("earliest_at", Instant(), nullable=True))
    op.create_table(
        "statement",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("first_version", sa.BigInteger(), nullable=False),
        sa.Column("last_version", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("opening_nanos", sa.BigInteger(), nullable=False),
        sa.Column("closing_nanos", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=False),
        sa.Column("issued_at", Instant(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("length(month) = 7", name=op.f("ck_statement_month_length")),
        sa.CheckConstraint(
            "last_version >= first_version - 1", name=op.f("ck_statement_versions_in_order")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "currency"],
            ["account.account_id", "account.currency"],
            name=op.f("fk_statement_account_id_currency"),
        ),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.id"], name=op.f("fk_statement_seller_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_statement"),
        sa.UniqueConstraint("account_id", "month", name=op.f("uq_statement_account_id_month")),
        sa.UniqueConstraint("number", name=op.f("uq_statement_number")),
    )
    op.create_index(
        "ix_receipt_account_id_issued_at_id",
        "receipt",
        ["account_id", "issued_at", "id"],
        if_not_exists=True,
    )
    protect("statement")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER statement_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
            "ON statement FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER statement_refuses_{change.lower()} BEFORE {change} ON statement "
            "BEGIN SELECT RAISE(ABORT, 'rows of statement are never changed'); END"
        )
