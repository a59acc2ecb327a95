"""What filling a database tells while it runs, and at the end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from gateway.dev.demo.people import Person

Progress: TypeAlias = Callable[[int, int], object]
"""Called with how many steps are done, and how many there are."""


def silent(_done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport:
    """How many usage events are new, and the demo's people with what they may read."""

    events: int
    people: tuple[Person, ...] = ()

    def __str__(self) -> str:
        return f"{self.events:,} new usage events."
