"""What refunds and disputes take from a purchase, derived from everything that is known.

The facts are replayed in the order of their own time, so the ledger's sum, the roll-ups and the
purchase's state come out the same in whatever order they arrived. What is booked is the difference
between the replay before a change and the one after it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from gateway.billing.book import Book
from gateway.billing.ledger.flows import FlowColumn
from gateway.billing.ledger.source_key import SourceKey
from gateway.billing.purchases.dispute_state import DisputeState
from gateway.billing.purchases.holds import Holds, Moves, Refunded, Step, Terms
from gateway.billing.purchases.participant import Purchases
from gateway.billing.purchases.purchase_state import PurchaseState, RefundState
from gateway.billing.purchases.receipts import issue_cancellation, issue_credit_note
from gateway.errors import BadUserInput
from gateway.models import DisputeStatus, LedgerCause, RefundStatus
from gateway.money import pro_rata


class Source(NamedTuple):
    """A fact as the ledger names it, why it moves the balance, when it did, and the refund or the
    dispute that it belongs to.
    """

    key: SourceKey
    cause: LedgerCause
    at: datetime
    refund_id: int | None = None
    dispute_id: int | None = None


class Replay:
    """A settled purchase's refunds and disputes, run through; of an unsettled one, nothing.

    `entries` are the ledger's amounts by source, `left` what of the purchase was not taken back,
    `held` what each dispute holds (by id), `bonus_reversed_by` the refund or dispute that took the
    last of the money. Raises BadUserInput where the refunds are more than the purchase.

    A refund is always taken whole. Disputes together hold the credit in the money that they moved,
    as far as refunds left so much; those that took money first hold it first. What is entered at an
    instant is the difference that all facts of that instant make.
    """

    def __init__(
        self,
        purchase: PurchaseState,
        refunds: Sequence[RefundState],
        disputes: Sequence[DisputeState],
    ) -> None:
        self.entries: dict[Source, int] = {}
        self.bonus_reversed_by: int | None = None
        self._purchase = purchase
        self._unrefunded = purchase.amount_nanos
        self._disputes = {each.id: each for each in disputes}
        terms = Terms(purchase.amount_nanos, purchase.tax_nanos, purchase.currency)
        self._holds = Holds(terms, [_moves(each) for each in disputes])
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
        """What open disputes hold."""
        disputes = self._disputes.values()
        return sum(self.held[each.id] for each in disputes if each.state == DisputeStatus.OPEN)

    def _run(self, refunds: Sequence[RefundState]) -> None:
        if sum(each.amount_nanos for each in refunds) > self._purchase.amount_nanos:
            raise BadUserInput(
                "The sum of a purchase's refunds must not exceed its amount.", argument="amount"
            )
        gone: Source | None = None
        for step in self._holds.steps([_refunded(each) for each in refunds]):
            refund = self._refund(step.refunds)
            dispute = self._hold(step, refund)
            gone = None if step.gone_since is None else gone or refund or dispute
        if gone is not None and not self.disputed:
            self.bonus_reversed_by = taken_by = gone.refund_id or gone.dispute_id
            assert taken_by is not None  # noqa: S101  # narrows: every source here has one
            key = SourceKey.bonus_reversal(taken_by)
            source = gone._replace(key=key, cause=LedgerCause.BONUS)
            self._enter(source, -self._purchase.bonus_nanos)

    def _refund(self, refunds: Sequence[Refunded]) -> Source | None:
        """Enter the refunds of one instant; return the last one."""
        source = None
        for refund_id, at, amount, _ in refunds:
            source = Source(SourceKey.refund(refund_id), LedgerCause.REFUND, at, refund_id)
            self._enter(source, -amount)
            self._unrefunded -= amount
        return source

    def _hold(self, step: Step, refund: Source | None) -> Source | None:
        """Enter what disputes take or give back at an instant; return the last one that took
        something.
        """
        at, taken_by = step.at, None
        for dispute_id, taken in step.taken.items():
            moves = self._disputes[dispute_id].movements.values()
            # A refund that takes what a dispute held is named beside it.
            is_beside = all(each.at != at for each in moves)
            key = SourceKey.dispute(dispute_id, at)
            refund_id = refund.refund_id if refund and is_beside else None
            source = Source(key, LedgerCause.DISPUTE, at, refund_id, dispute_id)
            self._enter(source, -taken)
            taken_by = source if taken > 0 else taken_by
        return taken_by

    def _enter(self, source: Source, amount: int) -> None:
        if amount:
            self.entries[source] = amount


def _moves(dispute: DisputeState) -> Moves:
    moves = [(each.at, each.amount) for each in dispute.movements.values()]
    return Moves(dispute.id, dispute.created_at, dispute.name, moves)


def _refunded(refund: RefundState) -> Refunded:
    return Refunded(refund.id, refund.created_at, refund.amount_nanos, _name(refund))


def _name(refund: RefundState) -> tuple[str, str, int]:
    return refund.provider or "", refund.provider_reference or "", refund.id


def sources_of(
    refunds: Sequence[RefundState], disputes: Sequence[DisputeState]
) -> Iterator[SourceKey]:
    """Yield every key under which these facts may have been booked."""
    for refund in refunds:
        yield SourceKey.refund(refund.id)
        yield SourceKey.bonus_reversal(refund.id)
    instants = {each.at for dispute in disputes for each in dispute.movements.values()}
    instants.update(refund.created_at for refund in refunds)
    for dispute in disputes:
        yield SourceKey.bonus_reversal(dispute.id)
        yield from (SourceKey.dispute(dispute.id, at) for at in instants)


@contextmanager
def rebooked(book: Book, purchase: PurchaseState) -> Iterator[None]:
    """Book whatever a change of the purchase, its refunds or its disputes makes different.

    An exception leaves the book half-changed: it is abandoned with its transaction.
    """
    held = book.part(Purchases)
    before, bonus = _replay(held, purchase).entries, _bonus_refunded(held, purchase)
    yield
    replay = _replay(held, purchase)
    _take_over(held, purchase, replay)
    for source in {**replay.entries, **before}:
        amount = replay.entries.get(source, 0) - before.get(source, 0)
        if amount:
            _post(book, purchase, source, amount)
    if purchase.is_settled:
        _settle_refunds(book, purchase, bonus=_bonus_refunded(held, purchase) - bonus)


def _replay(held: Purchases, purchase: PurchaseState) -> Replay:
    return Replay(purchase, held.refunds[purchase.key], held.disputes[purchase.key])


def _bonus_refunded(held: Purchases, purchase: PurchaseState) -> int:
    return sum(refund.bonus_reversed_nanos for refund in held.refunds[purchase.key])


def _take_over(held: Purchases, purchase: PurchaseState, replay: Replay) -> None:
    reversed_by = replay.bonus_reversed_by
    purchase.refunded_nanos = purchase.amount_nanos - replay.left
    purchase.disputed_nanos = replay.disputed
    purchase.bonus_reversed_nanos = 0 if reversed_by is None else purchase.bonus_nanos
    if purchase.is_settled:
        purchase.update_status()
    for refund in held.refunds[purchase.key]:
        refund.bonus_reversed_nanos = purchase.bonus_nanos if refund.id == reversed_by else 0
    for dispute in held.disputes[purchase.key]:
        dispute.held_nanos = replay.held[dispute.id]


def _post(book: Book, purchase: PurchaseState, source: Source, amount: int) -> None:
    # A fact's first entry has its plain key, which the database takes once; a correction, made
    # because an earlier fact came late, also names its version.
    account_id, key = purchase.account_id, source.key
    booked = book.part(Purchases).booked
    if (account_id, str(key)) in booked:
        key = key.corrected(book.accounts[account_id].version + 1)
    booked.add((account_id, str(key)))
    book.post(
        account_id,
        source.cause,
        amount,
        source=key,
        effective_at=source.at,
        flow=FlowColumn.BONUS if source.cause == LedgerCause.BONUS else FlowColumn.REFUNDED,
        purchase_id=purchase.id,
        refund_id=source.refund_id,
        dispute_id=source.dispute_id,
    )


def _settle_refunds(book: Book, purchase: PurchaseState, *, bonus: int) -> None:
    """Issue the credit notes of refunds that take effect now and the documents that cancel those of
    refunds that came to nothing, oldest first. The last of each says what of the bonus went with
    it, or came back: an older refund that comes late may be what makes them whole.
    """
    refunds = sorted(
        book.part(Purchases).refunds[purchase.key],
        key=lambda refund: (refund.created_at, _name(refund)),
    )
    for refund in refunds:
        if refund.is_undone:
            refund.settled_at = None
        if refund.settled_at is None and refund.note is None:
            # What is on its way, or came to nothing, shows the money of its provider too.
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
    """Whether a refund takes effect now, or lacks the credit note that it has to have, also where
    it came to nothing in the end.
    """
    if purchase.receipted:
        return refund.has_succeeded and refund.note is None
    return refund.status == RefundStatus.SUCCEEDED and refund.settled_at is None


def _tax_of(refund: RefundState, settled: Sequence[RefundState], purchase: PurchaseState) -> int:
    """Return the stated tax of a refund, else what is missing from the share of
    the running total, so that it all adds up.
    """
    if refund.stated_tax is not None:
        return refund.stated_tax
    total = refund.amount_nanos + sum(each.amount_nanos for each in settled)
    given = sum(each.tax_nanos for each in settled)
    return max(pro_rata(total, purchase.amount_nanos, purchase.tax_nanos) - given, 0)
