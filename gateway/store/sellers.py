"""The seller's details, version by version."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, ColumnElement, bindparam, func, select, true

from gateway.models import Seller, table_of
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.statement import Row, Statement

_SELLER: Final = table_of(Seller)
_COLUMNS: Final = ("id", "details", "logo", "logo_type", "created_at", "issues_receipts")

_NEWEST: Final = Statement(select(_SELLER).order_by(_SELLER.c.id.desc()).limit(1))
_DETAILS: Final = Statement(select(_SELLER.c.id, _SELLER.c.details).order_by(_SELLER.c.id))
_NEWEST_ID: Final = Statement(select(_SELLER.c.id).order_by(_SELLER.c.id.desc()).limit(1))
_BY_ID: Final = Statement(
    select(_SELLER).where(_SELLER.c.id == bindparam("id", type_=BigInteger()))
)


def issues_receipts() -> ColumnElement[bool]:
    """Return whether the version that is in force issues receipts: without one, they are issued."""
    newest_first = select(_SELLER.c.issues_receipts).order_by(_SELLER.c.id.desc()).limit(1)
    return func.coalesce(newest_first.scalar_subquery(), true())


async def newest(reader: Reader) -> Row | None:
    """Return the current version."""
    rows = await reader.fetch(_NEWEST)
    return rows[0] if rows else None


async def all_details(reader: Reader) -> Sequence[Row]:
    """Return `id` and `details` of every version, the current one last; there are few."""
    return await reader.fetch(_DETAILS)


async def newest_id(reader: Reader) -> int | None:
    """Return the key of the version that is in force."""
    rows = await reader.fetch(_NEWEST_ID)
    return rows[0]["id"] if rows else None


async def by_id(reader: Reader, id_: int | None) -> Row | None:
    """Return the version that a receipt names, or None."""
    rows = await reader.fetch(_BY_ID, id=id_)
    return rows[0] if rows else None


async def append(
    transaction: Transaction,
    id_: int,
    details: str,
    logo: bytes | None,
    logo_type: str | None,
    at: datetime,
    *,
    issues_receipts: bool,
) -> None:
    """Put a new version in force. Its key must be greater than every one before."""
    cells = (id_, details, logo, logo_type, at, issues_receipts)
    await transaction.insert(_SELLER, _COLUMNS, [cells])
