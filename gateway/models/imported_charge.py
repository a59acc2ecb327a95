"""The charges of imported cost files, with which the next file is compared."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field

from gateway.models.base import Instant, Model


class ImportedCharge(Model, table=True):
    """A row of a cost file that is booked. `digest` (hexadecimal) is that of what it charges.

    `event_id` names the usage event, or the ledger entry with `focus:` before it. `issuer` and
    `billing_account` are the provider that sent the file and its account there; null where an
    earlier version imported the row and did not keep them. `restated` is the number of the
    account's restatement that took the row back, null while it counts.
    """

    __tablename__ = "imported_charge"
    __table_args__ = (
        # What counts of a file's span.
        Index(
            None,
            "account_id",
            "started_at",
            "event_id",
            postgresql_where=text("restated IS NULL"),
            sqlite_where=text("restated IS NULL"),
        ),
        # An account's last restatement.
        Index(
            None,
            "account_id",
            "restated",
            postgresql_where=text("restated IS NOT NULL"),
            sqlite_where=text("restated IS NOT NULL"),
        ),
        {"sqlite_with_rowid": False},
    )

    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    digest: str = Field(max_length=32, primary_key=True)
    event_id: str = Field(max_length=200, primary_key=True)
    is_usage: bool
    issuer: str | None = Field(max_length=200, default=None)
    billing_account: str | None = Field(max_length=200, default=None)
    started_at: datetime = Field(sa_type=Instant)
    restated: int | None = None
