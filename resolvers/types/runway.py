"""The GraphQL type of a balance's runway, and the loaders of burn rate and runway."""

from datetime import date
from typing import ClassVar

import strawberry

from gateway.billing.balance import runway
from gateway.billing.balance.runway import Burn, burn, burn_key
from gateway.store.rows import VisibleAccount
from gateway.windows import zone
from resolvers.columns import column
from resolvers.context import Info
from resolvers.enums import RunwayStatus
from resolvers.permissions import Policy
from resolvers.types.money import Amount


async def _load_burn(account: VisibleAccount, info: Info) -> Burn | None:
    local = zone(account["time_zone"])
    now, delay_seconds = info.context.now, info.context.usage_delay_seconds
    key = burn_key(account["account_id"], now, delay_seconds, local)
    facts = await info.context.loaders.burn_by_periods.load(key)
    return burn(key, facts, account["created_at"], local)


async def load_burn_rate(root: strawberry.Parent[VisibleAccount], info: Info) -> Amount | None:
    found = await _load_burn(root, info)
    return found and (found.mean_nanos, root["currency"])


async def load_runway(root: strawberry.Parent[VisibleAccount], info: Info) -> runway.Runway:
    found = await _load_burn(root, info)
    now, local = info.context.now, zone(root["time_zone"])
    return runway.runway(root["balance_nanos"], found, now, local)


@strawberry.type(
    description="When the balance will run out at the current burn rate. Dates are in the "
    "account's time zone."
)
class Runway:
    POLICY: ClassVar = Policy.ACCOUNT

    status: RunwayStatus = column(
        0, description="Whether the end can be estimated; dates are set for ESTIMATED only."
    )
    earliest: date | None = column(
        1,
        description="The day on which the balance runs out at the higher of two rates: "
        "`burnRate`, and the spend of the last 24 hours.",
    )
    latest: date | None = column(
        2,
        description="The day on which the balance runs out at the lower of the two rates; null "
        "if more than 10 years away.",
    )
