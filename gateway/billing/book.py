"""The kernel of a billing transaction: it locks accounts, posts ledger entries, gives revisions and
announces them.

`open` locks the accounts' rows in the order of their keys, changes are made in memory, and `close`
writes them in a fixed order. Nothing else writes the ledger, the balances and the roll-ups. All
other rows of a transaction belong to its `PARTICIPANTS`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, Self, TypeVar

from gateway.audit.deeds import Act, record
from gateway.billing.balance.book_balances import LowBalances
from gateway.billing.book_account import BookAccount
from gateway.billing.ledger.flows import FlowColumn, SlotSums
from gateway.billing.ledger.source_key import SourceKey
from gateway.billing.participant import Participant
from gateway.billing.purchases.book_purchases import Purchases
from gateway.billing.usage.book_usage import UsageActivity
from gateway.clock import Clock
from gateway.errors import BadUserInput, NotFound
from gateway.ids import KeyFactory
from gateway.models import LedgerCause
from gateway.money import checked
from gateway.principal import Actor
from gateway.store import Transaction, accounts, ledger, ledger_days, rollups
from gateway.store.ledger import Posting
from gateway.windows import USAGE_DELAY_SECONDS

PARTICIPANTS: Final[Sequence[type[Participant]]] = (Purchases, UsageActivity, LowBalances)
"""The participants of every book, in the order in which they write. Low balances
come after what moves a balance or its burn.
"""

NO_ACCOUNT: Final = "Account not found."
LOCK_LIMIT: Final = 10_000
"""Accounts that one transaction may lock."""

P = TypeVar("P", bound=Participant)


async def lock_accounts(
    transaction: Transaction, account_ids: Collection[int], actor: Actor
) -> Mapping[int, BookAccount]:
    """Lock accounts until the transaction ends, because the actor writes to them.

    Raises NotFound where one does not exist or the actor may not write to it, BadUserInput for more
    than LOCK_LIMIT.
    """
    if len(account_ids) > LOCK_LIMIT:
        raise BadUserInput(f"A batch may touch at most {LOCK_LIMIT} accounts.")
    wanted = sorted(set(account_ids))
    if not all(map(actor.may_write, wanted)):
        raise NotFound(NO_ACCOUNT)
    rows = await accounts.lock(transaction, wanted)
    if len(rows) != len(wanted):
        raise NotFound(NO_ACCOUNT)
    return {row["account_id"]: BookAccount.from_row(row) for row in rows}


class Book:
    """One transaction's bookkeeping. Not shared, not reused."""

    def __init__(
        self,
        transaction: Transaction,
        actor: Actor,
        clock: Clock,
        keys: KeyFactory,
        locked: Mapping[int, BookAccount],
        parts: Mapping[type[Participant], Participant],
        usage_delay_seconds: int,
    ) -> None:
        self.transaction = transaction
        self.actor = actor
        self.clock = clock
        self.now = clock.now()
        self.keys = keys
        self.accounts = locked
        self.usage_delay_seconds = usage_delay_seconds
        self.slot_sums = SlotSums()
        self.postings: list[Posting] = []
        self.acts: list[Act] = []
        """Acts that the audit log keeps with the transaction."""
        self._parts = parts
        self._touched: set[int] = set()

    @classmethod
    async def open(
        cls,
        transaction: Transaction,
        account_ids: Collection[int],
        *,
        actor: Actor,
        clock: Clock,
        keys: KeyFactory,
        usage_delay_seconds: int = USAGE_DELAY_SECONDS,
    ) -> Self:
        """Lock the accounts for an actor's changes, as `lock_accounts` does."""
        locked = await lock_accounts(transaction, account_ids, actor)
        parts = {kind: await kind.open(transaction, locked) for kind in PARTICIPANTS}
        return cls(transaction, actor, clock, keys, locked, parts, usage_delay_seconds)

    def part(self, kind: type[P]) -> P:
        """Return the book's participant of a kind, one of `PARTICIPANTS`."""
        found = self._parts[kind]
        assert isinstance(found, kind)  # noqa: S101  # narrows for the type checker
        return found

    def touch(self, account_id: int) -> int:
        """Give a locked account a new revision, the same one for all of the transaction, because
        something that is pushed live changes; return it.
        """
        account = self.accounts[account_id]
        if account_id not in self._touched:
            self._touched.add(account_id)
            account.revision += 1
        return account.revision

    def recorded_at(self, account_id: int) -> datetime:
        """Return the instant of the next entry: now, but not before the last entry, which a process
        with a faster clock may have recorded.
        """
        account = self.accounts[account_id]
        return max(self.now, account.balance_at) if account.version else self.now

    def post(
        self,
        account_id: int,
        cause: LedgerCause,
        amount: int,
        *,
        source: SourceKey,
        effective_at: datetime,
        earliest_at: datetime | None = None,
        flow: FlowColumn | None = None,
        purchase_id: int | None = None,
        refund_id: int | None = None,
        dispute_id: int | None = None,
        description: str | None = None,
    ) -> int:
        """Append a ledger entry of `amount` nanos and return its version.

        `source` names the fact that it comes from, of which there is one entry. `flow` names the
        roll-up column that `amount` counts in, by `effective_at`; usage has none here, because its
        roll-ups go by each event's own start, from `earliest_at` to `effective_at`. `purchase_id`,
        `refund_id` and `dispute_id` are what the entry belongs to. Raises OutOfRange for a balance
        that does not fit.
        """
        account = self.accounts[account_id]
        account.balance = checked(account.balance + checked(amount))
        account.balance_at = self.recorded_at(account_id)
        account.version += 1
        self.touch(account_id)
        self.postings.append(
            Posting(
                account_id=account_id,
                version=account.version,
                cause=cause.value,
                amount_nanos=amount,
                balance_nanos=account.balance,
                source_key=str(source),
                purchase_id=purchase_id,
                refund_id=refund_id,
                dispute_id=dispute_id,
                description=description,
                effective_at=effective_at,
                recorded_at=account.balance_at,
                earliest_at=earliest_at,
            )
        )
        if flow is not None:
            self.slot_sums.add(account_id, effective_at, flow, amount)
        return account.version

    async def close(self) -> None:
        """Write everything and announce the new revisions. Raises OutOfRange for a sum that does
        not fit.
        """
        transaction = self.transaction
        for part in self._parts.values():
            await part.write_before_ledger(self)
        zones = {account_id: account.time_zone for account_id, account in self.accounts.items()}
        await ledger.append(transaction, self.postings)
        await ledger_days.merge(transaction, self.postings, zones)
        await rollups.merge(transaction, self.slot_sums.slots, zones)
        for part in self._parts.values():
            await part.write_after_ledger(self)
        await accounts.save(transaction, [each.state() for each in self.accounts.values()])
        await record(transaction, self.actor, self.acts, clock=self.clock)
        touched = sorted(self._touched)
        await transaction.announce(touched, [self.accounts[each].revision for each in touched])
