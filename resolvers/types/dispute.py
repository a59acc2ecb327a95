"""Disputes."""

from datetime import datetime
from typing import ClassVar

import strawberry

from resolvers.columns import column, global_id, money
from resolvers.costs import LONG_TEXT
from resolvers.enums import DisputeStatus
from resolvers.permissions import Policy
from resolvers.types.money import Money
from resolvers.types.node import Node


@strawberry.type(
    description="A cardholder's dispute of a payment. The disputed funds leave the balance when "
    "the provider withdraws them, and return if the provider returns them."
)
class Dispute(Node):
    POLICY: ClassVar = Policy.PURCHASES

    id: strawberry.ID = global_id(
        "Dispute", "account_id", "id", description="The dispute's global id."
    )
    created_at: datetime = column("created_at", description="When the dispute was opened.")
    closed_at: datetime | None = column(
        "closed_at",
        description="When the funds of a decided dispute last moved; null until the dispute is "
        "decided.",
    )
    status: DisputeStatus = column("state", description="Status of the dispute.")
    reason: str | None = column(
        "reason",
        cost=LONG_TEXT,
        description="The provider's reason for the dispute; at most 2,000 characters.",
    )
    amount: Money = money("amount_nanos", description="The disputed amount, tax included.")
    held: Money = money(
        "held_nanos",
        description="Credit that the dispute has taken from the balance and not returned.",
    )
