"""Receipts and credit notes."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import strawberry

from gateway.models import receipt_kind
from resolvers.columns import column, computed, converted, global_id, money
from resolvers.connection import Connection
from resolvers.context import Context
from resolvers.costs import LINK
from resolvers.enums import ReceiptKind
from resolvers.permissions import Policy
from resolvers.types.money import Money
from resolvers.types.node import Node


def _sign_download_url(context: Context, account_id: int, number: str) -> str:
    return context.links.to_receipt(account_id, number)


def _sign_download_urls(
    context: Context, account_ids: Sequence[int], numbers: Sequence[str]
) -> list[str]:
    return context.links.to_receipts(account_ids, numbers)


@strawberry.type(
    description="A receipt for a settled purchase, a credit note for a refund, or a "
    "cancellation of a credit note. Receipts never change."
)
class Receipt(Node):
    POLICY: ClassVar = Policy.PURCHASES

    id: strawberry.ID = global_id(
        "Receipt", "account_id", "id", description="The receipt's global id."
    )
    number: str = column(
        "number",
        description="The receipt number, `<prefix>-<year>-<000001>`; numbers of an account have "
        "no gaps within a year.",
    )
    kind: ReceiptKind = converted(
        receipt_kind, "refund_id", "cancels_id", description="Receipt, credit note or cancellation."
    )
    issued_at: datetime = column("issued_at", description="When the receipt was issued.")
    total: Money = money(
        "total_nanos",
        description="The total, tax included: the payment, or the granted credit of a coupon, "
        "manual credit or trial grant. Negative on a credit note; positive on its "
        "cancellation.",
    )
    tax: Money = money(
        "tax_nanos",
        description="The tax in the total; negative or zero on a credit note.",
    )
    download_url: str = computed(
        _sign_download_url,
        "account_id",
        "number",
        cost=LINK,
        all_=_sign_download_urls,
        description="Signed download link to the PDF. The link needs no credential and expires "
        "within 15 minutes.",
    )


@strawberry.type(
    description="Receipts, credit notes and cancellations of credit notes, latest `issuedAt` first."
)
class ReceiptConnection(Connection[Receipt]):
    POLICY: ClassVar = Policy.PURCHASES
