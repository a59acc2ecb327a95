"""What refunds and disputes take from a purchase's credit, at one instant after another. Pure.

The one replay of these facts: the ledger's entries and what is billed both follow from its steps.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from gateway.money import from_minor_units, minor_digits


class Terms(NamedTuple):
    """What a purchase was settled for, in nanos: the credit and the tax on it."""

    amount: int
    tax: int
    currency: str

    def credit_in(self, money: int) -> int:
        """Return the credit in so much disputed money: in whole minor units, rounded up, so that of
        a payment that is disputed whole nothing stays.
        """
        if not self.tax:
            return money
        minor = from_minor_units(1, minor_digits(self.currency))
        return -(-money * self.amount // ((self.amount + self.tax) * minor)) * minor


class Moves(NamedTuple):
    """What a dispute moved: when, and by how much money, negative where it was withdrawn."""

    dispute_id: int
    made_at: datetime
    name: tuple[str, str, int]
    moves: Sequence[tuple[datetime, int]]

    @property
    def place(self) -> tuple[datetime, tuple[str, str, int]]:
        """What disputes are ordered by: those that took money first come first."""
        withdrawn = [at for at, amount in self.moves if amount < 0]
        return min(withdrawn, default=self.made_at), self.name


class Refunded(NamedTuple):
    """A refund that took effect. `name` orders those of one instant."""

    refund_id: int
    at: datetime
    amount: int
    name: tuple[str, str, int]


class Step(NamedTuple):
    """What the facts of one instant take: its refunds in order, what each dispute takes by its id
    (negative where it gives back), and what disputes hold together after it. `gone_since` is the
    instant since which nothing of the purchase is left; what came back meanwhile was not gone.
    """

    at: datetime
    refunds: Sequence[Refunded]
    taken: Mapping[int, int]
    held: int
    gone_since: datetime | None


class Holds:
    """What disputes hold of a purchase's credit, at one instant after another.

    Together it is the credit in the money that they withdrew and did not return, but no more than
    refunds left of the purchase; those that took money first hold it first.
    """

    def __init__(self, terms: Terms, disputes: Sequence[Moves]) -> None:
        self._terms = terms
        self._disputes = sorted(disputes, key=lambda each: each.place)
        self._withdrawn = {each.dispute_id: 0 for each in disputes}
        self.held = dict(self._withdrawn)

    @property
    def total(self) -> int:
        return sum(self.held.values())

    def steps(self, refunds: Sequence[Refunded]) -> Iterator[Step]:
        """Go through the instants of refunds and of moves, in their order."""
        instants = {at for each in self._disputes for at, _ in each.moves}
        unrefunded, gone_since = self._terms.amount, None
        for at in sorted(instants.union(each.at for each in refunds)):
            now = sorted((each for each in refunds if each.at == at), key=lambda each: each.name)
            unrefunded -= sum(each.amount for each in now)
            taken = self._change(at, unrefunded)
            gone_since = None if self.total < unrefunded else gone_since or at
            yield Step(at, now, taken, self.total, gone_since)

    def _change(self, at: datetime, unrefunded: int) -> Mapping[int, int]:
        """Go on to an instant, of which all moves count; `unrefunded` is what refunds left."""
        changes = {}
        money = credit = 0
        for dispute_id, _, _, moves in self._disputes:
            self._withdrawn[dispute_id] -= sum(
                amount for moved_at, amount in moves if moved_at == at
            )
            money += max(self._withdrawn[dispute_id], 0)
            before, credit = credit, min(self._terms.credit_in(money), unrefunded)
            changes[dispute_id] = credit - before - self.held[dispute_id]
            self.held[dispute_id] = credit - before
        return changes
