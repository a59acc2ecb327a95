"""Keep the quarter hours of days with many events in blocks too.

Days are packed again: until then their quarter hours are read from the events, as before. A version
that packs no quarter hours keeps them right: what it packs is no quartered day.
"""

import sqlalchemy as sa
from alembic import op

from gateway.migrations.row_security import protect

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "quartered_day",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "day", name="pk_quartered_day"),
        sqlite_with_rowid=False,
    )
    protect("quartered_day")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION forget_quartered_days() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "DELETE FROM quartered_day USING packed "
            "WHERE quartered_day.account_id = packed.account_id "
            "AND quartered_day.day = packed.day; "
            "RETURN NULL; END $$"
        )
        op.execute(
            "CREATE TRIGGER unpacked_day_delete AFTER DELETE ON unpacked_day "
            "REFERENCING OLD TABLE AS packed "
            "FOR EACH STATEMENT EXECUTE FUNCTION forget_quartered_days()"
        )
    else:
        op.execute(
            "CREATE TRIGGER unpacked_day_delete AFTER DELETE ON unpacked_day "
            "BEGIN DELETE FROM quartered_day "
            "WHERE account_id = OLD.account_id AND day = OLD.day; END"
        )
    # Of a day that is unpacked already, nothing changes.
    op.execute(
        "INSERT INTO unpacked_day SELECT account_id, day, 1 FROM rollup_day WHERE true "
        "ON CONFLICT DO NOTHING"
    )
