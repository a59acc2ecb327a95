"""How many exports may run at once: in this process, and of one account."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gateway.errors import ServiceUnavailable, Throttled


@dataclass(slots=True, kw_only=True)
class ExportPlaces:
    """The exports that run, by account."""

    limit: int
    account_limit: int
    running: Counter[int] = field(default_factory=Counter)

    @contextmanager
    def take(self, account_id: int) -> Iterator[None]:
        """Hold a place; raises Throttled or ServiceUnavailable where there is none."""
        if self.running[account_id] >= self.account_limit:
            raise Throttled(
                f"At most {self.account_limit} exports of an account may run at once; "
                "wait for one to end."
            )
        if self.running.total() >= self.limit:
            raise ServiceUnavailable("As many exports run here as may; please try again.")
        self.running[account_id] += 1
        try:
            yield
        finally:
            self.running -= Counter({account_id: 1})
