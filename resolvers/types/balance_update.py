"""The GraphQL type of a pushed balance."""

from typing import ClassVar, NamedTuple

import strawberry

from gateway.store.rows import WatchedAccount
from resolvers.columns import attribute, converted_attributes
from resolvers.enums import BalanceCause
from resolvers.permissions import Policy
from resolvers.types.balance import Balance
from resolvers.types.money import Amount, Money


class PushedBalance(NamedTuple):
    """An account's balance, and why it is pushed: `change_nanos` is what the entry of its version
    added, null where no entry is the cause.
    """

    account: WatchedAccount
    version: int
    cause: BalanceCause
    change_nanos: int | None
    currency: str


def _change(nanos: int | None, currency: str) -> Amount | None:
    return None if nanos is None else (nanos, currency)


@strawberry.type(
    description="A balance pushed to a subscriber, and the change that caused it. Versions only "
    "grow. A gap between versions means that updates were combined, because the "
    "client was slow or several changes happened at once."
)
class BalanceUpdate:
    POLICY: ClassVar = Policy.ACCOUNT

    version: int = attribute("version", description="The version of the balance.")
    cause: BalanceCause = attribute("cause", description="The cause of the update.")
    change: Money | None = converted_attributes(
        _change,
        "change_nanos",
        "currency",
        description="The amount that ledger entry `version` added to the balance; null for "
        "SNAPSHOT and THRESHOLD.",
    )
    balance: Balance = attribute("account", description="The balance after the change.")
