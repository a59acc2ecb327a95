"""Compare the days of a chart with the first account of the caller before the list of them.

Most callers read one account. To compare a number costs a fraction of what a list does, and of no
other table does a page read as many rows. Who sees what stays the same. One table alone: a policy
is replaced under a lock, and of several, readers that take them in another order would be ended.
"""

from gateway.migrations.row_security import compare_first_account

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    compare_first_account("rollup_day")
