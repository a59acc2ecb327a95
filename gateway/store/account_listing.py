"""Accounts with the principal's role in each: by key, by external id, and page by page."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from sqlalchemy import BigInteger, FromClause, Integer, String, bindparam, func, select

from gateway.models import Account, table_of
from gateway.principal import Principal
from gateway.store.engine.database import Reader
from gateway.store.engine.parameters import batch
from gateway.store.engine.sql import Expression, Query
from gateway.store.relation import Keyed, one_by_position
from gateway.store.rows import Counted, VisibleAccount
from gateway.store.selection import Page, Selection
from gateway.store.tenancy import Scoped, Visible
from gateway.text import is_identifier

_ACCOUNT: Final = table_of(Account)


def _columns(visible: Visible, accounts: FromClause) -> Sequence[Expression]:
    return [*accounts.c, visible.role(accounts.c.account_id).label("role")]


def _by_external_id(visible: Visible) -> Query:
    keys = batch(visible.dialect, external_id=String())
    return (
        select(*_columns(visible, _ACCOUNT), keys.c.n)
        .join_from(keys, _ACCOUNT, _ACCOUNT.c.external_id == keys.c.external_id)
        .where(visible(_ACCOUNT.c.account_id))
    )


def _page(ascending: bool, visible: Visible) -> Query:
    mine = visible.accounts().subquery("mine")
    key = mine.c.account_id
    page = (
        select(key, mine.c.role)
        .where(
            key > bindparam("lower", type_=BigInteger()),
            key < bindparam("upper", type_=BigInteger()),
        )
        .order_by(key if ascending else key.desc())
        .limit(bindparam("limit", type_=Integer()))
        .subquery("page")
    )
    return (
        select(*_ACCOUNT.c, page.c.role)
        .join_from(page, _ACCOUNT, _ACCOUNT.c.account_id == page.c.account_id)
        .order_by(page.c.account_id if ascending else page.c.account_id.desc())
    )


def _count(visible: Visible) -> Query:
    mine = visible.accounts().subquery("mine")
    return select(func.count(mine.c.account_id).label("total_count"))


ACCOUNT_BY_ID: Final = Keyed[VisibleAccount](_ACCOUNT, "account_id", columns=_columns)
_BY_EXTERNAL_ID: Final = Scoped[VisibleAccount](_by_external_id)
_ASCENDING: Final = Scoped[VisibleAccount](partial(_page, True))
_DESCENDING: Final = Scoped[VisibleAccount](partial(_page, False))
_COUNT: Final = Scoped[Counted](_count)


async def accounts_by_external_id(
    reader: Reader, principal: Principal, external_ids: Sequence[str]
) -> list[VisibleAccount | None]:
    """Return the account of each external id; None for what the principal may not read."""
    # What cannot be one is none: Postgres does not take NUL in a text.
    wanted = [each if is_identifier(each) else "" for each in external_ids]
    rows = await _BY_EXTERNAL_ID.fetch(reader, principal, external_id=wanted)
    return one_by_position(rows, len(external_ids))


class AccountRows:
    """A principal's accounts in the order of their keys, read as those of a `Listing`: a statement
    for each page.
    """

    order: Final = ("account_id",)

    async def fetch_pages(
        self, reader: Reader, principal: Principal, pages: Sequence[Page]
    ) -> list[Sequence[VisibleAccount]]:
        """Return each page's rows, from the end at which it begins."""
        return [[*await self._fetch_page(reader, principal, page)] for page in pages]

    async def _fetch_page(
        self, reader: Reader, principal: Principal, page: Page
    ) -> Sequence[VisibleAccount]:
        lower, upper = page.selection.lower[-1], page.selection.upper[-1]
        statement = _ASCENDING if page.ascending else _DESCENDING
        return await statement.fetch(reader, principal, lower=lower, upper=upper, limit=page.limit)

    async def fetch_totals(
        self, reader: Reader, principal: Principal, selections: Sequence[Selection]
    ) -> list[Counted]:
        """Return the number of the principal's accounts, for each selection."""
        (row,) = await _COUNT.fetch(reader, principal)
        return [row for _ in selections]


ACCOUNTS: Final = AccountRows()
