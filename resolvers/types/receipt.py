"""Receipts and credit notes."""

from datetime import datetime
from typing import ClassVar

import strawberry

from gateway.store import Row
from resolvers.columns import column, global_id, money, resolved
from resolvers.context import Info
from resolvers.permissions import Policy
from resolvers.types.money import Money
from resolvers.types.node import Node


def sign_download_url(root: strawberry.Parent[Row], info: Info) -> str:
    return info.context.links.to_receipt(root["account_id"], root["number"])


@strawberry.type(
    description="The lasting document of a settled purchase, of a refund (a credit note), or one "
    "that cancels a credit note. It never changes."
)
class Receipt(Node):
    POLICY: ClassVar = Policy.PURCHASES

    id: strawberry.ID = global_id(
        "Receipt", "account_id", "id", description="The receipt's global id."
    )
    number: str = column(
        "number",
        description="Its number, `<prefix>-<year>-<000001>`: without gaps in an account and year.",
    )
    issued_at: datetime = column("issued_at", description="When it was issued.")
    total: Money = money(
        "total_nanos",
        description="The credit and its tax: what was charged, or, of a coupon, a manual credit or "
        "a trial grant, what was given. A credit note's is negative; that of the document that "
        "cancels it is the same, positive.",
    )
    tax: Money = money(
        "tax_nanos",
        description="The tax in the total; a credit note's is negative or zero.",
    )
    download_url: str = resolved(
        sign_download_url,
        description="A link to the document (PDF) that needs no credential; it is signed anew for "
        "each answer and expires within 15 minutes.",
    )
