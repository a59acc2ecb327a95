"""The participants of a book: each reads and writes its own rows, in one declared order."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, Self

from gateway.billing.book_account import BookAccount
from gateway.store import Reader

if TYPE_CHECKING:
    from gateway.billing.book import Book


class Participant(Protocol):
    """One concern of a transaction's bookkeeping, such as purchases; it holds what the transaction
    changes until `Book.close` writes it. `PARTICIPANTS` in `book` gives the order.
    """

    @classmethod
    async def open(cls, reader: Reader, accounts: Mapping[int, BookAccount]) -> Self:
        """Read what the participant needs of the locked accounts, by their keys."""
        ...

    async def write_before_ledger(self, book: "Book") -> None:
        """Post ledger entries that follow from the changes, and write rows that entries refer to.

        The ledger, the days of its usage and the roll-ups of flows are written after it.
        """
        ...

    async def write_after_ledger(self, book: "Book") -> None:
        """Write rows that refer to ledger entries or are derived from roll-ups. Posts nothing.

        The accounts' rows are written after it.
        """
        ...
