"""An account's credit purchases in the order of their dates, and their totals."""

from typing import Final

from sqlalchemy import ColumnElement, and_, case, func, select

from gateway.models import CreditPurchase, CreditPurchaseKind, Refund, RefundStatus, table_of
from gateway.store.companions import Companion
from gateway.store.engine.parameters import any_of
from gateway.store.listing import Condition, Listing, Total
from gateway.store.purchase_relations import RECEIPT_BY_PURCHASE
from gateway.store.purchase_search import SEARCHES
from gateway.store.rows import Counted, CreditPurchaseRow

_PURCHASE = table_of(CreditPurchase)
_REFUND = table_of(Refund)


class PurchaseTotals(Counted):
    """Totals over settled purchases, with refunded and disputed amounts to date."""

    paid_nanos: int
    tax_nanos: int
    bonus_nanos: int
    refunded_nanos: int


class RefundTotals(Counted):
    """Totals of the refunds that succeeded of settled purchases."""

    refund_nanos: int
    refund_tax_nanos: int


def _settled(nanos: ColumnElement[int]) -> Total:
    return Total(nanos, _PURCHASE.c.settled_at.is_not(None))


def _refunds(nanos: ColumnElement[int]) -> Total:
    """Return the total of the settled purchases' refunds that succeeded. Refunds are looked up only
    for the few purchases with refunds.
    """
    found = (
        select(func.sum(nanos))
        .where(
            _REFUND.c.account_id == _PURCHASE.c.account_id,
            _REFUND.c.purchase_id == _PURCHASE.c.id,
            _REFUND.c.status == RefundStatus.SUCCEEDED.value,
        )
        .correlate(_PURCHASE)
        .scalar_subquery()
    )
    return _settled(case((_PURCHASE.c.refunded_nanos > 0, found), else_=0))


_by_card = _PURCHASE.c.kind == CreditPurchaseKind.CARD.value
_amount = _PURCHASE.c.amount_nanos
_bonus = _PURCHASE.c.bonus_nanos - _PURCHASE.c.bonus_reversed_nanos

_CONDITIONS: Final[dict[str, Condition]] = {
    "status": lambda purchases: any_of(purchases.c.status, "status"),
    "kind": lambda purchases: any_of(purchases.c.kind, "kind"),
    **SEARCHES,
}

_WITH_REFUNDS: Final[dict[str, Condition]] = _CONDITIONS | {
    # Of purchases without a refund nothing is added up: their texts need not be looked at.
    name: lambda purchases, search=search: and_(purchases.c.refunded_nanos > 0, search(purchases))
    for name, search in SEARCHES.items()
}

CREDIT_PURCHASES: Final = Listing[CreditPurchaseRow, PurchaseTotals](
    _PURCHASE,
    scope=("account_id",),
    order=("created_at", "id"),
    conditions=_CONDITIONS,
    totals={
        "paid_nanos": _settled(case((_by_card, _amount), else_=0)),
        "tax_nanos": _settled(case((_by_card, _PURCHASE.c.tax_nanos), else_=0)),
        "bonus_nanos": _settled(_bonus + case((_by_card, 0), else_=_amount)),
        "refunded_nanos": _settled(_PURCHASE.c.refunded_nanos),
    },
    companions={"receipt": Companion(keyed=RECEIPT_BY_PURCHASE, key=("account_id", "id"))},
)

REFUNDS_OF_PURCHASES: Final = Listing[CreditPurchaseRow, RefundTotals](
    _PURCHASE,
    scope=("account_id",),
    order=("created_at", "id"),
    conditions=_WITH_REFUNDS,
    totals={
        "refund_nanos": _refunds(_REFUND.c.amount_nanos),
        "refund_tax_nanos": _refunds(_REFUND.c.tax_nanos),
    },
)
"""The same purchases for the totals of their refunds, from another table."""
