"""What refunds and disputes take from a purchase, derived anew from everything that is known.

The facts are replayed in the order of their own time, so the ledger's sum, the roll-ups and the
purchase's state come out the same in whatever order they arrived. What is booked is the difference
between the replay before a change and the one after it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from gateway.billing.book import Book
from gateway.billing.flows import FlowColumn
from gateway.billing.receipts import issue_credit_note
from gateway.billing.states import DisputeState, PurchaseState, RefundState
from gateway.errors import BadUserInput
from gateway.models import DisputeStatus, LedgerCause, RefundStatus
from gateway.money import pro_rata


class Source(NamedTuple):
    """A fact as the ledger names it, why it moves the balance, when it did, and the refund or the
    dispute that it belongs to.
    """

    key: str
    cause: LedgerCause
    at: datetime
    refund_id: int | None = None
    dispute_id: int | None = None


class Replay:
    """A settled purchase's refunds and disputes, run through; of an unsettled one, nothing.

    `entries` are the ledger's amounts by source, `left` what of the purchase was not taken back,
    `held` what each dispute took (by id), `bonus_reversed_by` the refund or dispute that took the
    last of the money. Raises BadUserInput where the refunds are more than the purchase.

    A refund is always taken whole; a dispute takes what is left, and gives way to a later refund.
    """

    def __init__(
        self,
        purchase: PurchaseState,
        refunds: Sequence[RefundState],
        disputes: Sequence[DisputeState],
    ) -> None:
        self.entries: dict[Source, int] = {}
        self.left = purchase.amount_nanos
        self.held: dict[int, int] = {}
        self.won: set[int] = set()
        self.bonus_reversed_by: int | None = None
        self._bonus = purchase.bonus_nanos
        self._open: set[int] = set()
        if purchase.is_settled:
            for at, _, _, fact in sorted(_steps(refunds, disputes), key=lambda step: step[:3]):
                if isinstance(fact, RefundState):
                    self._refund(fact, at)
                elif fact.id in self.held:
                    self._close(fact, at)
                else:
                    self._withdraw(fact, at)
                self._reverse_bonus(fact, at)

    @property
    def disputed(self) -> int:
        """What open disputes hold."""
        return sum(self.held[dispute_id] for dispute_id in self._open)

    def _refund(self, refund: RefundState, at: datetime) -> None:
        source = Source(f"refund:{refund.id}", LedgerCause.REFUND, at, refund.id)
        self._enter(source, -refund.amount_nanos)
        self.left -= refund.amount_nanos
        for dispute_id, held in self.held.items():
            if dispute_id not in self.won:
                released = min(held, max(-self.left, 0))
                key = f"dispute-release:{dispute_id}:{refund.id}"
                source = Source(key, LedgerCause.DISPUTE, at, refund.id, dispute_id)
                self._enter(source, released)
                self.held[dispute_id] -= released
                self.left += released
        if self.left < 0:
            raise BadUserInput(
                "A purchase's refunds together cannot be more than it.", argument="amount"
            )

    def _withdraw(self, dispute: DisputeState, at: datetime) -> None:
        taken = self.held[dispute.id] = min(dispute.amount_nanos, self.left)
        self.left -= taken
        self._open.add(dispute.id)
        source = Source(f"dispute:{dispute.id}", LedgerCause.DISPUTE, at, None, dispute.id)
        self._enter(source, -taken)

    def _close(self, dispute: DisputeState, at: datetime) -> None:
        self._open.discard(dispute.id)
        if dispute.state == DisputeStatus.WON:
            self.won.add(dispute.id)
            self.left += self.held[dispute.id]
            key = f"dispute-won:{dispute.id}"
            source = Source(key, LedgerCause.DISPUTE, at, None, dispute.id)
            self._enter(source, self.held[dispute.id])

    def _reverse_bonus(self, fact: RefundState | DisputeState, at: datetime) -> None:
        # Only what is gone for good takes the bonus with it; an open dispute may yet be won.
        if not self.left and not self.disputed and self.bonus_reversed_by is None:
            self.bonus_reversed_by = fact.id
            ids = (fact.id, None) if isinstance(fact, RefundState) else (None, fact.id)
            source = Source(f"bonus-reversal:{fact.id}", LedgerCause.BONUS, at, *ids)
            self._enter(source, -self._bonus)

    def _enter(self, source: Source, amount: int) -> None:
        if amount:
            self.entries[source] = amount


Step = tuple[datetime, int, tuple[str, str, int], RefundState | DisputeState]
"""When, which of those at the same time comes first, the fact's name, and the fact."""


def _steps(refunds: Sequence[RefundState], disputes: Sequence[DisputeState]) -> Iterator[Step]:
    for refund in refunds:
        if refund.status == RefundStatus.SUCCEEDED:
            yield refund.created_at, 0, _name(refund), refund
    for dispute in disputes:
        if dispute.withdrawn_at:
            yield dispute.withdrawn_at, 1, _name(dispute), dispute
            if dispute.closed_at:
                closed_at = max(dispute.closed_at, dispute.withdrawn_at)
                yield closed_at, 2, _name(dispute), dispute


def _name(fact: RefundState | DisputeState) -> tuple[str, str, int]:
    return fact.provider or "", fact.provider_reference or "", fact.id


def sources_of(refunds: Sequence[RefundState], disputes: Sequence[DisputeState]) -> Iterator[str]:
    """Return every key under which these facts may have been booked."""
    for refund in refunds:
        yield f"refund:{refund.id}"
        yield f"bonus-reversal:{refund.id}"
        yield from (f"dispute-release:{dispute.id}:{refund.id}" for dispute in disputes)
    for dispute in disputes:
        yield f"dispute:{dispute.id}"
        yield f"dispute-won:{dispute.id}"
        yield f"bonus-reversal:{dispute.id}"


@contextmanager
def rebooked(book: Book, purchase: PurchaseState) -> Iterator[None]:
    """Book whatever a change of the purchase, its refunds or its disputes makes different.

    An exception leaves the book half-changed: it is abandoned with its transaction.
    """
    before, bonus = _replay(book, purchase).entries, _bonus_refunded(book, purchase)
    yield
    replay = _replay(book, purchase)
    _take_over(book, purchase, replay)
    for source in {**replay.entries, **before}:
        amount = replay.entries.get(source, 0) - before.get(source, 0)
        if amount:
            _post(book, purchase, source, amount)
    _settle_refunds(book, purchase, bonus=_bonus_refunded(book, purchase) - bonus)


def _replay(book: Book, purchase: PurchaseState) -> Replay:
    return Replay(purchase, book.refunds[purchase.key], book.disputes[purchase.key])


def _bonus_refunded(book: Book, purchase: PurchaseState) -> int:
    return sum(refund.bonus_reversed_nanos for refund in book.refunds[purchase.key])


def _take_over(book: Book, purchase: PurchaseState, replay: Replay) -> None:
    reversed_by = replay.bonus_reversed_by
    purchase.refunded_nanos = purchase.amount_nanos - replay.left
    purchase.disputed_nanos = replay.disputed
    purchase.bonus_reversed_nanos = 0 if reversed_by is None else purchase.bonus_nanos
    if purchase.is_settled:
        purchase.update_status()
    for refund in book.refunds[purchase.key]:
        refund.bonus_reversed_nanos = purchase.bonus_nanos if refund.id == reversed_by else 0
    for dispute in book.disputes[purchase.key]:
        dispute.debited_nanos = replay.held.get(dispute.id, 0)
        dispute.credited_nanos = dispute.debited_nanos if dispute.id in replay.won else 0


def _post(book: Book, purchase: PurchaseState, source: Source, amount: int) -> None:
    # A fact's first entry has its plain key, which the database takes once; a correction, made
    # because an earlier fact came late, also names its version.
    account_id, key = purchase.account_id, source.key
    if (account_id, key) in book.booked:
        key = f"{key}:{book.accounts[account_id].version + 1}"
    book.booked.add((account_id, key))
    book.post_purchase(
        purchase,
        source.cause,
        amount,
        source_key=key,
        at=source.at,
        flow=FlowColumn.BONUS if source.cause == LedgerCause.BONUS else FlowColumn.REFUNDED,
        refund_id=source.refund_id,
        dispute_id=source.dispute_id,
    )


def _settle_refunds(book: Book, purchase: PurchaseState, *, bonus: int) -> None:
    """Issue the credit notes of refunds that take effect now, oldest first. The last one says what
    of the bonus went: an older refund that comes late may be what makes them whole.
    """
    refunds = sorted(
        book.refunds[purchase.key], key=lambda refund: (refund.created_at, _name(refund))
    )
    new = []
    for refund in refunds:
        if refund.status != RefundStatus.SUCCEEDED:
            refund.settled_at, refund.tax_nanos = None, 0
        elif purchase.is_settled and refund.settled_at is None:
            new.append(refund)
    for refund in new:
        refund.tax_nanos = _tax_of(refund, [each for each in refunds if each.settled_at], purchase)
        refund.settled_at = refund.created_at
        last = refund is new[-1]
        issue_credit_note(book, purchase, refund, bonus=max(bonus, 0) if last else 0)


def _tax_of(refund: RefundState, settled: Sequence[RefundState], purchase: PurchaseState) -> int:
    """Return the tax that was said to go back with a refund, else what is missing from the share of
    the running total, so that it all adds up.
    """
    if refund.told_tax is not None:
        return refund.told_tax
    total = refund.amount_nanos + sum(each.amount_nanos for each in settled)
    given = sum(each.tax_nanos for each in settled)
    return max(pro_rata(total, purchase.amount_nanos, purchase.tax_nanos) - given, 0)
