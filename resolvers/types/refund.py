"""Refunds."""

from datetime import datetime
from typing import ClassVar

import strawberry

from resolvers.columns import column, converted, global_id, money, related
from resolvers.costs import LONG_TEXT
from resolvers.enums import RefundStatus
from resolvers.permissions import Policy
from resolvers.types.money import Money, with_tax
from resolvers.types.node import Node
from resolvers.types.receipt import Receipt


@strawberry.type(description="A refund of a credit purchase.")
class Refund(Node):
    POLICY: ClassVar = Policy.PURCHASES

    id: strawberry.ID = global_id(
        "Refund", "account_id", "id", description="The refund's global id."
    )
    created_at: datetime = column("created_at", description="When the refund was started.")
    settled_at: datetime | None = column(
        "settled_at", description="When the amount was taken off the balance; null until then."
    )
    status: RefundStatus = column("status", description="Status of the refund.")
    reason: str | None = column(
        "reason",
        cost=LONG_TEXT,
        description="The reason given for the refund; at most 2,000 characters.",
    )
    failure_reason: str | None = column(
        "failure_reason",
        cost=LONG_TEXT,
        description="Why the refund failed; null if it did not fail.",
    )
    amount: Money = money("amount_nanos", description="The credit taken back, without tax.")
    tax: Money = money("tax_nanos", description="The tax returned with the amount.")
    total: Money = converted(
        with_tax,
        "amount_nanos",
        "tax_nanos",
        "currency",
        description="The payment returned: `amount` + `tax`, as on the credit note.",
    )
    receipt: Receipt | None = related(
        "receipt_by_refund",
        "account_id",
        "id",
        description="The credit note; null until the refund succeeds, or if the purchase has no "
        "receipt. A refund that fails later keeps its credit note.",
    )
    cancellation: Receipt | None = related(
        "cancellation_by_refund",
        "account_id",
        "id",
        description="The cancellation of the credit note, issued if the refund fails or is "
        "canceled after it succeeded; otherwise null. Its total is positive.",
    )
