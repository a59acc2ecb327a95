"""How much a meter may give back: no more than it charged.

Who may give credit gives back any amount. Everybody else's corrections of a deployment and resource
lie within what the same source charged them on the same day. It is the day of UTC on which the
correction and the charge start: days that change with an account's zone would let the same charge
be given back twice.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Self

from gateway.billing.book import Book
from gateway.billing.usage.usage_record import UsageRecord
from gateway.store import deployments, usage_events


class _Place(NamedTuple):
    """The charges that a correction may reduce: of one account, day, source, deployment and
    resource.
    """

    account_id: int
    day: datetime
    source: str
    deployment: str | None
    resource: str


class SourceCharges:
    """The net charges of sources on the days of a batch's corrections."""

    def __init__(self) -> None:
        self._nanos: defaultdict[_Place, int] = defaultdict(int)

    @classmethod
    async def read(cls, book: Book, records: Sequence[UsageRecord]) -> Self | None:
        """Return the charges before a batch; None for a batch without corrections.

        Reads the events of those days by their index, each day of an account once.
        """
        places = {_place(each) for each in records if each.amount < 0}
        if not places:
            return None
        charges = cls()
        named = sorted({(each.account_id, each.deployment) for each in places if each.deployment})
        rows = await deployments.by_external_id(book.transaction, named)
        names = {(row["account_id"], row["id"]): row["external_id"] for row in rows}
        found = await usage_events.charged(
            book.transaction,
            {(each.account_id, each.day) for each in places},
            deployment_ids=[0, *(row["id"] for row in rows)],
        )
        for (account_id, day, source, deployment_id, resource), nanos in found.items():
            name = names.get((account_id, deployment_id))
            if name is not None or not deployment_id:
                charges._nanos[_Place(account_id, day, source, name, resource)] = nanos
        return charges

    def allow(self, record: UsageRecord) -> bool:
        """Return whether an event gives back no more than was charged."""
        return record.amount >= 0 or self._nanos[_place(record)] + record.amount >= 0

    def count(self, record: UsageRecord) -> None:
        """Add an event that is booked."""
        self._nanos[_place(record)] += record.amount


def _place(record: UsageRecord) -> _Place:
    day = record.started_at.replace(hour=0, minute=0, second=0, microsecond=0)
    return _Place(record.account_id, day, record.source, record.deployment, record.resource)
