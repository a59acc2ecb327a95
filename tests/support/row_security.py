"""The application's tenant filter, removed: what row-level security alone shows."""

from typing import Any

import pytest
from sqlalchemy import ColumnElement, Select, select, true

from gateway.models import Account, table_of
from gateway.principal import Principal
from gateway.store.engine.statement import Statement
from gateway.store.tenancy import Scoped, Visible

ACCOUNT = table_of(Account)


def remove_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let statements read the rows of every account, as far as the database shows them."""
    bound = Scoped._bound

    def anything(_: Visible, __: Any) -> ColumnElement[bool]:
        return true()

    def every_account(visible: Visible) -> Select[tuple[int, str]]:
        key = ACCOUNT.c.account_id
        return select(key, visible.role(key).label("role"))

    def compiled_again(scoped: Scoped[Any], principal: Principal) -> Any:
        statement, parameters = bound(scoped, principal)
        return Statement[Any](statement._build), parameters

    monkeypatch.setattr(Visible, "__call__", anything)
    monkeypatch.setattr(Visible, "only", anything)
    monkeypatch.setattr(Visible, "own", anything)
    monkeypatch.setattr(Visible, "accounts", every_account)
    monkeypatch.setattr(Scoped, "_bound", compiled_again)
