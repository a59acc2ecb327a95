"""Refunds."""

from collections.abc import Awaitable
from datetime import datetime
from typing import ClassVar

import strawberry

from gateway.store.rows import ReceiptRow, RefundRow
from resolvers.columns import column, converted, global_id, money, resolved
from resolvers.context import Info
from resolvers.enums import RefundStatus
from resolvers.permissions import Policy
from resolvers.types.money import Money, with_tax
from resolvers.types.node import Node
from resolvers.types.receipt import Receipt


def load_receipt(root: strawberry.Parent[RefundRow], info: Info) -> Awaitable[ReceiptRow | None]:
    return info.context.loaders.receipt_by_refund.load((root["account_id"], root["id"]))


def load_cancellation(
    root: strawberry.Parent[RefundRow], info: Info
) -> Awaitable[ReceiptRow | None]:
    return info.context.loaders.cancellation_by_refund.load((root["account_id"], root["id"]))


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
        "reason", description="The reason given for the refund; at most 2,000 characters."
    )
    failure_reason: str | None = column(
        "failure_reason", description="Why the refund failed; null if it did not fail."
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
    receipt: Receipt | None = resolved(
        load_receipt,
        description="The credit note; null until the refund succeeds, or if the purchase has no "
        "receipt. A refund that fails later keeps its credit note.",
    )
    cancellation: Receipt | None = resolved(
        load_cancellation,
        description="The cancellation of the credit note, issued if the refund fails or is "
        "canceled after it succeeded; otherwise null. Its total is positive.",
    )
