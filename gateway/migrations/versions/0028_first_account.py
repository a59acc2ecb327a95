"""Compare the days of a chart with the first account of the caller before the list of them.

Most callers read one account, and one number is compared in less time than a list. A page reads
more rows of this table than of any other. Each caller sees the same rows as before. No other table
is altered: the lock of a policy's table, taken on several tables, could end a reader by a deadlock.
"""

from gateway.migrations.row_security import compare_first_account

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    compare_first_account("rollup_day")
