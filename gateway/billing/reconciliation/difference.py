"""The differences that a reconciliation finds."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One stored figure that differs from the facts; amounts and quantities in nanos.

    `place` names its row within the account. None stands for what is missing, or should not be.
    """

    account: str
    what: str
    place: str | None
    expected: object
    found: object

    def __str__(self) -> str:
        where = self.what if self.place is None else f"{self.what} ({self.place})"
        found, expected = (
            "nothing" if value is None else value for value in (self.found, self.expected)
        )
        return f"{self.account}: {where}: {found} is stored, {expected} follows from the facts"


class Found(NamedTuple):
    """A difference within its account: the figure, its place, what follows from the facts and what
    is stored.
    """

    what: str
    place: str
    expected: object
    found: object
