"""Reads of subscriptions after a change of an account: its balance, and its changed purchases."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import BigInteger, ColumnElement, bindparam, select

from gateway.models import Account, CreditPurchase, LedgerEntry, table_of
from gateway.principal import Principal
from gateway.store.engine.database import Reader
from gateway.store.engine.sql import Query
from gateway.store.rows import CreditPurchaseRow, WatchedAccount
from gateway.store.tenancy import Scoped, Visible

_ACCOUNT = table_of(Account)
_ENTRY = table_of(LedgerEntry)
_PURCHASE = table_of(CreditPurchase)

_account_id: ColumnElement[int] = bindparam("account_id", type_=BigInteger())


def _account(visible: Visible) -> Query:
    account = _ACCOUNT.c
    last = (_ENTRY.c.account_id == account.account_id) & (
        _ENTRY.c.version == account.ledger_version
    )
    return (
        select(
            *account,
            visible.role(account.account_id).label("role"),
            _ENTRY.c.cause.label("last_cause"),
            _ENTRY.c.amount_nanos.label("last_amount_nanos"),
        )
        .join_from(_ACCOUNT, _ENTRY, last, isouter=True)
        .where(account.account_id == _account_id, visible(account.account_id))
    )


def _changed(visible: Visible) -> Query:
    purchase = _PURCHASE.c
    after = bindparam("revision", type_=BigInteger())
    return (
        select(_PURCHASE)
        .where(
            purchase.account_id == _account_id,
            purchase.revision > after,
            visible(purchase.account_id),
        )
        .order_by(purchase.revision, purchase.id)
    )


_ACCOUNT_WITH_LAST_ENTRY: Final = Scoped[WatchedAccount](_account)
_CHANGED_PURCHASES: Final = Scoped[CreditPurchaseRow](_changed)


async def account_with_last_entry(
    reader: Reader, principal: Principal, account_id: int
) -> WatchedAccount | None:
    """Return an account with its last ledger entry; None where it does not exist, or is not the
    principal's.
    """
    rows = await _ACCOUNT_WITH_LAST_ENTRY.fetch(reader, principal, account_id=account_id)
    return rows[0] if rows else None


async def purchases_since(
    reader: Reader, principal: Principal, account_id: int, revision: int
) -> Sequence[CreditPurchaseRow]:
    """Return the purchases that changed after a revision of the account, the oldest first."""
    return await _CHANGED_PURCHASES.fetch(
        reader, principal, account_id=account_id, revision=revision
    )
