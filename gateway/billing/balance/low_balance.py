"""Low balances: at or below an amount of money, or lasting no more than a number of days.

The days are counted at the higher of the two rates of `runway`. A low balance stays low until it is
a tenth above its threshold, so that a rate that moves a little does not raise and end the warning
in turns. Where both thresholds are passed, the state is MONEY, which depends on no forecast.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from gateway.billing.balance.runway import Burn, burn, burn_key
from gateway.models import LowBalance
from gateway.store import Reader
from gateway.store.burn import burn_facts

MARGIN: Final = 10
"""A threshold's margin is the threshold divided by this number."""


class Thresholds(NamedTuple):
    """The thresholds of an account, in nanos and in days; None never warns."""

    nanos: int | None = None
    days: int | None = None


def low_balance(
    state: LowBalance | None, balance_nanos: int, burn: Burn | None, thresholds: Thresholds
) -> LowBalance | None:
    """Return the state that follows a state. Pure, and settled at once: again, it is the same.

    Where burn is not known, or there is none, only a balance of nothing lasts no more days.
    """
    nanos, days = thresholds
    if nanos is not None and _is_low(balance_nanos, nanos, was_low=state is LowBalance.MONEY):
        return LowBalance.MONEY
    if days is not None:
        # What is low by money is low by days too until it is well above both.
        needed = days * max(burn.higher_nanos, 0) if burn else 0
        if _is_low(balance_nanos, needed, was_low=state is not None):
            return LowBalance.DAYS
    return None


def _is_low(balance_nanos: int, threshold: int, *, was_low: bool) -> bool:
    if balance_nanos <= threshold:
        return True
    return was_low and (balance_nanos - threshold) * MARGIN < abs(threshold)


class Holder(Protocol):
    """The facts that decide whether an account's balance is low."""

    account_id: int
    balance: int
    low: LowBalance | None
    thresholds: Thresholds
    time_zone: ZoneInfo
    created_at: datetime


async def find_low(
    reader: Reader, holders: Iterable[Holder], *, now: datetime, usage_delay_seconds: int
) -> dict[int, LowBalance | None]:
    """Return the states of accounts by their keys. Reads burn, in one statement, for those that
    have a threshold in days.
    """
    holders = list(holders)
    warned = [each for each in holders if each.thresholds.days is not None]
    keys = [burn_key(each.account_id, now, usage_delay_seconds, each.time_zone) for each in warned]
    facts = await burn_facts(reader, keys) if keys else []
    burns = {
        each.account_id: burn(key, found, each.created_at, each.time_zone)
        for each, key, found in zip(warned, keys, facts, strict=True)
    }
    return {
        each.account_id: low_balance(
            each.low, each.balance, burns.get(each.account_id), each.thresholds
        )
        for each in holders
    }
