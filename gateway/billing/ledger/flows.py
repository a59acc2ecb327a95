"""What a transaction adds to the roll-ups of flows, summed in memory by quarter hour of UTC."""

from collections import defaultdict
from datetime import datetime
from enum import IntEnum

from gateway.store.rollups import Flow, SlotKey
from gateway.windows import slot_start


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
    """Sums by (account, slot)."""

    def __init__(self) -> None:
        self.slots: defaultdict[SlotKey, Flow] = defaultdict(Flow)

    def at(self, account_id: int, instant: datetime) -> Flow:
        """Return the sums of the quarter hour that holds an instant."""
        return self.slots[account_id, slot_start(instant)]

    def add(self, account_id: int, at: datetime, column: FlowColumn, ledger_amount: int) -> None:
        """Count a ledger amount in a column."""
        self.at(account_id, at).sums[column] += ledger_amount * column.sign
