"""What a transaction adds to the roll-ups, summed in memory: flows by quarter hour of UTC, usage
also by what a breakdown asks for, by the account's own day.
"""

from collections import defaultdict
from datetime import datetime
from enum import IntEnum
from zoneinfo import ZoneInfo

from gateway.store.rollups import Activity, DayKey, Flow, SlotKey
from gateway.windows import local_day, slot_start


class FlowColumn(IntEnum):
    """A flow's position among a roll-up's sums; `sign` is how a ledger amount counts in it."""

    SPENT = 0
    PURCHASED = 1
    BONUS = 2
    REFUNDED = 3
    ADJUSTED = 4

    @property
    def sign(self) -> int:
        return -1 if self in {FlowColumn.SPENT, FlowColumn.REFUNDED} else 1


class Flows:
    """Sums by (account, slot), and usage's by (account, day)."""

    def __init__(self) -> None:
        self.slots: defaultdict[SlotKey, Flow] = defaultdict(Flow)
        self.activity: defaultdict[DayKey, Activity] = defaultdict(dict)

    def add(self, account_id: int, at: datetime, column: FlowColumn, ledger_amount: int) -> None:
        """Count a ledger amount in a column."""
        self.slots[account_id, slot_start(at)].sums[column] += ledger_amount * column.sign

    def usage_at(self, account_id: int, at: datetime, zone: ZoneInfo) -> tuple[Flow, Activity]:
        """Return what usage that starts at an instant adds to."""
        slot = slot_start(at)
        return self.slots[account_id, slot], self.activity[account_id, local_day(slot, zone)]
