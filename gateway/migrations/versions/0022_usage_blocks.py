"""Keep usage in blocks of 13 weeks, filled by a job while the gateway serves.

Triggers name the days that a block does not have: so a version that knows no blocks keeps them
right. Of the stored days all are named, and read from the roll-ups of days until they are packed.
"""

import sqlalchemy as sa
from alembic import op

from gateway.migrations.row_security import protect

revision = "0022"
down_revision = "0021"

CHANGES = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}


def upgrade() -> None:
    op.create_table(
        "rollup_block",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.SmallInteger(), nullable=False),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("deployment_id", sa.BigInteger(), nullable=False),
        sa.Column("resource", sa.String(length=8), nullable=False),
        sa.Column("provider", sa.String(length=200), nullable=False),
        sa.Column("gpu_model", sa.String(length=200), nullable=False),
        sa.Column("project", sa.String(length=200), nullable=False),
        sa.Column("spent", sa.LargeBinary(), nullable=False),
        sa.Column("active", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "account_id",
            "part",
            "block",
            "deployment_id",
            "resource",
            "provider",
            "gpu_model",
            "project",
            name="pk_rollup_block",
        ),
    )
    op.create_table(
        "unpacked_day",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "day", name="pk_unpacked_day"),
        sqlite_with_rowid=False,
    )
    protect("rollup_block")
    protect("unpacked_day")
    if op.get_bind().dialect.name == "postgresql":
        # A part of a cell is read: it is neither compressed nor stored elsewhere.
        for column in ("spent", "active"):
            op.execute(f"ALTER TABLE rollup_block ALTER COLUMN {column} SET STORAGE PLAIN")
        name_days_on_postgresql()
    else:
        name_days_on_sqlite()
    # Each day with usage has a row there, and has only one.
    op.execute("INSERT INTO unpacked_day SELECT account_id, day, 1 FROM rollup_day")


def name_days_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION name_unpacked_days() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO unpacked_day SELECT DISTINCT account_id, day, 1 FROM changed "
        "ON CONFLICT (account_id, day) DO UPDATE SET changes = unpacked_day.changes + 1; "
        "RETURN NULL; END $$"
    )
    for change, rows in CHANGES.items():
        op.execute(
            f"CREATE TRIGGER rollup_activity_{change.lower()} AFTER {change} ON rollup_activity "
            f"REFERENCING {rows} TABLE AS changed "
            "FOR EACH STATEMENT EXECUTE FUNCTION name_unpacked_days()"
        )


def name_days_on_sqlite() -> None:
    # Nobody else writes while days are packed, so that changes need not be counted.
    for change, row in CHANGES.items():
        op.execute(
            f"CREATE TRIGGER rollup_activity_{change.lower()} AFTER {change} ON rollup_activity "
            "WHEN NOT EXISTS (SELECT 1 FROM unpacked_day "
            f"WHERE account_id = {row}.account_id AND day = {row}.day) "
            f"BEGIN INSERT INTO unpacked_day VALUES ({row}.account_id, {row}.day, 1); END"
        )
