"""The events of a subscription: what a field of the schema gives to its feed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionEvent:
    """One event, with the `revision` and `key` of its `Update`.

    The operation is executed with `root` as its root value.
    """

    revision: int
    key: int
    root: Any


class EventSource(Protocol):
    """The events of one subscription field on one account; `context` is made for each call.

    `viewer` is the principal of the reads, one for all subscribers with the same role.
    Both methods raise NotFound if the account no longer exists.
    """

    @property
    def account_id(self) -> int: ...

    @property
    def viewer(self) -> Principal: ...

    async def first(self, context: Any) -> tuple[int, SubscriptionEvent | None]:
        """Return the account's revision, and the first event of a new subscriber."""
        ...

    async def since(self, context: Any, revision: int) -> tuple[int, Sequence[SubscriptionEvent]]:
        """Return the account's revision, and the events after `revision`, oldest first."""
        ...
