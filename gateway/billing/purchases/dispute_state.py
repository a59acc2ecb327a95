"""What a dispute is while a transaction works on it: how it stands, and what it moved."""

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
"""How the names of movements begin that were derived from a dispute's state, before movements were
kept: they count until the provider's own are known.
"""


@dataclass(slots=True, kw_only=True)
class DisputeState(Record):
    """A row of `dispute`, with what it moved by the provider's names: rows of `dispute_movement`.

    `held_nanos` is the credit that it holds.
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
    def name(self) -> tuple[str, str, int]:
        return self.provider or "", self.provider_reference or "", self.id

    def decide(self, state: DisputeStatus, closed_at: datetime) -> None:
        """Take a decision: the latest one counts; of two at the same time the one stated last."""
        if self.closed_at is None or closed_at >= self.closed_at:
            self.state, self.closed_at = state, closed_at

    def move(self, movements: Iterable["DisputeMovement"]) -> None:
        """Add movements, each once by its name."""
        for each in movements:
            self.movements[each.reference] = Movement(each.amount, each.at)
        if any(not name.startswith(MIGRATED) for name in self.movements):
            self.movements |= {
                name: Movement(0, at)
                for name, (_, at) in self.movements.items()
                if name.startswith(MIGRATED)
            }

    def movement_rows(self) -> list[MovementRow]:
        """Return the rows of its movements, in the order of their names."""
        return [
            MovementRow(self.account_id, self.id, name, amount, at)
            for name, (amount, at) in sorted(self.movements.items())
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeMovement:
    """Money that a dispute moved, by the provider's name for the movement: negative where it was
    withdrawn, positive where it came back; nanos of the purchase's currency, with its tax.
    """

    reference: str
    amount: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeFacts:
    """What is known of a dispute. `amount` is the disputed money in nanos, with its tax; a state
    other than OPEN has `closed_at`. `movements` are the known ones; movements recorded earlier
    stay.
    """

    amount: int
    created_at: datetime
    state: DisputeStatus = DisputeStatus.OPEN
    reason: str | None = None
    closed_at: datetime | None = None
    movements: tuple[DisputeMovement, ...] = ()
    provider: str | None = None
    reference: str | None = None
