"""Receipts and credit notes."""

from datetime import datetime
from typing import ClassVar

import strawberry

from gateway.store.rows import ReceiptRow
from resolvers.columns import column, global_id, money, resolved
from resolvers.context import Info
from resolvers.permissions import Policy
from resolvers.types.money import Money
from resolvers.types.node import Node


def sign_download_url(root: strawberry.Parent[ReceiptRow], info: Info) -> str:
    return info.context.links.to_receipt(root["account_id"], root["number"])


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
    download_url: str = resolved(
        sign_download_url,
        description="Signed download link to the PDF. The link needs no credential and expires "
        "within 15 minutes.",
    )
