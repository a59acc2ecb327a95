"""The seller's details, version by version."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypedDict, cast

from sqlalchemy import BigInteger, ColumnElement, bindparam, func, select, true

from gateway.models import Seller, table_of
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.statement import Statement
from gateway.store.engine.write import Insert

_SELLER: Final = table_of(Seller)


class SellerDetails(TypedDict):
    """A version of the seller's details, as JSON."""

    id: int
    details: str


class SellerFacts(TypedDict, total=False):
    """The content of `details`."""

    name: str | None
    address: list[str]
    taxId: str | None
    email: str | None
    accent: str


class SellerRow(SellerDetails):
    """A row of `seller`."""

    logo: bytes | None
    logo_type: str | None
    created_at: datetime
    issues_receipts: bool


class SellerCells(NamedTuple):
    """A version's cells; `details` is JSON, and its key is greater than every one before."""

    id: int
    details: str
    logo: bytes | None
    logo_type: str | None
    created_at: datetime
    issues_receipts: bool


class _Id(TypedDict):
    id: int


_ADD: Final = Insert(_SELLER, SellerCells)

_NEWEST: Final = Statement[SellerRow](select(_SELLER).order_by(_SELLER.c.id.desc()).limit(1))
_DETAILS: Final = Statement[SellerDetails](
    select(_SELLER.c.id, _SELLER.c.details).order_by(_SELLER.c.id)
)
_NEWEST_ID: Final = Statement[_Id](select(_SELLER.c.id).order_by(_SELLER.c.id.desc()).limit(1))
_BY_ID: Final = Statement[SellerRow](
    select(_SELLER).where(_SELLER.c.id == bindparam("id", type_=BigInteger()))
)


def issues_receipts() -> ColumnElement[bool]:
    """Return whether the version that is in force issues receipts: without one, they are issued."""
    newest_first = select(_SELLER.c.issues_receipts).order_by(_SELLER.c.id.desc()).limit(1)
    return func.coalesce(newest_first.scalar_subquery(), true())


def parse_details(details: str) -> SellerFacts:
    """Return the content of a version's details."""
    return cast("SellerFacts", json.loads(details))


async def newest(reader: Reader) -> SellerRow | None:
    """Return the current version."""
    rows = await reader.fetch(_NEWEST)
    return rows[0] if rows else None


async def all_details(reader: Reader) -> Sequence[SellerDetails]:
    """Return every version, that in force last; there are few."""
    return await reader.fetch(_DETAILS)


async def newest_id(reader: Reader) -> int | None:
    """Return the key of the version that is in force."""
    rows = await reader.fetch(_NEWEST_ID)
    return rows[0]["id"] if rows else None


async def by_id(reader: Reader, id_: int | None) -> SellerRow | None:
    """Return the version that a receipt names, or None."""
    rows = await reader.fetch(_BY_ID, id=id_)
    return rows[0] if rows else None


async def append(transaction: Transaction, version: SellerCells) -> None:
    """Put a new version in force."""
    await transaction.insert(_ADD, [version])
