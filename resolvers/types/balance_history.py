"""The GraphQL type of an account's balance over time."""

from datetime import datetime
from typing import ClassVar

import strawberry

from gateway.billing.balance import history
from gateway.billing.balance.history import balance_buckets, opening_key
from gateway.store.rows import VisibleAccount
from gateway.windows import zone
from resolvers.columns import column, money
from resolvers.context import Info
from resolvers.permissions import Policy
from resolvers.types.money import Money
from resolvers.windows import From, IntervalArgument, To, Zone, requested_window


async def load_balance_history(
    root: strawberry.Parent[VisibleAccount],
    info: Info,
    interval: IntervalArgument = None,
    from_: From = None,
    to: To = None,
    time_zone: Zone = None,
) -> list[history.BalanceBucket]:
    requested = requested_window(root, info, interval, from_, to, time_zone)
    loaders = info.context.loaders
    opening_at = opening_key(requested.period, zone(root["time_zone"]))
    # Both begin before either is awaited.
    opening = loaders.balance_by_instant.load(opening_at)
    rows = loaders.flows_by_span.load(requested.period.span)
    return balance_buckets(
        await opening, await rows, requested.period, requested.interval, requested.complete_until
    )


@strawberry.type(
    description="The movement of the balance in one day, week, month or year: opening + "
    "purchased + bonus − refunded − spent + adjusted = closing. A purchase counts "
    "when it settles, a charge when its period starts."
)
class BalanceBucket:
    POLICY: ClassVar = Policy.PURCHASES

    start: datetime = column("start", description="Start of the bucket (inclusive).")
    end: datetime = column(
        "end", description="End of the bucket (exclusive): the start of the next."
    )
    partial: bool = column(
        "partial",
        description="Whether the bucket is incomplete: the range covers only a part of the "
        "calendar interval, or usage may still arrive.",
    )
    opening: Money = money("opening_nanos", description="The balance at `start`.")
    purchased: Money = money("purchased_nanos", description="Credit bought.")
    bonus: Money = money(
        "bonus_nanos",
        description="Credit granted (bonuses, coupons, trial grants, manual credits), less "
        "bonuses taken back with refunds.",
    )
    refunded: Money = money(
        "refunded_nanos", description="Credit taken back by refunds and disputes."
    )
    spent: Money = money("spent_nanos", description="Cost of usage.")
    adjusted: Money = money(
        "adjusted_nanos",
        description="Adjustments by the platform; negative if they reduced the balance.",
    )
    closing: Money = money(
        "closing_nanos", description="The balance at `end`: the opening of the next bucket."
    )
