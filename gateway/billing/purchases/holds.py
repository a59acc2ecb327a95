"""How much of a purchase's credit disputes hold, by the money that they moved."""

from collections.abc import Mapping, Sequence
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
    def instants(self) -> set[datetime]:
        return {at for each in self._disputes for at, _ in each.moves}

    @property
    def total(self) -> int:
        return sum(self.held.values())

    def change(self, at: datetime, unrefunded: int) -> Mapping[int, int]:
        """Go on to an instant, of which all moves count; return what each dispute takes by that, or
        gives back where it is negative. `unrefunded` is what refunds left by then.
        """
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
