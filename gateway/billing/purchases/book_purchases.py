"""The purchases of a transaction: read into the book, changed in memory, written at its end."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, Self, TypeAlias

from gateway.billing.book_account import BookAccount
from gateway.billing.purchases.dispute_state import DisputeState
from gateway.billing.purchases.purchase_state import PurchaseState, RefundState
from gateway.store import Reader, purchases, receipts
from gateway.store.receipts import IssuedReceipt, LastSequence

if TYPE_CHECKING:
    from gateway.billing.book import Book

Reference: TypeAlias = tuple[int, str | None, str]
"""A purchase's account, its provider, and the provider's name for it."""

PurchaseKey: TypeAlias = tuple[int, int]
"""A purchase's account and id."""


class Purchases:
    """Purchases by (account, id) and by reference, their refunds and disputes by purchase, and the
    documents that are issued. `booked` are their source keys in the ledger, by account.
    """

    def __init__(self, sequences: dict[tuple[int, int], int]) -> None:
        self.by_key: dict[PurchaseKey, PurchaseState] = {}
        self.by_reference: dict[Reference, PurchaseState] = {}
        self.refunds: defaultdict[PurchaseKey, list[RefundState]] = defaultdict(list)
        self.disputes: defaultdict[PurchaseKey, list[DisputeState]] = defaultdict(list)
        self.booked: set[tuple[int, str]] = set()
        self._receipts: list[IssuedReceipt] = []
        self._sequences = sequences
        self._stored: dict[PurchaseKey, list[NamedTuple]] = {}

    @classmethod
    async def open(cls, reader: Reader, accounts: Mapping[int, BookAccount]) -> Self:
        return cls(await receipts.sequences(reader, list(accounts)))

    def add(self, purchase: PurchaseState) -> None:
        """Add a purchase, new or read."""
        self.by_key[purchase.key] = purchase
        if purchase.provider_reference is not None:
            name = (purchase.account_id, purchase.provider, purchase.provider_reference)
            self.by_reference[name] = purchase

    def remember(self, keys: Collection[PurchaseKey]) -> None:
        """Remember the purchases' present cells as stored: only purchases that differ from them in
        the end are written and announced.
        """
        self._stored |= {key: self._cells(key) for key in keys}

    def next_sequence(self, account_id: int, year: int) -> int:
        """Return the next number of an account's documents in a year; each is returned once."""
        sequence = self._sequences.get((account_id, year), 0) + 1
        self._sequences[account_id, year] = sequence
        return sequence

    def issue(self, receipt: IssuedReceipt) -> None:
        """Add an issued document, to be written."""
        self._receipts.append(receipt)

    async def write_before_ledger(self, book: "Book") -> None:
        changed = [
            purchase
            for key, purchase in self.by_key.items()
            if self._cells(key) != self._stored.get(key)
        ]
        for purchase in changed:
            purchase.revision = book.touch(purchase.account_id)
        refunds = chain(*(self.refunds[each.key] for each in changed))
        disputes = [dispute for each in changed for dispute in self.disputes[each.key]]
        movements = chain(*(each.movement_rows() for each in disputes))
        await purchases.save(book.transaction, [each.cells() for each in changed])
        await purchases.save_refunds(book.transaction, [each.cells() for each in refunds])
        await purchases.save_disputes(book.transaction, [each.cells() for each in disputes])
        await purchases.save_movements(book.transaction, list(movements))

    async def write_after_ledger(self, book: "Book") -> None:
        used = {(each.account_id, each.year) for each in self._receipts}
        last = [LastSequence(*place, self._sequences[place]) for place in sorted(used)]
        await receipts.append(book.transaction, self._receipts, last)

    def _cells(self, key: PurchaseKey) -> list[NamedTuple]:
        """Return the cells of a purchase, its refunds, its disputes and their movements."""
        stored: list[NamedTuple] = [self.by_key[key].cells()]
        stored += [each.cells() for each in self.refunds[key]]
        for each in self.disputes[key]:
            stored += [each.cells(), *each.movement_rows()]
        return stored
