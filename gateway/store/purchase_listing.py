"""An account's credit purchases in the order of their dates, and their totals."""

from typing import Any, Final

from sqlalchemy import ColumnElement, case, func

from gateway.models import CreditPurchase, CreditPurchaseKind, table_of
from gateway.store.listing import Listing
from gateway.store.statement import any_of

_PURCHASE = table_of(CreditPurchase)


def _settled(name: str, nanos: ColumnElement[int]) -> ColumnElement[Any]:
    settled = func.sum(nanos).filter(_PURCHASE.c.settled_at.is_not(None))
    return func.coalesce(settled, 0).label(name)


_by_card = _PURCHASE.c.kind == CreditPurchaseKind.CARD.value
_amount = _PURCHASE.c.amount_nanos
_bonus = _PURCHASE.c.bonus_nanos - _PURCHASE.c.bonus_reversed_nanos
_refunded = _PURCHASE.c.refunded_nanos

CREDIT_PURCHASES: Final = Listing(
    _PURCHASE,
    scope=("account_id",),
    order=("created_at", "id"),
    conditions={
        "status": lambda purchases: any_of(purchases.c.status, "status"),
        "kind": lambda purchases: any_of(purchases.c.kind, "kind"),
    },
    totals=(
        _settled("paid_nanos", case((_by_card, _amount), else_=0)),
        _settled("bonus_nanos", _bonus + case((_by_card, 0), else_=_amount)),
        _settled("refunded_nanos", _refunded),
        _settled("credited_nanos", _amount + _bonus - _refunded),
    ),
)
"""The totals are over settled purchases, refunds to date: credited = paid + bonus − refunded."""
