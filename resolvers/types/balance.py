"""What an account has left."""

from datetime import datetime
from typing import ClassVar

import strawberry

from resolvers.columns import column, money, resolved
from resolvers.enums import LowBalance
from resolvers.permissions import Policy
from resolvers.types.money import Money
from resolvers.types.runway import Runway, load_burn_rate, load_runway


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
