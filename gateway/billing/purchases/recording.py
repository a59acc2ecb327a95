"""Records purchases: merges facts, and posts the credit of a purchase that settles.

Every function of purchases, refunds and disputes may be called any number of times with the same
facts, and with facts in any order: the purchases and the ledger's sum are the same in the end.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from gateway.billing.book import Book
from gateway.billing.ledger.flows import FlowColumn
from gateway.billing.ledger.source_key import SourceKey
from gateway.billing.purchases.book_purchases import PurchaseKey, Purchases, Reference
from gateway.billing.purchases.dispute_state import DisputeState, Movement
from gateway.billing.purchases.purchase_state import (
    CreditNote,
    PurchaseFacts,
    PurchaseState,
    RefundState,
    either,
    later_method,
)
from gateway.billing.purchases.receipts import issue_receipt
from gateway.billing.purchases.reversals import posting_changes, source_keys_of
from gateway.errors import BadUserInput
from gateway.models import CreditPurchaseKind, LedgerCause
from gateway.money import checked
from gateway.store import Reader, ledger, receipts
from gateway.store import purchases as stored


async def load_purchases(book: Book, references: Collection[Reference]) -> None:
    """Read purchases by reference, with their refunds and disputes, into the book."""
    purchases, reader = book.part(Purchases), book.transaction
    rows = await stored.by_reference(reader, list(references))
    # A purchase in the book has newer facts than its row.
    found = [PurchaseState.from_row(row) for row in rows]
    fresh = [state for state in found if state.key not in purchases.by_key]
    keys = [state.key for state in fresh]
    for state in fresh:
        purchases.add(state)
    await _load_refunds(purchases, reader, keys)
    await _load_disputes(purchases, reader, keys)
    source_keys = [
        (key[0], str(source_key))
        for key in keys
        for source_key in source_keys_of(purchases.refunds[key], purchases.disputes[key])
    ]
    purchases.booked.update(await ledger.booked_keys(reader, source_keys))
    purchases.remember(keys)


async def _load_refunds(purchases: Purchases, reader: Reader, keys: Sequence[PurchaseKey]) -> None:
    found = {}
    for row in await stored.refunds_of(reader, keys):
        refund = RefundState.from_row(row)
        purchases.refunds[refund.account_id, refund.purchase_id].append(refund)
        found[refund.key] = refund
    documents = await receipts.of_refunds(reader, list(found))
    canceled = {(row["account_id"], row["cancels_id"]) for row in documents}
    for document in documents:
        if document["cancels_id"] is None:
            found[document["account_id"], document["refund_id"]].note = CreditNote(
                id=document["id"],
                number=document["number"],
                net=document["tax_nanos"] - document["total_nanos"],
                tax=-document["tax_nanos"],
                issued_at=document["issued_at"],
                canceled=(document["account_id"], document["id"]) in canceled,
            )


async def _load_disputes(purchases: Purchases, reader: Reader, keys: Sequence[PurchaseKey]) -> None:
    found = {}
    for row in await stored.disputes_of(reader, keys):
        dispute = DisputeState.from_row(row)
        purchases.disputes[dispute.account_id, dispute.purchase_id].append(dispute)
        found[dispute.key] = dispute
    for moved in await stored.movements_of(reader, list(found)):
        dispute = found[moved["account_id"], moved["dispute_id"]]
        dispute.movements[moved["reference"]] = Movement(moved["amount_nanos"], moved["moved_at"])


def record_purchase(book: Book, facts: PurchaseFacts) -> PurchaseState:
    """Add facts to a purchase; a new reference makes a new purchase. `succeeded_at` settles it.

    Raises BadUserInput for another currency than the account's, or an amount that is not positive.
    """
    check_purchase(book, facts)
    purchase = _find(book, facts) or _add(book, facts)
    purchase.created_at = min(purchase.created_at, facts.created_at)
    purchase.description = either(purchase.description, facts.description)
    if not purchase.is_settled:
        if facts.succeeded_at:
            _settle(book, purchase, facts, facts.succeeded_at)
        else:
            purchase.learn(facts)
    elif facts.succeeded_at:
        purchase.payment_method = later_method(purchase.payment_method, facts.payment_method)
    return purchase


def check_purchase(book: Book, facts: PurchaseFacts) -> None:
    """Raise BadUserInput for facts that `record_purchase` would refuse."""
    account = book.accounts[facts.account_id]
    if facts.currency != account.currency:
        raise BadUserInput(
            f"The account's currency is {account.currency}; {facts.currency} is not converted.",
            argument="currency",
        )
    if facts.amount <= 0 or facts.tax < 0 or facts.bonus < 0:
        raise BadUserInput(
            "A purchase's amount must be positive; tax and bonus must not be negative.",
            argument="amount",
        )
    checked(facts.amount + facts.tax)
    checked(facts.amount + facts.bonus)


def _find(book: Book, facts: PurchaseFacts) -> PurchaseState | None:
    if facts.provider is None or facts.reference is None:
        return None
    return book.part(Purchases).by_reference.get(
        (facts.account_id, facts.provider, facts.reference)
    )


def _add(book: Book, facts: PurchaseFacts) -> PurchaseState:
    purchase = PurchaseState(
        account_id=facts.account_id,
        id=book.keys.new(),
        kind=facts.kind,
        currency=facts.currency,
        amount_nanos=facts.amount,
        tax_nanos=facts.tax,
        bonus_nanos=facts.bonus,
        provider=facts.provider,
        provider_reference=facts.reference,
        created_at=facts.created_at,
    )
    book.part(Purchases).add(purchase)
    return purchase


def _settle(book: Book, purchase: PurchaseState, facts: PurchaseFacts, at: datetime) -> None:
    # Refunds and disputes that came before the success take effect once the purchase is posted.
    with posting_changes(book, purchase):
        purchase.settle(facts, at)
        paid = purchase.kind == CreditPurchaseKind.CARD
        book.post(
            purchase.account_id,
            LedgerCause.PURCHASE if paid else LedgerCause.BONUS,
            purchase.amount_nanos,
            source=SourceKey.purchase(purchase.id),
            effective_at=at,
            flow=FlowColumn.PURCHASED if paid else FlowColumn.BONUS,
            purchase_id=purchase.id,
        )
        if purchase.bonus_nanos:
            book.post(
                purchase.account_id,
                LedgerCause.BONUS,
                purchase.bonus_nanos,
                source=SourceKey.bonus(purchase.id),
                effective_at=at,
                flow=FlowColumn.BONUS,
                purchase_id=purchase.id,
            )
        issue_receipt(book, purchase)
