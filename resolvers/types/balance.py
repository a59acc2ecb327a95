"""What an account has left."""

from datetime import datetime
from typing import ClassVar

import strawberry

from resolvers.columns import column, converted, money, resolved
from resolvers.enums import LowBalance
from resolvers.permissions import Policy
from resolvers.types.money import Amount, Money
from resolvers.types.runway import Runway, load_burn_rate, load_runway


def _threshold(nanos: int | None, currency: str) -> Amount | None:
    return None if nanos is None else (nanos, currency)


@strawberry.type(description="When an account's balance counts as low.")
class LowBalanceThresholds:
    POLICY: ClassVar = Policy.ACCOUNT

    amount: Money | None = converted(
        _threshold,
        "low_balance_nanos",
        "currency",
        description="At or below this balance; null where no amount is set.",
    )
    days: int | None = column(
        "low_balance_days",
        description="When the balance lasts no longer than these days; null where none are set.",
    )


@strawberry.type(
    description="What an account has left, as its ledger says. It may be negative: usage is a "
    "fact and is never refused for want of credit."
)
class Balance:
    POLICY: ClassVar = Policy.ACCOUNT

    available: Money = money("balance_nanos", description="The credit left.")
    version: int = column(
        "ledger_version",
        description="The ledger entry that made this balance; 0 before the first. It only grows, "
        "so of two balances the one with the higher version is the later.",
    )
    as_of: datetime = column("balance_at", description="When that entry was recorded.")
    low: LowBalance | None = column(
        "low_balance",
        description="Which of the account's low-balance thresholds is passed; null if none is.",
    )
    burn_rate: Money | None = resolved(
        load_burn_rate,
        description="The mean daily spend of the last 7 complete days in the account's zone (of "
        "fewer, where the account has no more), from usage alone; null with less than one.",
    )
    runway: Runway = resolved(load_runway, description="How long the balance lasts.")
