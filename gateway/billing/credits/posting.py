"""Posts credit without a payment, and adjustments of a balance."""

from datetime import datetime

from gateway.billing.book import Book
from gateway.billing.ledger.flows import FlowColumn
from gateway.billing.ledger.source_key import SourceKey
from gateway.billing.purchases.purchase_state import PurchaseFacts, PurchaseState
from gateway.billing.purchases.recording import record_purchase
from gateway.models import CreditPurchaseKind, LedgerCause


def grant_credit(
    book: Book,
    account_id: int,
    kind: CreditPurchaseKind,
    amount: int,
    *,
    currency: str,
    occurred_at: datetime,
    description: str | None = None,
) -> PurchaseState:
    """Give a coupon, a manual credit or a trial grant: a purchase that settles at once."""
    facts = PurchaseFacts(
        account_id=account_id,
        kind=kind,
        amount=amount,
        currency=currency,
        created_at=occurred_at,
        succeeded_at=occurred_at,
        description=description,
    )
    return record_purchase(book, facts)


def adjust_balance(
    book: Book,
    account_id: int,
    amount: int,
    *,
    source: SourceKey,
    occurred_at: datetime,
    description: str | None = None,
) -> int:
    """Post a signed adjustment in nanos; return its ledger version. `source` is its unique key."""
    return book.post(
        account_id,
        LedgerCause.ADJUSTMENT,
        amount,
        source=source,
        effective_at=occurred_at,
        flow=FlowColumn.ADJUSTED,
        description=description,
    )
