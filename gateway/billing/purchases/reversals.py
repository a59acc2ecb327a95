"""Refunds and disputes: replays all facts of a purchase and posts what changed to the ledger.

The facts are replayed in the order of their own time, so the ledger's sum, the roll-ups and the
purchase's state are the same in whatever order the facts arrived. The ledger gets the difference
between the replay before a change and the replay after it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from gateway.billing.book import Book
from gateway.billing.ledger.flows import FlowColumn
from gateway.billing.ledger.source_key import SourceKey
from gateway.billing.purchases.book_purchases import Purchases
from gateway.billing.purchases.dispute_state import DisputeState
from gateway.billing.purchases.holds import (
    DisputeMovements,
    EffectiveRefund,
    Holds,
    PurchaseTerms,
    Step,
)
from gateway.billing.purchases.purchase_state import PurchaseState, RefundState
from gateway.billing.purchases.receipts import issue_cancellation, issue_credit_note
from gateway.errors import BadUserInput
from gateway.models import DisputeStatus, LedgerCause, RefundStatus
from gateway.money import pro_rata


class EntryOrigin(NamedTuple):
    """The fact behind a ledger entry: its source key, the entry's cause, the instant at which it
    takes effect, and its refund or dispute.
    """

    key: SourceKey
    cause: LedgerCause
    at: datetime
    refund_id: int | None = None
    dispute_id: int | None = None


class Replay:
    """The ledger entries of a settled purchase's refunds and disputes; none before it settles.

    Amounts are nanos of credit. `entries` has the amount of each origin, `left` is the credit that
    neither refunds nor disputes took, `held` the credit that each dispute holds (by id), and
    `bonus_reversed_by` the id of the refund or dispute that took the last of the credit. Raises
    BadUserInput where the refunds are more than the purchase.

    A refund is always taken whole. Disputes together hold the credit in the money that they moved,
    but no more than refunds left; the dispute that took money first holds it first. The entries of
    an instant are the difference that all facts of that instant make.
    """

    def __init__(
        self,
        purchase: PurchaseState,
        refunds: Sequence[RefundState],
        disputes: Sequence[DisputeState],
    ) -> None:
        self.entries: dict[EntryOrigin, int] = {}
        self.bonus_reversed_by: int | None = None
        self._purchase = purchase
        self._unrefunded = purchase.amount_nanos
        self._disputes = {each.id: each for each in disputes}
        terms = PurchaseTerms(purchase.amount_nanos, purchase.tax_nanos, purchase.currency)
        self._holds = Holds(terms, [_movements_of(each) for each in disputes])
        if purchase.is_settled:
            self._run([each for each in refunds if each.status == RefundStatus.SUCCEEDED])

    @property
    def held(self) -> Mapping[int, int]:
        return self._holds.held

    @property
    def left(self) -> int:
        return self._unrefunded - self._holds.total

    @property
    def disputed(self) -> int:
        """Nanos of credit that open disputes hold."""
        disputes = self._disputes.values()
        return sum(self.held[each.id] for each in disputes if each.state == DisputeStatus.OPEN)

    def _run(self, refunds: Sequence[RefundState]) -> None:
        if sum(each.amount_nanos for each in refunds) > self._purchase.amount_nanos:
            raise BadUserInput(
                "The sum of a purchase's refunds must not exceed its amount.", argument="amount"
            )
        emptied_by: EntryOrigin | None = None
        for step in self._holds.steps([_effective_refund(each) for each in refunds]):
            refund = self._enter_refunds(step.refunds)
            dispute = self._enter_holds(step, refund)
            emptied_by = None if step.empty_since is None else emptied_by or refund or dispute
        if emptied_by is not None and not self.disputed:
            self.bonus_reversed_by = taken_by = emptied_by.refund_id or emptied_by.dispute_id
            assert taken_by is not None  # noqa: S101  # narrows: every origin here has one
            key = SourceKey.bonus_reversal(taken_by)
            origin = emptied_by._replace(key=key, cause=LedgerCause.BONUS)
            self._enter(origin, -self._purchase.bonus_nanos)

    def _enter_refunds(self, refunds: Sequence[EffectiveRefund]) -> EntryOrigin | None:
        """Enter the refunds of one instant; return the last one's origin."""
        origin = None
        for refund_id, at, amount, _ in refunds:
            origin = EntryOrigin(SourceKey.refund(refund_id), LedgerCause.REFUND, at, refund_id)
            self._enter(origin, -amount)
            self._unrefunded -= amount
        return origin

    def _enter_holds(self, step: Step, refund: EntryOrigin | None) -> EntryOrigin | None:
        """Enter the changes of disputed funds at an instant; return the origin of the last
        change that took credit.
        """
        at, taken_by = step.at, None
        for dispute_id, taken in step.taken.items():
            movements = self._disputes[dispute_id].movements.values()
            # Without a movement at this instant, a refund took the credit that the dispute held:
            # the entry names both.
            moved_nothing = all(each.at != at for each in movements)
            key = SourceKey.dispute(dispute_id, at)
            refund_id = refund.refund_id if refund and moved_nothing else None
            origin = EntryOrigin(key, LedgerCause.DISPUTE, at, refund_id, dispute_id)
            self._enter(origin, -taken)
            taken_by = origin if taken > 0 else taken_by
        return taken_by

    def _enter(self, origin: EntryOrigin, amount: int) -> None:
        if amount:
            self.entries[origin] = amount


def _movements_of(dispute: DisputeState) -> DisputeMovements:
    movements = [(each.at, each.amount) for each in dispute.movements.values()]
    return DisputeMovements(dispute.id, dispute.created_at, dispute.sort_key, movements)


def _effective_refund(refund: RefundState) -> EffectiveRefund:
    return EffectiveRefund(refund.id, refund.created_at, refund.amount_nanos, _sort_key(refund))


def _sort_key(refund: RefundState) -> tuple[str, str, int]:
    return refund.provider or "", refund.provider_reference or "", refund.id


def source_keys_of(
    refunds: Sequence[RefundState], disputes: Sequence[DisputeState]
) -> Iterator[SourceKey]:
    """Yield every source key that the ledger may have for these facts."""
    for refund in refunds:
        yield SourceKey.refund(refund.id)
        yield SourceKey.bonus_reversal(refund.id)
    instants = {each.at for dispute in disputes for each in dispute.movements.values()}
    instants.update(refund.created_at for refund in refunds)
    for dispute in disputes:
        yield SourceKey.bonus_reversal(dispute.id)
        yield from (SourceKey.dispute(dispute.id, at) for at in instants)


@contextmanager
def posting_changes(book: Book, purchase: PurchaseState) -> Iterator[None]:
    """Let the caller change a purchase, its refunds and its disputes; then post the difference.

    It also issues the credit notes and cancellations that follow. An exception leaves the book
    half-changed: the caller abandons it with its transaction.
    """
    purchases = book.part(Purchases)
    before, bonus = _replay(purchases, purchase).entries, _bonus_refunded(purchases, purchase)
    yield
    replay = _replay(purchases, purchase)
    _apply_replay(purchases, purchase, replay)
    for origin in {**replay.entries, **before}:
        amount = replay.entries.get(origin, 0) - before.get(origin, 0)
        if amount:
            _post(book, purchase, origin, amount)
    if purchase.is_settled:
        _settle_refunds(book, purchase, bonus=_bonus_refunded(purchases, purchase) - bonus)


def _replay(purchases: Purchases, purchase: PurchaseState) -> Replay:
    return Replay(purchase, purchases.refunds[purchase.key], purchases.disputes[purchase.key])


def _bonus_refunded(purchases: Purchases, purchase: PurchaseState) -> int:
    return sum(refund.bonus_reversed_nanos for refund in purchases.refunds[purchase.key])


def _apply_replay(purchases: Purchases, purchase: PurchaseState, replay: Replay) -> None:
    reversed_by = replay.bonus_reversed_by
    purchase.refunded_nanos = purchase.amount_nanos - replay.left
    purchase.disputed_nanos = replay.disputed
    purchase.bonus_reversed_nanos = 0 if reversed_by is None else purchase.bonus_nanos
    if purchase.is_settled:
        purchase.update_status()
    for refund in purchases.refunds[purchase.key]:
        refund.bonus_reversed_nanos = purchase.bonus_nanos if refund.id == reversed_by else 0
    for dispute in purchases.disputes[purchase.key]:
        dispute.held_nanos = replay.held[dispute.id]


def _post(book: Book, purchase: PurchaseState, origin: EntryOrigin, amount: int) -> None:
    # The key of a fact's first entry is unique in the database. An amending entry, posted because
    # an earlier fact came late, also has its version in the key.
    account_id, key = purchase.account_id, origin.key
    booked = book.part(Purchases).booked
    if (account_id, str(key)) in booked:
        key = key.amended(book.accounts[account_id].version + 1)
    booked.add((account_id, str(key)))
    book.post(
        account_id,
        origin.cause,
        amount,
        source=key,
        effective_at=origin.at,
        flow=FlowColumn.BONUS if origin.cause == LedgerCause.BONUS else FlowColumn.REFUNDED,
        purchase_id=purchase.id,
        refund_id=origin.refund_id,
        dispute_id=origin.dispute_id,
    )


def _settle_refunds(book: Book, purchase: PurchaseState, *, bonus: int) -> None:
    """Issue the missing credit notes of refunds, and the cancellations of refunds that failed or
    were canceled, oldest first. `bonus` is the change of the bonus that refunds took, in nanos: the
    last credit note has it where it grew, the last cancellation where it shrank.
    """
    refunds = sorted(
        book.part(Purchases).refunds[purchase.key],
        key=lambda refund: (refund.created_at, _sort_key(refund)),
    )
    for refund in refunds:
        if refund.is_undone:
            refund.settled_at = None
        if refund.settled_at is None and refund.note is None:
            # A pending, failed or canceled refund without a note shows the tax that its provider
            # states.
            refund.tax_nanos = refund.stated_tax or (0 if refund.is_undone else refund.tax_nanos)
    new = [each for each in refunds if _is_new(purchase, each)]
    last = [each for each in new if not each.is_undone][-1:]
    for refund in new:
        refund.tax_nanos = _tax_of(refund, [each for each in refunds if each.settled_at], purchase)
        refund.settled_at = None if refund.is_undone else refund.created_at
        if purchase.receipted:
            taken = max(bonus, 0) if refund in last else 0
            refund.note = issue_credit_note(book, purchase, refund, bonus=taken)
    undone = [each for each in refunds if each.is_undone and each.note and not each.note.canceled]
    for refund in undone:
        returned = max(-bonus, 0) if refund is undone[-1] else 0
        refund.note = issue_cancellation(book, purchase, refund, bonus=returned)


def _is_new(purchase: PurchaseState, refund: RefundState) -> bool:
    """Whether a refund takes effect now. With receipts: whether it lacks its credit note, which a
    refund that succeeded and failed later has too.
    """
    if purchase.receipted:
        return refund.has_succeeded and refund.note is None
    return refund.status == RefundStatus.SUCCEEDED and refund.settled_at is None


def _tax_of(refund: RefundState, settled: Sequence[RefundState], purchase: PurchaseState) -> int:
    """Return the tax of a refund in nanos: the tax that its facts state. Without one, the tax on
    all refunds so far less the tax of the earlier ones, so that the parts add up.
    """
    if refund.stated_tax is not None:
        return refund.stated_tax
    total = refund.amount_nanos + sum(each.amount_nanos for each in settled)
    given = sum(each.tax_nanos for each in settled)
    return max(pro_rata(total, purchase.amount_nanos, purchase.tax_nanos) - given, 0)
