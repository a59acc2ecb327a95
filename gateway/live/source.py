"""Where a subscription's events come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something to tell subscribers; `position` and `key` are those of its `Update`.

    `root` is what the operation is executed on.
    """

    position: int
    key: int
    root: Any


class Source(Protocol):
    """The events of one subscription field on one account; `context` is made for each call.

    `viewer` is in whose place the events are read: one principal for all who have the same role.
    Both raise NotFound where the account is gone.
    """

    @property
    def account_id(self) -> int: ...

    @property
    def viewer(self) -> Principal: ...

    async def snapshot(self, context: Any) -> tuple[int, Event | None]:
        """Return the account's revision, and the event that a new subscriber gets first."""
        ...

    async def since(self, context: Any, position: int) -> tuple[int, Sequence[Event]]:
        """Return the account's revision, and what happened after another, the oldest first."""
        ...
