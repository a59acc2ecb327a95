"""Blocks: the usage of 13 weeks in one row for each combination of dimensions, for reading many
days or hours at once. They are made of `rollup_activity` and `usage_event` by a job, so that
recording stays quick; `unpacked_day` names the days that they do not have.
"""

from datetime import date
from typing import Final

from sqlalchemy import BigInteger, Date, Integer, LargeBinary, SmallInteger
from sqlmodel import Field

from gateway.models.base import Model

DAYS: Final = 0
"""The `part` of a block that has days; 1 to 7 have the hours of a weekday, from Monday on; 7 more
have them with a quarter of an hour after each, the next 7 with two, the last 7 with three.
"""


class RollupBlock(Model, table=True):
    """The usage of 13 weeks (of the account's own days) by all dimensions.

    `block` counts them from Monday 0001-01-01. The texts and the deployment are those of
    `rollup_project`; an empty project is usage that names none. See `store.usage_lanes` for what
    `spent` and `active` hold.
    """

    __tablename__ = "rollup_block"

    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    part: int = Field(sa_type=SmallInteger, primary_key=True)
    block: int = Field(sa_type=Integer, primary_key=True)
    deployment_id: int = Field(sa_type=BigInteger, primary_key=True)
    resource: str = Field(max_length=8, primary_key=True)
    provider: str = Field(max_length=200, primary_key=True)
    gpu_model: str = Field(max_length=200, primary_key=True)
    project: str = Field(max_length=200, primary_key=True)
    spent: bytes = Field(sa_type=LargeBinary)
    active: bytes = Field(sa_type=LargeBinary)


class UnpackedDay(Model, table=True):
    """A day of an account with usage that its blocks do not have, or have otherwise.

    Triggers of `rollup_activity` add the days, whatever the version of the gateway that writes. On
    Postgres `changes` counts the statements that changed the day since: one that was packed
    meanwhile is still unpacked.
    """

    __tablename__ = "unpacked_day"
    __table_args__ = ({"sqlite_with_rowid": False},)

    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    day: date = Field(sa_type=Date, primary_key=True)
    changes: int = Field(sa_type=BigInteger, default=1)


class QuarteredDay(Model, table=True):
    """A packed day of which blocks have the quarter hours too: one with many events.

    A trigger of `unpacked_day` takes a day away when it is packed again, whatever the version of
    the gateway that packs: who packs the quarter hours adds it after that.
    """

    __tablename__ = "quartered_day"
    __table_args__ = ({"sqlite_with_rowid": False},)

    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    day: date = Field(sa_type=Date, primary_key=True)
