"""Purchases: what is known is merged, and what follows from it is booked.

Every function of purchases, refunds and disputes may be called any number of times with the same
facts, and with facts in any order: the purchases and the ledger's sum come out the same.
"""

from collections.abc import Collection
from datetime import datetime

from gateway.billing.book import Book, Reference
from gateway.billing.disputes import apply_dispute
from gateway.billing.flows import FlowColumn
from gateway.billing.receipts import issue_receipt
from gateway.billing.refunds import apply_refund
from gateway.billing.states import DisputeState, PurchaseFacts, PurchaseState, RefundState
from gateway.errors import BadUserInput
from gateway.models import CreditPurchaseKind, CreditPurchaseStatus, LedgerCause
from gateway.store import Row, purchases


async def load_purchases(book: Book, references: Collection[Reference]) -> None:
    """Read purchases by their provider's names, with their refunds and disputes, into the book."""
    await _load(book, await purchases.by_reference(book.transaction, list(references)))


async def load_purchases_by_key(book: Book, keys: Collection[tuple[int, int]]) -> None:
    """Read purchases by (account, id), with their refunds and disputes, into the book."""
    await _load(book, await purchases.by_key(book.transaction, list(keys)))


async def _load(book: Book, rows: Collection[Row]) -> None:
    found = [PurchaseState.from_row(row) for row in rows]
    keys = [state.key for state in found]
    for state in found:
        book.add_purchase(state)
    for row in await purchases.refunds_of(book.transaction, keys):
        book.refunds[row["account_id"], row["purchase_id"]].append(RefundState.from_row(row))
    for row in await purchases.disputes_of(book.transaction, keys):
        book.disputes[row["account_id"], row["purchase_id"]].append(DisputeState.from_row(row))


def record_purchase(book: Book, facts: PurchaseFacts) -> PurchaseState:
    """Add facts to a purchase, made where its reference is not in the book; settle it when they say
    so.

    Raises BadUserInput for another currency than the account's, or an amount that is not positive.
    """
    purchase = _find(book, facts) or _add(book, facts)
    if facts.payment_method:
        purchase.payment_method_type = facts.payment_method.type
        purchase.payment_method_brand = facts.payment_method.brand
        purchase.payment_method_last4 = facts.payment_method.last4
        purchase.payment_method_label = facts.payment_method.label
    if facts.description:
        purchase.description = facts.description
    if facts.succeeded_at:
        _settle(book, purchase, facts.succeeded_at)
    elif facts.canceled:
        purchase.raise_to(CreditPurchaseStatus.CANCELED)
    elif facts.failed_at:
        _fail(purchase, facts, facts.failed_at)
    elif facts.requires_action:
        purchase.raise_to(CreditPurchaseStatus.REQUIRES_ACTION)
    return purchase


def _find(book: Book, facts: PurchaseFacts) -> PurchaseState | None:
    if facts.reference is None:
        return None
    return book.references.get((facts.account_id, facts.provider, facts.reference))


def _add(book: Book, facts: PurchaseFacts) -> PurchaseState:
    account = book.accounts[facts.account_id]
    if facts.currency != account.currency:
        raise BadUserInput(
            f"The account is kept in {account.currency}; {facts.currency} is not converted.",
            argument="currency",
        )
    if facts.amount <= 0 or facts.tax < 0 or facts.bonus < 0:
        raise BadUserInput(
            "A purchase's amount must be positive, its tax and bonus not negative.",
            argument="amount",
        )
    purchase = PurchaseState(
        account_id=facts.account_id,
        id=book.keys.new(facts.created_at),
        kind=facts.kind,
        currency=facts.currency,
        amount_nanos=facts.amount,
        tax_nanos=facts.tax,
        bonus_nanos=facts.bonus,
        provider=facts.provider,
        provider_reference=facts.reference,
        created_at=facts.created_at,
    )
    book.add_purchase(purchase)
    return purchase


def _fail(purchase: PurchaseState, facts: PurchaseFacts, failed_at: datetime) -> None:
    if not purchase.raise_to(CreditPurchaseStatus.FAILED):
        return
    # Of several failures the last one counts, whichever came first.
    known = (purchase.failed_at, purchase.failure_code or "", purchase.failure_reason or "")
    new = (failed_at, facts.failure_code or "", facts.failure_reason or "")
    if known[0] is None or new > known:
        purchase.failed_at = failed_at
        purchase.failure_code = facts.failure_code
        purchase.failure_reason = facts.failure_reason


def _settle(book: Book, purchase: PurchaseState, at: datetime) -> None:
    if purchase.is_settled:
        return
    purchase.settled_at = at
    purchase.failed_at = purchase.failure_code = purchase.failure_reason = None
    paid = purchase.kind == CreditPurchaseKind.CARD
    book.post_purchase(
        purchase,
        LedgerCause.PURCHASE if paid else LedgerCause.BONUS,
        purchase.amount_nanos,
        source_key=f"purchase:{purchase.id}",
        at=at,
        flow=FlowColumn.PURCHASED if paid else FlowColumn.BONUS,
    )
    if purchase.bonus_nanos:
        book.post_purchase(
            purchase,
            LedgerCause.BONUS,
            purchase.bonus_nanos,
            source_key=f"bonus:{purchase.id}",
            at=at,
            flow=FlowColumn.BONUS,
        )
    purchase.update_status()
    issue_receipt(book, purchase)
    # What came before the success was kept, and takes effect now.
    for refund in sorted(book.refunds[purchase.key], key=lambda kept: kept.created_at):
        apply_refund(book, purchase, refund)
    for dispute in book.disputes[purchase.key]:
        apply_dispute(book, purchase, dispute)
