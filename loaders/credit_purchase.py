"""Credit purchases with their totals, what was taken back from them, and the documents of both."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, case, func

from gateway.models import CreditPurchase, CreditPurchaseKind, Receipt, Refund, table_of
from gateway.store import Listing, Visible, any_of
from loaders.batch import Keyed

_PURCHASE = table_of(CreditPurchase)
_REFUND = table_of(Refund)
_RECEIPT = table_of(Receipt)


def _settled(name: str, nanos: ColumnElement[int]) -> ColumnElement[Any]:
    settled = func.sum(nanos).filter(_PURCHASE.c.settled_at.is_not(None))
    return func.coalesce(settled, 0).label(name)


def _all_but_data(_: Visible, receipts: FromClause) -> Sequence[ColumnElement[Any]]:
    # What a receipt is printed from is large, and no field of it.
    return [column for column in receipts.c if column.name != "data"]


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

REFUNDS: Final = Listing(_REFUND, scope=("account_id", "purchase_id"), order=("created_at", "id"))

CREDIT_PURCHASE_BY_ID: Final = Keyed(_PURCHASE, "account_id", "id")
REFUND_BY_ID: Final = Keyed(_REFUND, "account_id", "id")
RECEIPT_BY_ID: Final = Keyed(_RECEIPT, "account_id", "id", columns=_all_but_data)
RECEIPT_BY_REFUND: Final = Keyed(_RECEIPT, "account_id", "refund_id", columns=_all_but_data)
RECEIPT_BY_PURCHASE: Final = Keyed(
    _RECEIPT,
    "account_id",
    "purchase_id",
    columns=_all_but_data,
    condition=_RECEIPT.c.refund_id.is_(None),
)
