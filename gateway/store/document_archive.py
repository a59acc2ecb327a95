"""An account's documents of a year: receipts, credit notes, cancellations and statements."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Final, TypedDict

from sqlalchemy import BigInteger, ColumnElement, Integer, String, and_, bindparam, func, select

from gateway.models import MonthlyStatement, Receipt, table_of
from gateway.principal import Principal
from gateway.store.engine.sql import Query
from gateway.store.engine.stream import Chunk, Stream
from gateway.store.tenancy import Scoped, Visible

_RECEIPT: Final = table_of(Receipt)
_STATEMENT: Final = table_of(MonthlyStatement)
DOCUMENTS: Final = 50
"""Documents of a chunk: some hundred kilobytes."""


class ArchivedReceipt(TypedDict):
    """A receipt, credit note or cancellation; `original_number` is the receipt of a credit note."""

    number: str
    refund_id: int | None
    cancels_id: int | None
    issued_at: datetime
    data: str
    seller_id: int | None
    original_number: str | None


class ArchivedStatement(TypedDict):
    """A monthly statement."""

    number: str
    issued_at: datetime
    data: str
    seller_id: int | None


class _Count(TypedDict):
    number: int


_ACCOUNT: Final = bindparam("account_id", type_=BigInteger())


def _of_year(visible: Visible) -> ColumnElement[bool]:
    key = _RECEIPT.c.account_id
    year = bindparam("year", type_=Integer())
    return and_(key == _ACCOUNT, _RECEIPT.c.year == year, visible(key))


def _of_months(visible: Visible) -> ColumnElement[bool]:
    key = _STATEMENT.c.account_id
    first, last = (bindparam(name, type_=String()) for name in ("first", "last"))
    return and_(key == _ACCOUNT, _STATEMENT.c.month.between(first, last), visible(key))


def _receipts(visible: Visible) -> Query:
    original = _RECEIPT.alias("original")
    names = ("number", "refund_id", "cancels_id", "issued_at", "data", "seller_id")
    found = and_(
        original.c.account_id == _RECEIPT.c.account_id,
        original.c.purchase_id == _RECEIPT.c.purchase_id,
        original.c.refund_id.is_(None),
        _RECEIPT.c.refund_id.is_not(None),
    )
    return (
        select(*(_RECEIPT.c[name] for name in names), original.c.number.label("original_number"))
        .select_from(_RECEIPT.outerjoin(original, found))
        .where(_of_year(visible))
        .order_by(_RECEIPT.c.sequence)
    )


def _statements(visible: Visible) -> Query:
    names = ("number", "issued_at", "data", "seller_id")
    columns = [_STATEMENT.c[name] for name in names]
    return select(*columns).where(_of_months(visible)).order_by(_STATEMENT.c.month)


_RECEIPTS: Final = Scoped[ArchivedReceipt](_receipts)
_STATEMENTS: Final = Scoped[ArchivedStatement](_statements)
_COUNT_RECEIPTS: Final = Scoped[_Count](
    lambda visible: select(func.count().label("number")).where(_of_year(visible))
)
_COUNT_STATEMENTS: Final = Scoped[_Count](
    lambda visible: select(func.count().label("number")).where(_of_months(visible))
)


async def count(stream: Stream, principal: Principal, account_id: int, year: int) -> int:
    """Return how many documents an account has in a year of its own zone."""
    (receipts,) = await _COUNT_RECEIPTS.fetch(stream, principal, account_id=account_id, year=year)
    (statements,) = await _COUNT_STATEMENTS.fetch(
        stream, principal, account_id=account_id, **_months(year)
    )
    return receipts["number"] + statements["number"]


def receipts(
    stream: Stream, principal: Principal, account_id: int, year: int
) -> AsyncGenerator[Chunk[ArchivedReceipt]]:
    """Return the receipts, credit notes and cancellations of a year, in the order of their
    numbers; see `Stream.chunks`.
    """
    return _RECEIPTS.chunks(stream, principal, DOCUMENTS, account_id=account_id, year=year)


def statements(
    stream: Stream, principal: Principal, account_id: int, year: int
) -> AsyncGenerator[Chunk[ArchivedStatement]]:
    """Return the statements of a year's months, in order; see `Stream.chunks`."""
    return _STATEMENTS.chunks(stream, principal, DOCUMENTS, account_id=account_id, **_months(year))


def _months(year: int) -> dict[str, object]:
    return {"first": f"{year:04}-01", "last": f"{year:04}-12"}
