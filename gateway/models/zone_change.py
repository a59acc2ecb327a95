"""A change of an account's time zone that is being prepared: how far it is, and the roll-ups of the
new zone's days that are made so far. Nobody reads them before they replace those of the old zone.
"""

from datetime import date

from sqlalchemy import BigInteger, Date
from sqlmodel import Field

from gateway.models.base import Model
from gateway.models.rollup import ActivitySums, LedgerDaySums, ProjectSums, RollupSums


class ZoneChange(Model, table=True):
    """The progress of the change to `account.pending_time_zone`.

    The days before `staged_to` are staged, with every fact of the ledger up to `version` and
    perhaps later ones. The staged days of the ledger have its entries up to `entries_to`.
    """

    __tablename__ = "zone_change"

    account_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="account.account_id")
    time_zone: str = Field(max_length=64)
    version: int = Field(sa_type=BigInteger)
    staged_to: date = Field(sa_type=Date)
    entries_to: int = Field(sa_type=BigInteger, default=0)


class StagedDay(RollupSums, table=True):
    """A row that `rollup_day` will have."""

    __tablename__ = "staged_day"
    __table_args__ = ({"sqlite_with_rowid": False},)

    day: date = Field(sa_type=Date, primary_key=True)


class StagedActivity(ActivitySums, table=True):
    """A row that `rollup_activity` will have."""

    __tablename__ = "staged_activity"
    __table_args__ = ({"sqlite_with_rowid": False},)


class StagedProject(ProjectSums, table=True):
    """A row that `rollup_project` will have."""

    __tablename__ = "staged_project"
    __table_args__ = ({"sqlite_with_rowid": False},)


class StagedLedgerDay(LedgerDaySums, table=True):
    """A row that `ledger_day` will have."""

    __tablename__ = "staged_ledger_day"
    __table_args__ = ({"sqlite_with_rowid": False},)
