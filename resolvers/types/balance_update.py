"""The GraphQL type of a pushed balance."""

from typing import ClassVar, Final

import strawberry

from resolvers.columns import column, converted, itself
from resolvers.enums import BalanceCause
from resolvers.permissions import Policy
from resolvers.types.balance import Balance
from resolvers.types.money import Amount, Money

CAUSE: Final = "update_cause"
CHANGE: Final = "update_nanos"
"""Columns that an account's row needs to be the source of an update."""


def _change(nanos: int | None, currency: str) -> Amount | None:
    return None if nanos is None else (nanos, currency)


@strawberry.type(
    description="A balance pushed to a subscriber, and the change that caused it. Versions only "
    "grow. A gap between versions means that updates were combined, because the "
    "client was slow or several changes happened at once."
)
class BalanceUpdate:
    POLICY: ClassVar = Policy.ACCOUNT

    version: int = column("ledger_version", description="The version of the balance.")
    cause: BalanceCause = column(CAUSE, description="The cause of the update.")
    change: Money | None = converted(
        _change,
        CHANGE,
        "currency",
        description="The amount that ledger entry `version` added to the balance; null for "
        "SNAPSHOT and THRESHOLD.",
    )
    balance: Balance = itself(description="The balance after the change.")
