"""Accounts, with the principal's role in each."""

from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, select

from gateway.models import Account, table_of
from gateway.store import Visible
from loaders.batch import Keyed

ACCOUNT: Final = table_of(Account)


def _columns(visible: Visible) -> list[ColumnElement[Any]]:
    return [*ACCOUNT.c, visible.role(ACCOUNT.c.account_id).label("role")]


def _by_id(visible: Visible, keys: FromClause) -> Select[Any]:
    return (
        select(*_columns(visible), keys.c.n)
        .join_from(keys, ACCOUNT, ACCOUNT.c.account_id == keys.c.account_id)
        .where(visible(ACCOUNT.c.account_id))
    )


ACCOUNT_BY_ID: Final = Keyed("account_id", build=_by_id)
