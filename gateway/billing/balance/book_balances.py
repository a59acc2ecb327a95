"""The low-balance states of a transaction's accounts."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from gateway.billing.balance.low_balance import find_low
from gateway.billing.book_account import BookAccount
from gateway.store import Reader

if TYPE_CHECKING:
    from gateway.billing.book import Book


class LowBalances:
    """Finds out whether balances are low: of accounts with a new ledger entry, and of those for
    which that is requested.
    """

    def __init__(self, accounts: Mapping[int, BookAccount]) -> None:
        self._accounts = accounts
        self._requested: set[int] = set()

    @classmethod
    async def open(cls, _reader: Reader, accounts: Mapping[int, BookAccount]) -> Self:
        return cls(accounts)

    def reassess(self, account_id: int, *, reset: bool = False) -> None:
        """Find out whether an account's balance is low, also where it has not moved.

        `reset`: start from a balance that is not low, because the thresholds are new.
        """
        self._requested.add(account_id)
        if reset:
            self._accounts[account_id].low = None

    async def write_before_ledger(self, _book: "Book") -> None:
        """Nothing: a state follows from the roll-ups, which are not written yet."""

    async def write_after_ledger(self, book: "Book") -> None:
        moved = self._requested.union(posting.account_id for posting in book.postings)
        states = await find_low(
            book.transaction,
            [self._accounts[account_id] for account_id in sorted(moved)],
            now=book.now,
            usage_delay_seconds=book.usage_delay_seconds,
        )
        for account_id, low in states.items():
            account = self._accounts[account_id]
            account.low = low
            if low is not account.stored_low:
                book.touch(account_id)
