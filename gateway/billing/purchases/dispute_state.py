"""A dispute in a transaction: its row, its state and its movements."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from gateway.billing.purchases.purchase_state import UNSTORED, Record, cells_of
from gateway.models import DisputeStatus
from gateway.store.purchases import DisputeCells, MovementRow


class Movement(NamedTuple):
    """Money that a dispute moved at the provider: negative where it was withdrawn, positive where
    it came back; nanos, with its tax.
    """

    amount: int
    at: datetime


MIGRATED: Final = "migrated:"
"""Prefix of the references of movements that a migration derived from a dispute's state. They count
until the provider's own movements are known.
"""


@dataclass(slots=True, kw_only=True)
class DisputeState(Record):
    """A row of `dispute`, and its movements (rows of `dispute_movement`) by the provider's
    reference. `held_nanos` is the credit that it holds.
    """

    account_id: int
    id: int
    purchase_id: int
    state: str = DisputeStatus.OPEN
    amount_nanos: int
    held_nanos: int = 0
    reason: str | None = None
    provider: str | None = None
    provider_reference: str | None = None
    created_at: datetime
    closed_at: datetime | None = None
    movements: dict[str, Movement] = field(default_factory=dict, metadata=UNSTORED)

    def cells(self) -> DisputeCells:
        return cells_of(self, DisputeCells)

    @property
    def key(self) -> tuple[int, int]:
        return self.account_id, self.id

    @property
    def sort_key(self) -> tuple[str, str, int]:
        return self.provider or "", self.provider_reference or "", self.id

    def decide(self, state: DisputeStatus, closed_at: datetime) -> None:
        """Close the dispute with a decision. The latest decision counts; of two of the same
        instant, the one that is recorded last.
        """
        if self.closed_at is None or closed_at >= self.closed_at:
            self.state, self.closed_at = state, closed_at

    def move(self, movements: Iterable["DisputeMovement"]) -> None:
        """Add movements; a reference counts once. The provider's own replace migrated ones."""
        for each in movements:
            self.movements[each.reference] = Movement(each.amount, each.at)
        if any(not name.startswith(MIGRATED) for name in self.movements):
            self.movements |= {
                name: Movement(0, at)
                for name, (_, at) in self.movements.items()
                if name.startswith(MIGRATED)
            }

    def movement_rows(self) -> list[MovementRow]:
        """Return the rows of its movements, in the order of their references."""
        return [
            MovementRow(self.account_id, self.id, name, amount, at)
            for name, (amount, at) in sorted(self.movements.items())
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeMovement:
    """A movement with the provider's reference for it. `amount` is money with its tax in nanos:
    negative where it was withdrawn, positive where it came back.
    """

    reference: str
    amount: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeFacts:
    """Facts of a dispute. `amount` is the disputed money with its tax, in nanos. A state other than
    OPEN has `closed_at`. `movements` are added to those recorded earlier.
    """

    amount: int
    created_at: datetime
    state: DisputeStatus = DisputeStatus.OPEN
    reason: str | None = None
    closed_at: datetime | None = None
    movements: tuple[DisputeMovement, ...] = ()
    provider: str | None = None
    reference: str | None = None
