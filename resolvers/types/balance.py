"""The GraphQL types of an account's balance and low-balance thresholds."""

from datetime import datetime
from typing import ClassVar

import strawberry

from resolvers.columns import column, converted, money, resolved
from resolvers.costs import RECENT_DAYS
from resolvers.enums import LowBalance
from resolvers.permissions import Policy
from resolvers.types.money import Amount, Money
from resolvers.types.runway import Runway, load_burn_rate, load_runway


def _threshold(nanos: int | None, currency: str) -> Amount | None:
    return None if nanos is None else (nanos, currency)


@strawberry.type(description="Thresholds below which an account's balance counts as low.")
class LowBalanceThresholds:
    POLICY: ClassVar = Policy.ACCOUNT

    amount: Money | None = converted(
        _threshold,
        "low_balance_nanos",
        "currency",
        description="The balance is low at or below this amount; null if not set.",
    )
    days: int | None = column(
        "low_balance_days",
        description="The balance is low when it lasts at most this many days; null if not set.",
    )


@strawberry.type(
    description="An account's remaining credit, as recorded in its ledger. May be negative: "
    "usage is always recorded, even without credit."
)
class Balance:
    POLICY: ClassVar = Policy.ACCOUNT

    available: Money = money("balance_nanos", description="The remaining credit.")
    version: int = column(
        "ledger_version",
        description="Version of the balance: the number of the latest ledger entry, 0 before "
        "the first. A higher version is a later balance.",
    )
    as_of: datetime = column("balance_at", description="When the latest ledger entry was recorded.")
    low: LowBalance | None = column(
        "low_balance",
        description="The low-balance threshold that the balance has passed; null if none.",
    )
    burn_rate: Money | None = resolved(
        load_burn_rate,
        cost=RECENT_DAYS,
        description="Average daily usage cost over the last 7 complete days in the account's "
        "time zone, or over fewer if the account is younger. Null before the first "
        "complete day.",
    )
    runway: Runway = resolved(
        load_runway, cost=RECENT_DAYS, description="How long the balance will last."
    )
