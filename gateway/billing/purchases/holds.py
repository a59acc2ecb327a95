"""Replays refunds and disputes: the credit that they take from a purchase at each instant. Pure.

This is the only replay of these facts: the ledger's entries and the rows of FOCUS files both
follow from its steps.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from gateway.money import divide_up, from_minor_units, minor_digits


class PurchaseTerms(NamedTuple):
    """The terms with which a purchase settled: its credit and the tax on it, in nanos."""

    amount: int
    tax: int
    currency: str

    def credit_in(self, money: int) -> int:
        """Return the credit in an amount of disputed money, both in nanos.

        It is rounded up to a whole minor unit, so that a dispute of a whole payment leaves nothing.
        """
        if not self.tax:
            return money
        minor = from_minor_units(1, minor_digits(self.currency))
        return divide_up(money * self.amount, (self.amount + self.tax) * minor) * minor


class DisputeMovements(NamedTuple):
    """The movements of a dispute: (instant, nanos of money), negative where it was withdrawn."""

    dispute_id: int
    made_at: datetime
    sort_key: tuple[str, str, int]
    movements: Sequence[tuple[datetime, int]]

    @property
    def order(self) -> tuple[datetime, tuple[str, str, int]]:
        """The sort key of disputes: first the one that withdrew money first."""
        withdrawn = [at for at, amount in self.movements if amount < 0]
        return min(withdrawn, default=self.made_at), self.sort_key


class EffectiveRefund(NamedTuple):
    """A refund that took effect. `sort_key` orders refunds of one instant."""

    refund_id: int
    at: datetime
    amount: int
    sort_key: tuple[str, str, int]


class Step(NamedTuple):
    """The effect of one instant's facts on a purchase's credit, in nanos.

    `refunds` are in order. `taken` is the change of each dispute's hold by its id, negative where
    credit came back; `held` is the sum of all holds after it. `empty_since` is the instant since
    which no credit of the purchase is left without interruption.
    """

    at: datetime
    refunds: Sequence[EffectiveRefund]
    taken: Mapping[int, int]
    held: int
    empty_since: datetime | None


class Holds:
    """The credit that disputes hold of a purchase, by dispute id, at each instant.

    All holds together are the credit in the money that disputes withdrew and did not return, but no
    more than refunds left of the purchase. The dispute that took money first holds it first.
    """

    def __init__(self, terms: PurchaseTerms, disputes: Sequence[DisputeMovements]) -> None:
        self._terms = terms
        self._disputes = sorted(disputes, key=lambda each: each.order)
        self._withdrawn = {each.dispute_id: 0 for each in disputes}
        self.held = dict(self._withdrawn)

    @property
    def total(self) -> int:
        return sum(self.held.values())

    def steps(self, refunds: Sequence[EffectiveRefund]) -> Iterator[Step]:
        """Yield the step of each instant at which a refund or a movement took effect, in order."""
        instants = {at for each in self._disputes for at, _ in each.movements}
        unrefunded, empty_since = self._terms.amount, None
        for at in sorted(instants.union(each.at for each in refunds)):
            now = sorted(
                (each for each in refunds if each.at == at), key=lambda each: each.sort_key
            )
            unrefunded -= sum(each.amount for each in now)
            taken = self._change(at, unrefunded)
            empty_since = None if self.total < unrefunded else empty_since or at
            yield Step(at, now, taken, self.total, empty_since)

    def _change(self, at: datetime, unrefunded: int) -> Mapping[int, int]:
        """Apply all movements of an instant; return the change of each dispute's hold.

        `unrefunded` is the credit that refunds left.
        """
        changes = {}
        money = credit = 0
        for dispute_id, _, _, movements in self._disputes:
            self._withdrawn[dispute_id] -= sum(
                amount for moved_at, amount in movements if moved_at == at
            )
            money += max(self._withdrawn[dispute_id], 0)
            before, credit = credit, min(self._terms.credit_in(money), unrefunded)
            changes[dispute_id] = credit - before - self.held[dispute_id]
            self.held[dispute_id] = credit - before
        return changes
