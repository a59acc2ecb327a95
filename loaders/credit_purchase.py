"""Credit purchases with their totals, what was taken back from them, and the documents of both."""

from typing import Any, Final

from sqlalchemy import ColumnElement, case, func

from gateway.models import CreditPurchase, CreditPurchaseKind, Receipt, Refund, table_of
from gateway.store import Listing, any_of
from loaders.batch import Keyed

_PURCHASE = table_of(CreditPurchase)
_REFUND = table_of(Refund)
_RECEIPT = table_of(Receipt)


def _settled(name: str, nanos: ColumnElement[int]) -> ColumnElement[Any]:
    return func.sum(nanos).filter(_PURCHASE.c.settled_at.is_not(None)).label(name)


_by_card = _PURCHASE.c.kind == CreditPurchaseKind.CARD.value
_amount = _PURCHASE.c.amount_nanos
_bonus = _PURCHASE.c.bonus_nanos - _PURCHASE.c.bonus_reversed_nanos

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
        _settled("refunded_nanos", _PURCHASE.c.refunded_nanos),
    ),
)
"""By (account); the totals are over settled purchases, and null where there is none."""

REFUNDS: Final = Listing(_REFUND, scope=("account_id", "purchase_id"), order=("created_at", "id"))

CREDIT_PURCHASE_BY_ID: Final = Keyed(_PURCHASE, "account_id", "id")
REFUND_BY_ID: Final = Keyed(_REFUND, "account_id", "id")
RECEIPT_BY_ID: Final = Keyed(_RECEIPT, "account_id", "id")
RECEIPT_BY_REFUND: Final = Keyed(_RECEIPT, "account_id", "refund_id")
RECEIPT_BY_PURCHASE: Final = Keyed(
    _RECEIPT, "account_id", "purchase_id", condition=_RECEIPT.c.refund_id.is_(None)
)
