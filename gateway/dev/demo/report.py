"""Reports of filling a database: progress, and the result."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from gateway.dev.demo.people import Person

Progress: TypeAlias = Callable[[int, int], object]
"""Called with how many steps are done, and how many there are."""


def silent(_done: int, _total: int) -> None:
    """Report no progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport:
    """The number of new usage events, and the demo's people with their accounts."""

    events: int
    people: tuple[Person, ...] = ()

    def __str__(self) -> str:
        return f"{self.events:,} new usage events."
