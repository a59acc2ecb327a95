"""A balance that is pushed."""

from typing import ClassVar, Final

import strawberry

from resolvers.columns import column, converted, itself
from resolvers.enums import BalanceCause
from resolvers.permissions import Policy
from resolvers.types.balance import Balance
from resolvers.types.money import Amount, Money

CAUSE: Final = "update_cause"
CHANGE: Final = "update_nanos"
"""What an account's row needs more to be the source of an update."""


def _change(nanos: int | None, currency: str) -> Amount | None:
    return None if nanos is None else (nanos, currency)


@strawberry.type(
    description="What an account has left, and why it is told. Versions only grow; a jump says "
    "that others between were left out, because the reader was slow or they came at once."
)
class BalanceUpdate:
    POLICY: ClassVar = Policy.ACCOUNT

    version: int = column("ledger_version", description="The balance's version.")
    cause: BalanceCause = column(CAUSE, description="Why it is told: the entry `version`'s cause.")
    change: Money | None = converted(
        _change,
        CHANGE,
        "currency",
        description="What the entry `version` added; null for SNAPSHOT and THRESHOLD.",
    )
    balance: Balance = itself(description="What is left.")
