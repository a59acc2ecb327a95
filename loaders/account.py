"""Accounts, with the principal's role in each: by key, and page by page."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    bindparam,
    func,
    select,
)
from strawberry.dataloader import DataLoader

from gateway.models import Account, table_of
from gateway.principal import Principal
from gateway.store import Page, Row, Scoped, Selection, Snapshot, Visible, batch
from gateway.text import is_identifier
from loaders.batch import MAX_KEYS, Keyed, PageLoader, TotalsLoader

_ACCOUNT = table_of(Account)

ORDER: Final = ("account_id",)


def _columns(visible: Visible, accounts: FromClause) -> Sequence[ColumnElement[Any]]:
    return [*accounts.c, visible.role(accounts.c.account_id).label("role")]


def _page(ascending: bool, visible: Visible) -> Select[Any]:
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


def _count(visible: Visible) -> Select[Any]:
    mine = visible.accounts().subquery("mine")
    return select(func.count(mine.c.account_id).label("total_count"))


ACCOUNT_BY_ID: Final = Keyed(_ACCOUNT, "account_id", columns=_columns)


def _by_external_id(visible: Visible) -> Select[Any]:
    keys = batch(visible.dialect, external_id=String())
    return (
        select(*_columns(visible, _ACCOUNT), keys.c.n)
        .join_from(keys, _ACCOUNT, _ACCOUNT.c.external_id == keys.c.external_id)
        .where(visible(_ACCOUNT.c.account_id))
    )


_BY_EXTERNAL_ID: Final = Scoped(_by_external_id)
_PAGES: Final = {ascending: Scoped(partial(_page, ascending)) for ascending in (True, False)}
_COUNT: Final = Scoped(_count)


def account_by_external_id(snapshot: Snapshot, principal: Principal) -> DataLoader[str, Row | None]:
    """Return a loader of accounts by the platform's own ids; None for what the principal may not
    read.
    """
    load = partial(_fetch_by_external_id, snapshot, principal)
    return DataLoader(load_fn=load, max_batch_size=MAX_KEYS)


def account_pages(snapshot: Snapshot, principal: Principal) -> PageLoader:
    """Return a loader of pages of the principal's accounts, by their keys: a statement a page."""
    return DataLoader(load_fn=partial(_fetch_pages, snapshot, principal))


def account_totals(snapshot: Snapshot, principal: Principal) -> TotalsLoader:
    """Return a loader of the number of the principal's accounts, as `total_count`."""
    return DataLoader(load_fn=partial(_fetch_totals, snapshot, principal))


async def _fetch_by_external_id(
    snapshot: Snapshot, principal: Principal, external_ids: Sequence[str]
) -> list[Row | None]:
    found: list[Row | None] = [None] * len(external_ids)
    # What cannot be one is none: Postgres does not take NUL in a text.
    wanted = [each if is_identifier(each) else "" for each in external_ids]
    rows = await _BY_EXTERNAL_ID.fetch(snapshot, principal, external_id=wanted)
    for row in rows:
        found[row["n"] - 1] = row
    return found


async def _fetch_pages(
    snapshot: Snapshot, principal: Principal, pages: Sequence[Page]
) -> list[list[Row]]:
    return [
        list(
            await _PAGES[page.ascending].fetch(
                snapshot,
                principal,
                lower=page.selection.lower[-1],
                upper=page.selection.upper[-1],
                limit=page.limit,
            )
        )
        for page in pages
    ]


async def _fetch_totals(
    snapshot: Snapshot, principal: Principal, selections: Sequence[Selection]
) -> list[Row]:
    (row,) = await _COUNT.fetch(snapshot, principal)
    return [row for _ in selections]
