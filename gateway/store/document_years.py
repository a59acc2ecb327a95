"""The years in which an account has documents."""

from collections.abc import Sequence
from typing import Final, TypedDict

from sqlalchemy import BigInteger, Integer, cast, func, select, union

from gateway.models import MonthlyStatement, ReceiptSequence, table_of
from gateway.principal import Principal
from gateway.store.engine.database import Reader
from gateway.store.engine.parameters import batch
from gateway.store.engine.sql import Query
from gateway.store.relation import by_position
from gateway.store.tenancy import Scoped, Visible

_RECEIPTS: Final = table_of(ReceiptSequence)
_STATEMENT: Final = table_of(MonthlyStatement)


class _Year(TypedDict):
    n: int
    year: int


def _statement(visible: Visible) -> Query:
    keys = visible.of(batch(visible.dialect, account_id=BigInteger()))
    receipts = select(keys.c.n, _RECEIPTS.c.year).join_from(
        keys, _RECEIPTS, _RECEIPTS.c.account_id == keys.c.account_id
    )
    year = cast(func.substr(_STATEMENT.c.month, 1, 4), Integer)
    statements = select(keys.c.n, year.label("year")).join_from(
        keys, _STATEMENT, _STATEMENT.c.account_id == keys.c.account_id
    )
    years = union(receipts, statements).subquery()
    return select(years.c.n, years.c.year).order_by(years.c.n, years.c.year.desc())


_YEARS: Final = Scoped[_Year](_statement)


async def document_years(
    reader: Reader, principal: Principal, account_ids: Sequence[int]
) -> list[list[int]]:
    """Return the years of each account's documents, the latest first, in the account's own zone at
    issue; none for an account that is not the principal's.
    """
    rows = await _YEARS.fetch(reader, principal, account_id=list(account_ids))
    found = by_position(rows, len(account_ids))
    return [[row["year"] for row in mine] for mine in found]
