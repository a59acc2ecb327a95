"""Disputes."""

from datetime import datetime
from typing import ClassVar

import strawberry

from resolvers.columns import column, global_id, money
from resolvers.enums import DisputeStatus
from resolvers.permissions import Policy
from resolvers.types.money import Money
from resolvers.types.node import Node


@strawberry.type(
    description="A cardholder's objection to a payment. Its funds leave the balance when the "
    "provider withdraws them, and come back where it returns them."
)
class Dispute(Node):
    POLICY: ClassVar = Policy.PURCHASES

    id: strawberry.ID = global_id(
        "Dispute", "account_id", "id", description="The dispute's global id."
    )
    created_at: datetime = column("created_at", description="When it was opened.")
    closed_at: datetime | None = column(
        "closed_at",
        description="When the money of a decided dispute last moved; null until it is decided.",
    )
    status: DisputeStatus = column("state", description="Where it stands.")
    reason: str | None = column(
        "reason", description="Why, as the provider says; at most 2,000 characters."
    )
    amount: Money = money("amount_nanos", description="The money in dispute, tax included.")
    held: Money = money(
        "held_nanos",
        description="The credit that it holds now: taken from the balance and not given back.",
    )
