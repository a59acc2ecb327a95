"""Let people read the ledger: usage by the day of its recording, all else entry by entry, each with
its refund or dispute; and let no entry be recorded before the one before it.

Until now the refund or dispute stood in `source_key` alone: `refund:<id>`, `dispute:<id>`,
`dispute-won:<id>`, `dispute-release:<dispute>:<refund>` and `bonus-reversal:<id>`, followed by
`:<version>` where an entry corrects an earlier one.
"""

from datetime import date
from typing import Any

import sqlalchemy as sa
from alembic import op

from gateway.instants import EARLIEST
from gateway.models import Instant
from gateway.windows import local_day, zone

revision = "0003"
down_revision = "0002"

PARTS = ("refund", "dispute")
"""What an entry may belong to, each with a column of its key."""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        extend_ledger_on_postgresql()
    else:
        extend_ledger_on_sqlite()
    take_over_recorded_at()
    op.create_index(
        "ix_ledger_entry_account_id_recorded_at_version",
        "ledger_entry",
        ["account_id", "recorded_at", "version"],
        unique=False,
        postgresql_where=sa.text("cause <> 'USAGE'"),
        sqlite_where=sa.text("cause <> 'USAGE'"),
    )
    create_ledger_day()
    fill_ledger_day()


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


def create_ledger_day() -> None:
    op.create_table(
        "ledger_day",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("opening_nanos", sa.BigInteger(), nullable=False),
        sa.Column("balance_nanos", sa.BigInteger(), nullable=False),
        sa.Column("first_version", sa.BigInteger(), nullable=False),
        sa.Column("first_at", Instant(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "day", name="pk_ledger_day"),
        sa.UniqueConstraint(
            "account_id", "first_version", name="uq_ledger_day_account_id_first_version"
        ),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE ledger_day SET (fillfactor = 70)")


def fill_ledger_day() -> None:
    """Add up the usage entries by the days of their account's zone; no day begins within a quarter
    hour.
    """
    connection = op.get_bind()
    accounts = connection.execute(sa.text("SELECT account_id, time_zone FROM account")).all()
    quarter_hours = usage_by_quarter_hour()
    day_table = sa.table(
        "ledger_day",
        *(sa.column(name) for name in ("account_id", "amount_nanos", "opening_nanos")),
        *(sa.column(name) for name in ("balance_nanos", "first_version", "version")),
        sa.column("day", sa.Date()),
        sa.column("first_at", Instant()),
        sa.column("recorded_at", Instant()),
    )
    for account_id, time_zone in accounts:
        local = zone(time_zone)
        days: dict[date, tuple[int, int, int]] = {}
        for slot, amount, first, last in connection.execute(
            quarter_hours, {"account_id": account_id}
        ):
            day = local_day(slot, local)
            before, first_of_day, _ = days.get(day, (0, first, 0))
            days[day] = before + int(amount), first_of_day, last
        rows = [
            {"account_id": account_id, "day": day, "amount_nanos": amount}
            | {"opening_nanos": 0, "balance_nanos": 0, "first_version": first, "version": last}
            | {"first_at": EARLIEST, "recorded_at": EARLIEST}
            for day, (amount, first, last) in days.items()
        ]
        if rows:
            connection.execute(day_table.insert(), rows)
    entry = (
        "(SELECT {} FROM ledger_entry WHERE ledger_entry.account_id = ledger_day.account_id "
        "AND ledger_entry.version = ledger_day.{})"
    )
    op.execute(
        "UPDATE ledger_day SET "
        f"opening_nanos = {entry.format('balance_nanos - amount_nanos', 'first_version')}, "
        f"first_at = {entry.format('recorded_at', 'first_version')}, "
        f"balance_nanos = {entry.format('balance_nanos', 'version')}, "
        f"recorded_at = {entry.format('recorded_at', 'version')}"
    )


def usage_by_quarter_hour() -> sa.Select[Any, Any, Any, Any]:
    """Return an account's usage entries by quarter hour of their recording: its start, their sum,
    the first and the last one's version.
    """
    entry = sa.table(
        "ledger_entry",
        *(sa.column(name, sa.BigInteger()) for name in ("account_id", "version", "amount_nanos")),
        sa.column("cause", sa.String()),
        sa.column("recorded_at", Instant()),
    ).c
    slot: sa.ColumnElement[Any]
    if op.get_bind().dialect.name == "postgresql":
        slot = sa.func.date_bin(
            sa.text("interval '15 minutes'"), entry.recorded_at, sa.literal(EARLIEST, Instant())
        )
    else:
        microseconds = sa.type_coerce(entry.recorded_at, sa.BigInteger())
        slot = microseconds - microseconds % (15 * 60 * 1_000_000)
    slot_at = sa.type_coerce(slot, Instant()).label("slot_at")
    return (
        sa.select(
            slot_at,
            sa.func.sum(entry.amount_nanos),
            sa.func.min(entry.version),
            sa.func.max(entry.version),
        )
        .where(entry.account_id == sa.bindparam("account_id"), entry.cause == "USAGE")
        .group_by(slot_at)
        .order_by(slot_at)
    )
