"""Issues receipts, credit notes and cancellations: a number without gaps, and the frozen data that
a document is always printed from.

GATEWAY_RECEIPTS decides once for each purchase, when it settles, whether a receipt is issued. The
refunds of a purchase with a receipt have credit notes, whatever the setting is by then.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from gateway.billing.book import Book
from gateway.billing.purchases.book_purchases import Purchases
from gateway.billing.purchases.purchase_state import CreditNote, PurchaseState, RefundState
from gateway.billing.purchases.taxes import printed_taxes, share_of
from gateway.money import checked, format_amount, parse_exact_nanos
from gateway.store.buyers import buyer_of
from gateway.store.engine.stored_json import dumps
from gateway.store.receipts import (
    IssuedReceipt,
    ReceiptData,
    ReceiptLine,
    ReceiptPurchase,
    parse_data,
)
from gateway.store.taxes import parse_taxes
from gateway.windows import local_day

FORMAT: Final = 1
"""Version of the frozen data's shape; an issued document keeps its version."""


class Document(NamedTuple):
    """The content of a document: its date, its sums in nanos, and its lines."""

    issued_at: datetime
    net: int
    tax: int
    lines: Sequence[ReceiptLine]


class DocumentSums(NamedTuple):
    """The sums of a document's frozen data in nanos; those of a credit note are negative."""

    net: int
    tax: int
    bonus: int


def read_sums(data: str) -> DocumentSums:
    """Read the sums of a document from the data that it is printed from."""
    document = parse_data(data)
    bonus = [line["amount"] for line in document["lines"] if line["kind"] == "bonus"]
    return DocumentSums(
        net=parse_exact_nanos(document["net"]),
        tax=parse_exact_nanos(document["tax"]),
        bonus=sum(map(parse_exact_nanos, bonus)),
    )


def issue_receipt(book: Book, purchase: PurchaseState) -> None:
    """Issue the receipt of a purchase that has just settled, unless receipts are off."""
    if not book.accounts[purchase.account_id].issues_receipts:
        return
    purchase.receipted = True
    settled_at = purchase.settled_at
    assert settled_at is not None  # noqa: S101  # the caller settles it first
    lines = _lines("credit", purchase.amount_nanos, purchase.bonus_nanos, purchase.currency)
    document = Document(settled_at, purchase.amount_nanos, purchase.tax_nanos, lines)
    _issue(book, purchase, document)


def issue_credit_note(
    book: Book, purchase: PurchaseState, refund: RefundState, *, bonus: int
) -> CreditNote:
    """Issue the credit note of a refund that took effect, of a purchase that has a receipt; its
    total is negative.

    The bonus that goes back with it is a line of its own, and no money.
    """
    net, tax = refund.amount_nanos, refund.tax_nanos
    lines = _lines("refund", -net, -bonus, refund.currency)
    document = Document(refund.created_at, -net, -tax, lines)
    id_, number = _issue(book, purchase, document, refund)
    return CreditNote(id_, number, net, tax, refund.created_at)


def issue_cancellation(
    book: Book, purchase: PurchaseState, refund: RefundState, *, bonus: int
) -> CreditNote:
    """Cancel the credit note of a refund that failed or was canceled; return the canceled note.

    The cancellation is dated when the refund failed. Its total is positive; it and the note's add
    up to 0. The bonus that comes back with it is a line of its own.
    """
    note = refund.note
    assert note is not None  # noqa: S101  # there is something to cancel
    lines = _lines("refund", note.net, bonus, refund.currency)
    at = max(refund.failed_at or book.now, note.issued_at)
    _issue(book, purchase, Document(at, note.net, note.tax, lines), refund, cancels=note)
    return note._replace(canceled=True)


def _lines(kind: str, nanos: int, bonus: int, currency: str) -> list[ReceiptLine]:
    lines: list[ReceiptLine] = [{"kind": kind, "amount": format_amount(nanos, currency)}]
    if bonus:
        lines.append({"kind": "bonus", "amount": format_amount(bonus, currency)})
    return lines


def _issue(
    book: Book,
    purchase: PurchaseState,
    document: Document,
    refund: RefundState | None = None,
    *,
    cancels: CreditNote | None = None,
) -> tuple[int, str]:
    """Return the document's key and its number."""
    account, currency = book.accounts[purchase.account_id], purchase.currency
    purchases = book.part(Purchases)
    year = local_day(document.issued_at, account.time_zone).year
    sequence = purchases.next_sequence(account.account_id, year)
    id_, number = book.keys.new(), f"{account.receipt_prefix}-{year}-{sequence:06}"
    total = checked(document.net + document.tax)
    data: ReceiptData = {
        "format": FORMAT,
        "number": number,
        "issuedAt": document.issued_at.isoformat(),
        "timeZone": account.time_zone.key,
        "currency": currency,
        "buyer": buyer_of(account.name, account.external_id, account.billing),
        "purchase": _purchase_data(purchase),
        "lines": [*document.lines],
        "net": format_amount(document.net, currency),
        "tax": format_amount(document.tax, currency),
        "total": format_amount(total, currency),
    }
    if purchase.taxes:
        shares = share_of(parse_taxes(purchase.taxes), abs(document.tax), currency)
        sign = -1 if document.tax < 0 else 1
        signed = [line._replace(nanos=sign * line.nanos) for line in shares]
        data["taxes"] = printed_taxes(signed, currency)
    if refund is not None:
        data["refund"] = {"createdAt": refund.created_at.isoformat(), "reason": refund.reason}
    if refund is not None and cancels is not None:
        data["cancels"] = {"number": cancels.number, "reason": refund.failure_reason}
    purchases.issue(
        IssuedReceipt(
            account_id=account.account_id,
            id=id_,
            number=number,
            year=year,
            sequence=sequence,
            purchase_id=purchase.id,
            refund_id=refund.id if refund else None,
            cancels_id=cancels.id if cancels else None,
            currency=currency,
            total_nanos=total,
            tax_nanos=document.tax,
            issued_at=document.issued_at,
            data=dumps(data),
        )
    )
    return id_, number


def _purchase_data(purchase: PurchaseState) -> ReceiptPurchase:
    method = purchase.payment_method
    return {
        "kind": purchase.kind,
        "description": purchase.description,
        "createdAt": purchase.created_at.isoformat(),
        "paymentMethod": {
            "type": purchase.payment_method_type,
            "brand": purchase.payment_method_brand,
            "last4": purchase.payment_method_last4,
            "label": purchase.payment_method_label,
            "displayName": method.display_name if method else None,
        },
    }
