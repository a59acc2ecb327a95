"""An account's balance over time."""

from asyncio import gather
from datetime import datetime
from typing import ClassVar

import strawberry

from gateway.billing.balance import history
from gateway.billing.balance.history import balance_buckets, opening_key
from gateway.store import Row
from gateway.windows import zone
from loaders.usage import Content, RollupKey
from resolvers.columns import column, money
from resolvers.context import Info
from resolvers.permissions import Policy, require_purchases
from resolvers.types.money import Money
from resolvers.windows import From, IntervalArgument, To, Zone, ask


async def load_balance_history(
    root: strawberry.Parent[Row],
    info: Info,
    interval: IntervalArgument = None,
    from_: From = None,
    to: To = None,
    time_zone: Zone = None,
) -> list[history.BalanceBucket]:
    require_purchases(root)
    asked = ask(root, info, interval, from_, to, time_zone)
    asked.take_buckets(info)
    loaders = info.context.loaders
    opening, rows = await gather(
        loaders.balance_by_instant.load(opening_key(asked.period, zone(root["time_zone"]))),
        loaders.rollup_by_span.load(RollupKey(Content.FLOWS, asked.period.span)),
    )
    return balance_buckets(opening, rows, asked.period, asked.interval, asked.complete_until)


@strawberry.type(
    description="How the balance moved in one day, week, month or year, each fact at its own time "
    "(a purchase when it settled, a charge when its period starts): opening + purchased + bonus − "
    "refunded − spent + adjusted = closing."
)
class BalanceBucket:
    POLICY: ClassVar = Policy.PURCHASES

    start: datetime = column("start", description="When it begins, inclusive.")
    end: datetime = column("end", description="When it ends, exclusive: the next one's start.")
    partial: bool = column(
        "partial",
        description="Whether the window cuts the calendar interval, or usage in it may still come.",
    )
    opening: Money = money("opening_nanos", description="The balance at `start`.")
    purchased: Money = money("purchased_nanos", description="Credit that was paid for.")
    bonus: Money = money(
        "bonus_nanos",
        description="Credit that was given (bonuses, coupons, trial grants, manual credits), less "
        "bonuses that refunds took back.",
    )
    refunded: Money = money(
        "refunded_nanos", description="Money taken back by refunds and disputes."
    )
    spent: Money = money("spent_nanos", description="What usage cost.")
    adjusted: Money = money(
        "adjusted_nanos", description="Adjustments by the platform; negative where they took."
    )
    closing: Money = money("closing_nanos", description="The balance at `end`: the next opening.")
