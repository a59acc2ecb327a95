"""Refunds."""

from collections.abc import Awaitable
from datetime import datetime
from typing import ClassVar

import strawberry

from gateway.store import Row
from resolvers.columns import column, converted, global_id, money, resolved
from resolvers.context import Info
from resolvers.enums import RefundStatus
from resolvers.permissions import Policy
from resolvers.types.money import Money, with_tax
from resolvers.types.node import Node
from resolvers.types.receipt import Receipt


def load_receipt(root: strawberry.Parent[Row], info: Info) -> Awaitable[Row | None]:
    return info.context.loaders.receipt_by_refund.load((root["account_id"], root["id"]))


def load_cancellation(root: strawberry.Parent[Row], info: Info) -> Awaitable[Row | None]:
    return info.context.loaders.cancellation_by_refund.load((root["account_id"], root["id"]))


@strawberry.type(description="Money taken back from a credit purchase.")
class Refund(Node):
    POLICY: ClassVar = Policy.PURCHASES

    id: strawberry.ID = global_id(
        "Refund", "account_id", "id", description="The refund's global id."
    )
    created_at: datetime = column("created_at", description="When it was begun.")
    settled_at: datetime | None = column(
        "settled_at", description="When it was taken off the balance; null until then."
    )
    status: RefundStatus = column("status", description="Where it stands.")
    reason: str | None = column(
        "reason", description="Why, as whoever refunded wrote; at most 2,000 characters."
    )
    failure_reason: str | None = column(
        "failure_reason", description="Why it failed; null where it did not."
    )
    amount: Money = money("amount_nanos", description="The credit taken back, without tax.")
    tax: Money = money("tax_nanos", description="The tax that was given back with it.")
    total: Money = converted(
        with_tax,
        "amount_nanos",
        "tax_nanos",
        "currency",
        description="What goes back to the card: `amount` + `tax`, as its credit note prints.",
    )
    receipt: Receipt | None = resolved(
        load_receipt,
        description="Its credit note; null until it has succeeded, and where its purchase has no "
        "receipt. It stays where the refund fails after that.",
    )
    cancellation: Receipt | None = resolved(
        load_cancellation,
        description="The document that cancels the credit note of a refund that failed or was "
        "canceled after it had succeeded: its total is the credit note's, positive. Else null.",
    )
