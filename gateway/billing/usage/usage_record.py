"""A metered charge as it is booked."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

import orjson


class UsageRecord(NamedTuple):
    """One metered charge, checked and normalised; amounts and quantities in nanos.

    A `_text` is what arrived where rounding changed it. `deployment` is the meter's name for it.
    """

    account_id: int
    source: str
    event_id: str
    deployment: str | None
    resource: str
    unit: str
    quantity: int
    quantity_text: str | None
    amount: int
    amount_text: str | None
    correction: bool
    provider: str | None
    gpu_model: str | None
    region: str | None
    service: str | None
    sku: str | None
    started_at: datetime
    ended_at: datetime
    project: str | None = None

    @property
    def fingerprint(self) -> bytes:
        """16 bytes that two events share only if they say the same."""
        stated = _stated(self)
        try:
            content = orjson.dumps(stated)
        except TypeError:
            # A quantity beyond 64 bits, which orjson refuses; no other field is a number then.
            content = orjson.dumps((*stated[:6], str(self.quantity), *stated[7:]))
        return blake2b(content, digest_size=16).digest()


def _stated(record: UsageRecord) -> tuple[object, ...]:
    """Return the cells that a fingerprint is made of. One that names no project has those of the
    time before there were projects, so that it stays the same event.
    """
    return record[:-1] if record.project is None else tuple(record)


def fingerprints(records: Sequence[UsageRecord]) -> list[bytes]:
    """Return the records' fingerprints."""
    dumps = orjson.dumps
    try:
        return [blake2b(dumps(_stated(each)), digest_size=16).digest() for each in records]
    except TypeError:
        return [each.fingerprint for each in records]


DeploymentName = tuple[int, str]
"""account, the meter's name for the deployment"""
