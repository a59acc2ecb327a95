"""The accounts that a transaction has locked, and everything it will write about them.

Opened with the accounts' rows locked in the order of their keys, changed in memory, written at the
end in a fixed order by `close`: the only way to the ledger, the balances and the roll-ups.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Final, Self, TypeAlias
from zoneinfo import ZoneInfo

from gateway.billing.balance.low_balance import Thresholds, find_low
from gateway.billing.ledger.flows import FlowColumn, Flows
from gateway.billing.purchases.dispute_state import DisputeState
from gateway.billing.purchases.purchase_state import PurchaseState, RefundState
from gateway.clock import Clock
from gateway.errors import BadUserInput, NotFound
from gateway.ids import KeyFactory
from gateway.models import LedgerCause, LowBalance
from gateway.money import checked
from gateway.store import (
    Row,
    Transaction,
    accounts,
    ledger,
    ledger_days,
    purchases,
    receipts,
    rollups,
)
from gateway.store.ledger import Posting
from gateway.windows import USAGE_DELAY_SECONDS, zone


@dataclass(slots=True, kw_only=True)
class BookAccount:
    """A locked account. `sequences` are the last receipt numbers used, by year; `stored_low` is
    the low-balance state that those who watch know.
    """

    account_id: int
    external_id: str
    name: str
    currency: str
    time_zone: ZoneInfo
    receipt_prefix: str
    balance: int
    version: int
    balance_at: datetime
    deployment_count: int
    revision: int
    created_at: datetime
    thresholds: Thresholds
    low: LowBalance | None
    stored_low: LowBalance | None
    issues_receipts: bool
    sequences: dict[int, int] = field(default_factory=dict)

    @classmethod
    def from_row(cls, row: Row) -> Self:
        low = LowBalance(row["low_balance"]) if row["low_balance"] else None
        return cls(
            account_id=row["account_id"],
            external_id=row["external_id"],
            name=row["name"],
            currency=row["currency"],
            time_zone=zone(row["time_zone"]),
            receipt_prefix=row["receipt_prefix"],
            balance=row["balance_nanos"],
            version=row["ledger_version"],
            balance_at=row["balance_at"],
            deployment_count=row["deployment_count"],
            revision=row["revision"],
            created_at=row["created_at"],
            thresholds=Thresholds(row["low_balance_nanos"], row["low_balance_days"]),
            low=low,
            stored_low=low,
            issues_receipts=row["issues_receipts"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceChange:
    """What a committed transaction did to a balance, for those who watch it: its last entry."""

    account_id: int
    version: int
    cause: LedgerCause
    amount: int
    balance: int


Reference: TypeAlias = tuple[int, str | None, str]
"""A purchase's account, its provider, and the provider's name for it."""

Cells: TypeAlias = tuple[object, ...]
"""A row's, in the order of its table's columns."""

LOCK_LIMIT: Final = 10_000
"""Accounts that one transaction may lock."""


class Book:
    """One transaction's bookkeeping. Not shared, not reused."""

    def __init__(
        self,
        transaction: Transaction,
        clock: Clock,
        keys: KeyFactory,
        locked: Mapping[int, BookAccount],
        usage_delay_seconds: int,
    ) -> None:
        self.transaction = transaction
        self.now = clock.now()
        self.keys = keys
        self.accounts = locked
        self.usage_delay_seconds = usage_delay_seconds
        self.flows = Flows()
        self.purchases: dict[tuple[int, int], PurchaseState] = {}
        self.references: dict[Reference, PurchaseState] = {}
        self.refunds: defaultdict[tuple[int, int], list[RefundState]] = defaultdict(list)
        self.disputes: defaultdict[tuple[int, int], list[DisputeState]] = defaultdict(list)
        self.receipts: list[Cells] = []
        self.booked: set[tuple[int, str]] = set()
        self._touched: set[int] = set()
        self._reassessed: set[int] = set()
        self._remembered: dict[tuple[int, int], list[Cells]] = {}
        self._postings: list[Posting] = []

    @classmethod
    async def open(
        cls,
        transaction: Transaction,
        account_ids: Collection[int],
        *,
        clock: Clock,
        keys: KeyFactory,
        usage_delay_seconds: int = USAGE_DELAY_SECONDS,
    ) -> Self:
        """Lock the accounts. Raises NotFound where one is not there."""
        if len(account_ids) > LOCK_LIMIT:
            raise BadUserInput(f"A batch may touch at most {LOCK_LIMIT} accounts.")
        wanted = sorted(set(account_ids))
        rows = await accounts.lock(transaction, wanted)
        locked = {row["account_id"]: BookAccount.from_row(row) for row in rows}
        if len(locked) != len(wanted):
            raise NotFound("Account not found.")
        used = await receipts.sequences(transaction, wanted)
        for (account_id, year), last in used.items():
            locked[account_id].sequences[year] = last
        return cls(transaction, clock, keys, locked, usage_delay_seconds)

    def add_purchase(self, purchase: PurchaseState) -> None:
        """Take a purchase into the book, new or read, to be written at the end."""
        self.purchases[purchase.key] = purchase
        if purchase.provider_reference is not None:
            name = (purchase.account_id, purchase.provider, purchase.provider_reference)
            self.references[name] = purchase

    def remember(self, keys: Collection[tuple[int, int]]) -> None:
        """Take purchases (account, id) as they are in the book for what is stored: only what
        differs from that in the end is written and announced.
        """
        self._remembered |= {key: self._picture(key) for key in keys}

    def touch(self, account_id: int) -> None:
        """Say that something of a locked account changed that is pushed live: a new revision."""
        if account_id not in self._touched:
            self._touched.add(account_id)
            self.accounts[account_id].revision += 1

    def reassess(self, account_id: int, *, anew: bool = False) -> None:
        """Look at the end whether the balance is low, also where it has not moved.

        `anew`: as if it had not been, because the thresholds are others.
        """
        self._reassessed.add(account_id)
        if anew:
            self.accounts[account_id].low = None

    def recorded_at(self, account_id: int) -> datetime:
        """Return when the next entry is recorded: a process with a slower clock does not record
        before the last entry.
        """
        account = self.accounts[account_id]
        return max(self.now, account.balance_at) if account.version else self.now

    def post(
        self,
        account_id: int,
        cause: LedgerCause,
        amount: int,
        *,
        source_key: str,
        effective_at: datetime,
        flow: FlowColumn | None = None,
        purchase_id: int | None = None,
        refund_id: int | None = None,
        dispute_id: int | None = None,
        description: str | None = None,
    ) -> int:
        """Append a ledger entry of `amount` nanos and return its version.

        `flow` names the roll-up column that `amount` counts in, by `effective_at`; usage has none
        here, because its roll-ups go by each event's own time. `purchase_id`, `refund_id` and
        `dispute_id` are what the entry belongs to.
        """
        account = self.accounts[account_id]
        account.balance = checked(account.balance + checked(amount))
        account.balance_at = self.recorded_at(account_id)
        account.version += 1
        self._postings.append(
            Posting(
                account_id=account_id,
                version=account.version,
                cause=cause.value,
                amount_nanos=amount,
                balance_nanos=account.balance,
                source_key=source_key,
                purchase_id=purchase_id,
                refund_id=refund_id,
                dispute_id=dispute_id,
                description=description,
                effective_at=effective_at,
                recorded_at=account.balance_at,
            )
        )
        if flow:
            self.flows.add(account_id, effective_at, flow, amount)
        return account.version

    async def close(self) -> list[BalanceChange]:
        """Write everything; return the last change of each account whose balance moved."""
        transaction = self.transaction
        changed = self._changed_purchases()
        self._revise(changed)
        await purchases.save(transaction, [state.cells() for state in changed])
        refunds = chain(*(self.refunds[state.key] for state in changed))
        disputes = [each for state in changed for each in self.disputes[state.key]]
        await purchases.save_refunds(transaction, [state.cells() for state in refunds])
        await purchases.save_disputes(transaction, [state.cells() for state in disputes])
        movements = chain(*(state.movement_cells() for state in disputes))
        await purchases.save_movements(transaction, list(movements))
        await ledger.append(transaction, self._postings)
        await ledger_days.merge(transaction, self._postings, self._zones())
        await receipts.append(transaction, self.receipts, self._sequences())
        await rollups.merge(transaction, self.flows.slots, self._zones())
        await rollups.merge_activity(transaction, self.flows.activity)
        await self._assess()
        await accounts.save(transaction, [_cells(each) for each in self.accounts.values()])
        touched = sorted(self._touched)
        await transaction.announce(touched, [self.accounts[each].revision for each in touched])
        return self._changes()

    def post_purchase(
        self,
        purchase: PurchaseState,
        cause: LedgerCause,
        amount: int,
        *,
        source_key: str,
        at: datetime,
        flow: FlowColumn,
        refund_id: int | None = None,
        dispute_id: int | None = None,
    ) -> None:
        """Append a ledger entry that belongs to a purchase."""
        self.post(
            purchase.account_id,
            cause,
            amount,
            source_key=source_key,
            effective_at=at,
            flow=flow,
            purchase_id=purchase.id,
            refund_id=refund_id,
            dispute_id=dispute_id,
        )

    def _changed_purchases(self) -> list[PurchaseState]:
        return [
            purchase
            for key, purchase in self.purchases.items()
            if self._picture(key) != self._remembered.get(key)
        ]

    def _picture(self, key: tuple[int, int]) -> list[Cells]:
        states = (self.purchases[key], *self.refunds[key], *self.disputes[key])
        movements = chain(*(each.movement_cells() for each in self.disputes[key]))
        return [*(state.cells() for state in states), *movements]

    def _revise(self, changed: Collection[PurchaseState]) -> None:
        """Give what is written the revision under which it is announced."""
        for posting in self._postings:
            self.touch(posting.account_id)
        for purchase in changed:
            self.touch(purchase.account_id)
            purchase.revision = self.accounts[purchase.account_id].revision

    async def _assess(self) -> None:
        """Bring the low-balance states up to date, by the roll-ups that are written."""
        moved = self._reassessed.union(posting.account_id for posting in self._postings)
        states = await find_low(
            self.transaction,
            [self.accounts[account_id] for account_id in sorted(moved)],
            now=self.now,
            usage_delay_seconds=self.usage_delay_seconds,
        )
        for account_id, low in states.items():
            account = self.accounts[account_id]
            account.low = low
            if low is not account.stored_low:
                self.touch(account_id)

    def _sequences(self) -> Sequence[tuple[int, int, int]]:
        return [
            (account.account_id, year, last)
            for account in self.accounts.values()
            for year, last in account.sequences.items()
        ]

    def _zones(self) -> Mapping[int, ZoneInfo]:
        return {account.account_id: account.time_zone for account in self.accounts.values()}

    def _changes(self) -> list[BalanceChange]:
        last = {posting.account_id: posting for posting in self._postings}
        return [
            BalanceChange(
                account_id=posting.account_id,
                version=posting.version,
                cause=LedgerCause(posting.cause),
                amount=posting.amount_nanos,
                balance=posting.balance_nanos,
            )
            for posting in last.values()
        ]


def _cells(account: BookAccount) -> tuple[int, int, int, datetime, int, int, str | None]:
    return (
        account.account_id,
        account.balance,
        account.version,
        account.balance_at,
        account.deployment_count,
        account.revision,
        account.low,
    )
