"""Credit purchases, their refunds, disputes and documents, by key."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import FromClause, select

from gateway.models import Account, CreditPurchase, Dispute, Receipt, Refund, table_of
from gateway.store.companions import Companion
from gateway.store.engine.sql import Expression
from gateway.store.listing import Listing
from gateway.store.relation import Keyed
from gateway.store.rows import Counted, CreditPurchaseRow, ReceiptRow, RefundRow, VisibleDispute
from gateway.store.tenancy import Visible

_ACCOUNT = table_of(Account)
_REFUND = table_of(Refund)
_RECEIPT = table_of(Receipt)


def all_but_data(_: Visible, documents: FromClause) -> Sequence[Expression]:
    """Return a document's columns without `data`, which is large, and which no field reads."""
    return [column for column in documents.c if column.name != "data"]


def _with_currency(_: Visible, disputes: FromClause) -> Sequence[Expression]:
    currency = select(_ACCOUNT.c.currency).where(_ACCOUNT.c.account_id == disputes.c.account_id)
    return [*disputes.c, currency.scalar_subquery().label("currency")]


CREDIT_PURCHASE_BY_ID: Final = Keyed[CreditPurchaseRow](
    table_of(CreditPurchase), "account_id", "id"
)
REFUND_BY_ID: Final = Keyed[RefundRow](_REFUND, "account_id", "id")
DISPUTE_BY_ID: Final = Keyed[VisibleDispute](
    table_of(Dispute), "account_id", "id", columns=_with_currency
)
RECEIPT_BY_ID: Final = Keyed[ReceiptRow](_RECEIPT, "account_id", "id", columns=all_but_data)
RECEIPT_BY_REFUND: Final = Keyed[ReceiptRow](
    _RECEIPT,
    "account_id",
    "refund_id",
    columns=all_but_data,
    condition=_RECEIPT.c.cancels_id.is_(None),
)
CANCELLATION_BY_REFUND: Final = Keyed[ReceiptRow](
    _RECEIPT,
    "account_id",
    "refund_id",
    columns=all_but_data,
    condition=_RECEIPT.c.cancels_id.is_not(None),
)
REFUNDS: Final = Listing[RefundRow, Counted](
    _REFUND,
    scope=("account_id", "purchase_id"),
    order=("created_at", "id"),
    companions={
        "receipt": Companion(keyed=RECEIPT_BY_REFUND, key=("account_id", "id")),
    },
)
RECEIPT_BY_PURCHASE: Final = Keyed[ReceiptRow](
    _RECEIPT,
    "account_id",
    "purchase_id",
    columns=all_but_data,
    condition=_RECEIPT.c.refund_id.is_(None),
)
