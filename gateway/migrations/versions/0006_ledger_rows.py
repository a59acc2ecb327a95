"""Name the refund or dispute of each ledger entry in columns, and let no entry be recorded before
the one before it.

Until now the refund or dispute stood in `source_key` alone: `refund:<id>`, `dispute:<id>`,
`dispute-won:<id>`, `dispute-release:<dispute>:<refund>` and `bonus-reversal:<id>`, followed by
`:<version>` where an entry corrects an earlier one.
"""

import sqlalchemy as sa
from alembic import op

from gateway.models import Instant

revision = "0006"
down_revision = "0002"

PARTS = ("refund", "dispute")
"""What an entry may belong to, each with a column of its key."""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        extend_ledger_on_postgresql()
    else:
        extend_ledger_on_sqlite()


def extend_ledger_on_postgresql() -> None:
    for part in PARTS:
        op.add_column("ledger_entry", sa.Column(f"{part}_id", sa.BigInteger(), nullable=True))
    first, second = "split_part(source_key, ':', 2)", "split_part(source_key, ':', 3)"
    op.execute("ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_is_append_only")
    op.execute(
        f"UPDATE ledger_entry SET refund_id = {column('refund', first, second)}, "
        f"dispute_id = {column('dispute', first, second)} "
        "WHERE cause IN ('REFUND', 'DISPUTE') OR source_key LIKE 'bonus-reversal:%'"
    )
    op.execute(
        "UPDATE ledger_entry SET recorded_at = later.recorded_at FROM ("
        "SELECT account_id, version, recorded_at AS own, "
        "max(recorded_at) OVER (PARTITION BY account_id ORDER BY version) AS recorded_at "
        "FROM ledger_entry) AS later WHERE later.own < later.recorded_at "
        "AND ledger_entry.account_id = later.account_id AND ledger_entry.version = later.version"
    )
    op.execute("ALTER TABLE ledger_entry ENABLE TRIGGER ledger_entry_is_append_only")
    for part in PARTS:
        op.create_foreign_key(
            f"fk_ledger_entry_account_id_{part}_id",
            "ledger_entry",
            part,
            ["account_id", f"{part}_id"],
            ["account_id", "id"],
        )
    take_over_recorded_at()


def extend_ledger_on_sqlite() -> None:
    # SQLite adds no foreign key to a table that is there: the table is made again, and filled from
    # the old one. Dropping that drops its triggers and fires none.
    create_ledger_entry("new_ledger_entry")
    names = ("account_id", "version", "cause", "amount_nanos", "balance_nanos", "source_key")
    copied = ", ".join((*names, "purchase_id", "description", "effective_at"))
    first = "CAST(substr(source_key, instr(source_key, ':') + 1) AS INTEGER)"
    rest = "substr(source_key, instr(source_key, ':') + 1)"
    second = f"CAST(substr({rest}, instr({rest}, ':') + 1) AS INTEGER)"
    op.execute(
        f"INSERT INTO new_ledger_entry ({copied}, recorded_at, refund_id, dispute_id) "
        f"SELECT {copied}, max(recorded_at) OVER (PARTITION BY account_id ORDER BY version), "
        f"{column('refund', first, second)}, {column('dispute', first, second)} "
        "FROM ledger_entry"
    )
    op.drop_table("ledger_entry")
    op.rename_table("new_ledger_entry", "ledger_entry")
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER ledger_entry_refuses_{change.lower()} BEFORE {change} ON ledger_entry "
            "BEGIN SELECT RAISE(ABORT, 'rows of ledger_entry are never changed'); END"
        )
    take_over_recorded_at()


def column(part: str, first: str, second: str) -> str:
    """Return the key of an entry's refund or dispute, by the first two numbers of its source key;
    null where there is none.
    """
    own = {
        "refund": f"WHEN source_key LIKE 'refund:%' THEN {first} "
        f"WHEN source_key LIKE 'dispute-release:%' THEN {second} ",
        "dispute": "WHEN source_key LIKE 'dispute:%' OR source_key LIKE 'dispute-won:%' "
        f"OR source_key LIKE 'dispute-release:%' THEN {first} ",
    }[part]
    key = f"(CASE {own}WHEN source_key LIKE 'bonus-reversal:%' THEN {first} END)"
    if op.get_bind().dialect.name == "postgresql":
        key = f"{key}::bigint"
    return (
        f"(SELECT {part}.id FROM {part} WHERE {part}.account_id = ledger_entry.account_id AND "
        f"{part}.id = CASE WHEN cause IN ('REFUND', 'DISPUTE', 'BONUS') THEN {key} END)"
    )


def take_over_recorded_at() -> None:
    """Let an account's balance be as of its last entry."""
    op.execute(
        "UPDATE account SET balance_at = (SELECT recorded_at FROM ledger_entry WHERE "
        "ledger_entry.account_id = account.account_id AND "
        "ledger_entry.version = account.ledger_version) WHERE ledger_version > 0"
    )


def create_ledger_entry(name: str) -> None:
    op.create_table(
        name,
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(length=10), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("balance_nanos", sa.BigInteger(), nullable=False),
        sa.Column("source_key", sa.String(length=100), nullable=False),
        sa.Column("purchase_id", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.String(length=2000), nullable=True),
        sa.Column("effective_at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("refund_id", sa.BigInteger(), nullable=True),
        sa.Column("dispute_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "cause IN ('PURCHASE', 'BONUS', 'REFUND', 'DISPUTE', 'USAGE', 'ADJUSTMENT')",
            name=op.f("ck_ledger_entry_cause_known"),
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_ledger_entry_version_positive")),
        *(
            sa.ForeignKeyConstraint(
                ["account_id", f"{part}_id"],
                [f"{table}.account_id", f"{table}.id"],
                name=f"fk_ledger_entry_account_id_{part}_id",
            )
            for part, table in (
                ("purchase", "credit_purchase"),
                ("refund", "refund"),
                ("dispute", "dispute"),
            )
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name="fk_ledger_entry_account_id"
        ),
        sa.PrimaryKeyConstraint("account_id", "version", name="pk_ledger_entry"),
        sa.UniqueConstraint(
            "account_id", "source_key", name="uq_ledger_entry_account_id_source_key"
        ),
        sqlite_with_rowid=False,
    )
