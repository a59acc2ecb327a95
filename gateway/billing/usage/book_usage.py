"""The usage of a transaction by day and breakdown dimension, summed in memory.

Events and deployments are written while they are recorded: the database takes in one part while the
next is added up.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Self

from gateway.billing.book_account import BookAccount
from gateway.store import Reader, rollups
from gateway.store.rollups import Activity, DayKey
from gateway.windows import local_day

if TYPE_CHECKING:
    from gateway.billing.book import Book


class UsageActivity:
    """Sums of usage by (account, day of the account's zone) and dimensions."""

    def __init__(self, accounts: Mapping[int, BookAccount]) -> None:
        self._zones = {key: account.time_zone for key, account in accounts.items()}
        self._days: defaultdict[DayKey, Activity] = defaultdict(Activity)

    @classmethod
    async def open(cls, _reader: Reader, accounts: Mapping[int, BookAccount]) -> Self:
        return cls(accounts)

    def at(self, account_id: int, started_at: datetime) -> Activity:
        """Return the sums of the day on which usage starts."""
        return self._days[account_id, local_day(started_at, self._zones[account_id])]

    async def write_before_ledger(self, _book: "Book") -> None:
        """Nothing: usage is posted when it is recorded."""

    async def write_after_ledger(self, book: "Book") -> None:
        await rollups.merge_activity(book.transaction, self._days)
