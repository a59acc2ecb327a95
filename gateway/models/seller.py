"""The seller's details on receipts; every version is permanent."""

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary, Text
from sqlmodel import Field

from gateway.models.base import Instant, Model


class Seller(Model, table=True):
    """One version of the seller's details. Never changed (a trigger refuses): new ones are a new
    row, and what was issued before keeps the row that it was issued under.

    Belongs to no account. `details` is JSON; `logo` is a picture of `logo_type`. While the newest
    version does not issue receipts, a purchase that settles has none, whichever process books it.
    """

    __tablename__ = "seller"

    id: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    details: str = Field(sa_type=Text)
    logo: bytes | None = Field(sa_type=LargeBinary, default=None)
    logo_type: str | None = Field(max_length=4, default=None)
    created_at: datetime = Field(sa_type=Instant)
    issues_receipts: bool = True
