"""Saved views: usage queries that a person has named."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Date, Text, UniqueConstraint
from sqlmodel import Field

from gateway.models.base import Instant, Model


class UsageRange(StrEnum):
    """Ranges of days that move with the calendar."""

    LAST_SEVEN_DAYS = "LAST_SEVEN_DAYS"
    LAST_THIRTY_DAYS = "LAST_THIRTY_DAYS"
    LAST_NINETY_DAYS = "LAST_NINETY_DAYS"
    LAST_TWELVE_WEEKS = "LAST_TWELVE_WEEKS"
    LAST_TWELVE_MONTHS = "LAST_TWELVE_MONTHS"
    LAST_FIVE_YEARS = "LAST_FIVE_YEARS"
    THIS_MONTH = "THIS_MONTH"
    LAST_MONTH = "LAST_MONTH"
    THIS_YEAR = "THIS_YEAR"
    LAST_YEAR = "LAST_YEAR"


class SavedView(Model, table=True):
    """A usage query with a name, of one person (`subject`) in one account. A null part is at its
    default. `filter` is JSON: the values of each list by its name in the API.

    It refers to no account: a foreign key would wait for the account's bookings.
    """

    __tablename__ = "saved_view"
    __table_args__ = (
        # A person's views of an account, and one of each name.
        UniqueConstraint("account_id", "subject", "name"),
    )

    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    id: int = Field(sa_type=BigInteger, primary_key=True)
    subject: str = Field(max_length=255)
    name: str = Field(max_length=100)
    interval: str | None = Field(max_length=8, default=None)
    range: str | None = Field(max_length=20, default=None)
    from_on: date | None = Field(sa_type=Date, default=None)
    to_on: date | None = Field(sa_type=Date, default=None)
    time_zone: str | None = Field(max_length=64, default=None)
    filter: str | None = Field(sa_type=Text, default=None)
    group_by: str | None = Field(max_length=20, default=None)
    then_by: str | None = Field(max_length=20, default=None)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
