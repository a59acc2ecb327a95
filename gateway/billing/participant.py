"""What takes part in a book: each reads and writes what is its own, in one declared order."""

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
        """Read what is needed of accounts, by their keys, that are locked."""
        ...

    async def settle(self, book: "Book") -> None:
        """Post what follows from the changes, and write the rows that ledger entries refer to.

        The ledger, the days of its usage and the roll-ups of flows are written after it.
        """
        ...

    async def write(self, book: "Book") -> None:
        """Write what refers to ledger entries or is derived from roll-ups. Posts nothing.

        The accounts' rows are written after it.
        """
        ...
