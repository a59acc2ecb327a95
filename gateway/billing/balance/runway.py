"""How fast a balance is used up, and the dates on which it will be. Pure.

Burn is what usage cost, never a difference of balances: a top-up is not negative burn.
"""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from gateway.money import divide_half_even
from gateway.store.burn import BurnFacts, BurnKey
from gateway.windows import day_start, local_day, slot_start

BURN_DAYS: Final = 7
HORIZON: Final = timedelta(days=3652, hours=12)
"""Ten years of 365.25 days."""

_DAY: Final = timedelta(days=1)
_DAY_MICROSECONDS: Final = 86_400 * 10**6


class RunwayStatus(StrEnum):
    """Whether the end of a balance can be estimated."""

    ESTIMATED = "ESTIMATED"
    INSUFFICIENT_HISTORY = "INSUFFICIENT_HISTORY"
    IDLE = "IDLE"
    DEPLETED = "DEPLETED"
    BEYOND_HORIZON = "BEYOND_HORIZON"


class Runway(NamedTuple):
    """The local dates on which a balance runs out, at the higher and at the lower burn rate."""

    status: RunwayStatus
    earliest: date | None = None
    latest: date | None = None


class Burn(NamedTuple):
    """Nanos a day: the mean of the last complete days, and the last 24 hours."""

    mean_nanos: int
    hours_nanos: int

    @property
    def higher_nanos(self) -> int:
        """The rate by which nobody is surprised: that of `Runway.earliest` and of `low_balance`."""
        return max(self)


def burn_key(account_id: int, now: datetime, delay_seconds: int, zone: ZoneInfo) -> BurnKey:
    """Return the latest periods with complete usage; `zone` is the account's."""
    complete_until = now - timedelta(seconds=delay_seconds)
    end_day, hours_end = local_day(complete_until, zone), slot_start(complete_until)
    first_day = end_day - BURN_DAYS * _DAY
    return BurnKey(account_id, first_day, end_day, hours_end - _DAY, hours_end)


def burn(key: BurnKey, facts: BurnFacts, created_at: datetime, zone: ZoneInfo) -> Burn | None:
    """Return an account's burn, or None where its history is less than one complete day.

    History begins with the account, or with the first day of what is recorded for a time before
    it. The mean is over those of the last 7 complete days that lie in it, half-even to the nano.
    """
    recorded_from = facts.recorded_from
    is_older = recorded_from is not None and recorded_from < local_day(created_at, zone)
    history_at = day_start(recorded_from, zone) if is_older and recorded_from else created_at
    days = [key.end_day - n * _DAY for n in range(1, BURN_DAYS + 1)]
    counted = [day for day in days if history_at <= day_start(day, zone)]
    if not counted:
        return None
    spent = sum(facts.spent_by_day.get(day, 0) for day in counted)
    return Burn(divide_half_even(spent, len(counted)), facts.hours_nanos)


def runway(balance_nanos: int, burn: Burn | None, now: datetime, zone: ZoneInfo) -> Runway:
    """Return the dates, in the zone, on which the balance runs out.

    ESTIMATED has an `earliest` date; `latest` is None where the lower rate does not end within the
    horizon. Every other status has no dates.
    """
    if balance_nanos <= 0:
        return Runway(RunwayStatus.DEPLETED)
    if burn is None:
        return Runway(RunwayStatus.INSUFFICIENT_HISTORY)
    lower, higher = sorted(burn)
    if higher <= 0:
        return Runway(RunwayStatus.IDLE)
    earliest = _end_of(balance_nanos, higher, now, zone)
    if earliest is None:
        return Runway(RunwayStatus.BEYOND_HORIZON)
    return Runway(RunwayStatus.ESTIMATED, earliest, _end_of(balance_nanos, lower, now, zone))


def _end_of(balance_nanos: int, rate_nanos: int, now: datetime, zone: ZoneInfo) -> date | None:
    """Return the local day on which a balance ends, or None where it lasts beyond the horizon."""
    if rate_nanos <= 0:
        return None
    microseconds = balance_nanos * _DAY_MICROSECONDS // rate_nanos
    if microseconds > HORIZON // timedelta(microseconds=1):
        return None
    return local_day(now + timedelta(microseconds=microseconds), zone)
