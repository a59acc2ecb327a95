"""Issuing: a number without gaps, and the data that the document is printed from for ever.

Whether receipts are issued (GATEWAY_RECEIPTS) is decided once for each purchase, when it settles:
its refunds have credit notes where it has a receipt, whatever the setting is by then.
"""

from datetime import datetime
from typing import Any, Final

from gateway.billing.book import Book, BookAccount
from gateway.billing.states import PurchaseState, RefundState
from gateway.money import checked, format_amount
from gateway.store.stored_json import dumps
from gateway.windows import local_day

FORMAT: Final = 1
"""Version of the frozen data's shape; what is issued keeps its own."""


def issue_receipt(book: Book, purchase: PurchaseState) -> None:
    """Issue the receipt of a purchase that has just settled, unless receipts are off."""
    if not book.accounts[purchase.account_id].issues_receipts:
        return
    purchase.receipted = True
    settled_at = purchase.settled_at
    assert settled_at is not None  # noqa: S101  # the caller settles it first
    lines = [_line("credit", purchase.amount_nanos, purchase.currency)]
    if purchase.bonus_nanos:
        lines.append(_line("bonus", purchase.bonus_nanos, purchase.currency))
    _issue(
        book,
        purchase,
        refund=None,
        issued_at=settled_at,
        net=purchase.amount_nanos,
        tax=purchase.tax_nanos,
        lines=lines,
    )


def issue_credit_note(
    book: Book, purchase: PurchaseState, refund: RefundState, *, bonus: int
) -> None:
    """Issue the credit note of a refund that took effect, where its purchase has a receipt; its
    total is negative.

    The bonus that goes back with it is a line of its own, and no money.
    """
    if not purchase.receipted:
        return
    lines = [_line("refund", -refund.amount_nanos, refund.currency)]
    if bonus:
        lines.append(_line("bonus", -bonus, refund.currency))
    _issue(
        book,
        purchase,
        refund=refund,
        issued_at=refund.created_at,
        net=-refund.amount_nanos,
        tax=-refund.tax_nanos,
        lines=lines,
    )


def _line(kind: str, nanos: int, currency: str) -> dict[str, str]:
    return {"kind": kind, "amount": format_amount(nanos, currency)}


def _issue(
    book: Book,
    purchase: PurchaseState,
    *,
    refund: RefundState | None,
    issued_at: datetime,
    net: int,
    tax: int,
    lines: list[dict[str, str]],
) -> None:
    account = book.accounts[purchase.account_id]
    year = local_day(issued_at, account.time_zone).year
    sequence = account.sequences.get(year, 0) + 1
    account.sequences[year] = sequence
    number = f"{account.receipt_prefix}-{year}-{sequence:06}"
    total = checked(net + tax)
    data = {
        "format": FORMAT,
        "number": number,
        "issuedAt": issued_at.isoformat(),
        "timeZone": account.time_zone.key,
        "currency": purchase.currency,
        "buyer": {"name": account.name, "externalId": account.external_id},
        "purchase": _purchase_data(account, purchase),
        "lines": lines,
        "net": format_amount(net, purchase.currency),
        "tax": format_amount(tax, purchase.currency),
        "total": format_amount(total, purchase.currency),
    }
    if refund is not None:
        data["refund"] = {"createdAt": refund.created_at.isoformat(), "reason": refund.reason}
    book.receipts.append(
        (
            *(purchase.account_id, book.keys.new(), number, year, sequence),
            *(purchase.id, refund.id if refund else None, purchase.currency),
            *(total, tax, issued_at, dumps(data)),
        )
    )


def _purchase_data(account: BookAccount, purchase: PurchaseState) -> dict[str, Any]:
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
