"""The sums that a transaction adds to the roll-ups, in memory, by quarter hour of UTC."""

from collections import defaultdict
from datetime import datetime
from enum import IntEnum

from gateway.store.rollups import PeriodSums, SlotKey
from gateway.windows import slot_start


class FlowColumn(IntEnum):
    """A flow, as the index of its sum in `PeriodSums.nanos`. `sign` is 1 where a positive ledger
    amount raises the sum, -1 where it lowers it.
    """

    SPENT = 0
    PURCHASED = 1
    BONUS = 2
    REFUNDED = 3
    ADJUSTED = 4

    @property
    def sign(self) -> int:
        return -1 if self in {FlowColumn.SPENT, FlowColumn.REFUNDED} else 1


class SlotSums:
    """The sums of each (account, quarter hour) that a transaction changes."""

    def __init__(self) -> None:
        self.slots: defaultdict[SlotKey, PeriodSums] = defaultdict(PeriodSums)

    def at(self, account_id: int, instant: datetime) -> PeriodSums:
        """Return the sums of the quarter hour that holds an instant."""
        return self.slots[account_id, slot_start(instant)]

    def add(self, account_id: int, at: datetime, column: FlowColumn, ledger_amount: int) -> None:
        """Add a ledger amount in nanos to a flow's sum."""
        self.at(account_id, at).nanos[column] += ledger_amount * column.sign
