"""Roll-ups: sums of the facts, updated in the transaction that records the facts.

The flows of a period are signed sums of nanos: spent (usage), purchased (cards), bonus (bonuses,
coupons, grants, manual credits, less what was reversed), refunded and adjusted. `deployments` is
the set of deployments with a usage event that starts in the period (a bitset of ordinals),
`resources` the quantities by resource and unit (JSON: `{"GPU\\u001fgpu-hour": nanos}`).
"""

from datetime import date, datetime
from typing import Final

from sqlalchemy import BigInteger, Date, Index, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field

from gateway.models.base import Instant, Model


class RollupSums(Model):
    """The columns of both roll-ups of time."""

    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    spent_nanos: int = Field(sa_type=BigInteger, default=0)
    purchased_nanos: int = Field(sa_type=BigInteger, default=0)
    bonus_nanos: int = Field(sa_type=BigInteger, default=0)
    refunded_nanos: int = Field(sa_type=BigInteger, default=0)
    adjusted_nanos: int = Field(sa_type=BigInteger, default=0)
    deployments: bytes = Field(sa_type=LargeBinary, default=b"")
    resources: str = Field(sa_type=Text, default="{}")


SMALL_SET: Final = text("octet_length(deployments) <= 2000")
"""The sets that an index can hold: an entry of Postgres's has at most 2,704 bytes."""
LARGE_SET: Final = text("octet_length(deployments) > 2000")


class RollupDay(RollupSums, table=True):
    """A calendar day in the account's own zone: a year of the default view is 366 rows."""

    __tablename__ = "rollup_day"
    __table_args__ = (
        # A chart reads these alone; on SQLite the table itself is in the order of its key. A set
        # that is too large for an index has the one below.
        Index(
            "ix_rollup_day_usage",
            "account_id",
            "day",
            postgresql_include=["spent_nanos", "deployments"],
            postgresql_where=SMALL_SET,
        ).ddl_if(dialect="postgresql"),
        Index(
            "ix_rollup_day_large_usage",
            "account_id",
            "day",
            postgresql_where=LARGE_SET,
        ).ddl_if(dialect="postgresql"),
        {"sqlite_with_rowid": False},
    )

    day: date = Field(sa_type=Date, primary_key=True)


class RollupSlot(RollupSums, table=True):
    """A quarter hour of UTC. Every zone's days since 2000 begin on one, so any zone adds up from
    these.
    """

    __tablename__ = "rollup_slot"
    __table_args__ = ({"sqlite_with_rowid": False},)

    slot_at: datetime = Field(sa_type=Instant, primary_key=True)


class ActivitySums(Model):
    """The columns of a day's usage by the dimensions of a breakdown."""

    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    day: date = Field(sa_type=Date, primary_key=True)
    deployment_id: int = Field(sa_type=BigInteger, primary_key=True)
    resource: str = Field(max_length=8, primary_key=True)
    provider: str = Field(max_length=200, primary_key=True)
    gpu_model: str = Field(max_length=200, primary_key=True)
    spent_nanos: int = Field(sa_type=BigInteger, default=0)
    events: int = Field(sa_type=BigInteger, default=0)


class RollupActivity(ActivitySums, table=True):
    """A day's usage (in the account's own zone) by the dimensions of a breakdown.

    `deployment_id` 0 is usage without a deployment, an empty text is a provider or GPU model that
    the events did not name. `events` counts those that are not corrections.
    """

    __tablename__ = "rollup_activity"
    __table_args__ = ({"sqlite_with_rowid": False},)


class ProjectSums(Model):
    """The columns of the part of a day's usage that names a project."""

    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    day: date = Field(sa_type=Date, primary_key=True)
    project: str = Field(max_length=200, primary_key=True)
    deployment_id: int = Field(sa_type=BigInteger, primary_key=True)
    resource: str = Field(max_length=8, primary_key=True)
    provider: str = Field(max_length=200, primary_key=True)
    gpu_model: str = Field(max_length=200, primary_key=True)
    spent_nanos: int = Field(sa_type=BigInteger, default=0)
    events: int = Field(sa_type=BigInteger, default=0)


class RollupProject(ProjectSums, table=True):
    """The part of a day's usage that names a project, by the dimensions of `rollup_activity`.

    What names none is the rest: the row of `rollup_activity` less these. So usage without projects
    costs no row here, and a version that knows none keeps both tables right.
    """

    __tablename__ = "rollup_project"
    __table_args__ = ({"sqlite_with_rowid": False},)


class LedgerDaySums(Model):
    """The columns of the usage entries that were recorded on a day.

    `amount_nanos` is their sum, `opening_nanos` the balance before the first of them,
    `balance_nanos` the balance after the last; `version` and `recorded_at` are the last one's.
    """

    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    day: date = Field(sa_type=Date, primary_key=True)
    amount_nanos: int = Field(sa_type=BigInteger)
    opening_nanos: int = Field(sa_type=BigInteger)
    balance_nanos: int = Field(sa_type=BigInteger)
    first_version: int = Field(sa_type=BigInteger)
    first_at: datetime = Field(sa_type=Instant)
    version: int = Field(sa_type=BigInteger)
    recorded_at: datetime = Field(sa_type=Instant)


class LedgerDay(LedgerDaySums, table=True):
    """The usage entries of the ledger that were recorded on a day of the account's own zone: people
    read them as one row.
    """

    __tablename__ = "ledger_day"
    __table_args__ = (
        # The day around an entry. It has nothing that changes, so that Postgres's updates leave
        # the indexes alone.
        UniqueConstraint("account_id", "first_version"),
        {"sqlite_with_rowid": False},
    )
