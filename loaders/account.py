"""Accounts, with the principal's role in each."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause

from gateway.models import Account, table_of
from gateway.store import Listing, Visible
from loaders.batch import Keyed

_ACCOUNT = table_of(Account)


def _columns(visible: Visible, accounts: FromClause) -> Sequence[ColumnElement[Any]]:
    return [*accounts.c, visible.role(accounts.c.account_id).label("role")]


ACCOUNT_BY_ID: Final = Keyed(_ACCOUNT, "account_id", columns=_columns)
ACCOUNTS: Final = Listing(_ACCOUNT, scope=(), order=("account_id",), columns=_columns)
