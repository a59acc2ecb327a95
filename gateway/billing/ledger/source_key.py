"""Source keys: the name of the fact behind a ledger entry. Only this module writes and reads them.

A key is text that is unique in its account, so that no fact is booked twice: the kind, its parts
and, of an amending entry, the entry's version, with a colon between them. An amending entry is a
later entry of the same fact, posted because an earlier fact arrived late.

| Kind | Parts |
|---|---|
| `purchase`, `bonus` | the purchase's id |
| `refund` | the refund's id |
| `dispute` | the dispute's id; the instant of its movements, in microseconds since 1970 |
| `bonus-reversal` | the id of the refund or dispute that took the last of the money |
| `usage` | the entry's version |
| `adjustment` | the digest of its request's key |
| `focus` | the id of an imported charge |
| `demo` | a name of the demo's story |

Early ledgers have `dispute-won` and `dispute-release` too.
"""

from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple, Self

from gateway.models.base import microseconds_from_instant


class SourceKind(StrEnum):
    """The kinds of facts behind ledger entries."""

    PURCHASE = "purchase"
    BONUS = "bonus"
    REFUND = "refund"
    DISPUTE = "dispute"
    BONUS_REVERSAL = "bonus-reversal"
    USAGE = "usage"
    ADJUSTMENT = "adjustment"
    IMPORTED_CHARGE = "focus"
    DEMO = "demo"

    @property
    def part_count(self) -> int:
        return 2 if self is SourceKind.DISPUTE else 1


class SourceKey(NamedTuple):
    """A source key. `version` is that of an amending entry, None for a fact's first entry."""

    kind: SourceKind
    parts: tuple[str, ...]
    version: int | None = None

    @classmethod
    def purchase(cls, purchase_id: int) -> Self:
        return cls(SourceKind.PURCHASE, (str(purchase_id),))

    @classmethod
    def bonus(cls, purchase_id: int) -> Self:
        return cls(SourceKind.BONUS, (str(purchase_id),))

    @classmethod
    def refund(cls, refund_id: int) -> Self:
        return cls(SourceKind.REFUND, (str(refund_id),))

    @classmethod
    def dispute(cls, dispute_id: int, moved_at: datetime) -> Self:
        microseconds = microseconds_from_instant(moved_at)
        return cls(SourceKind.DISPUTE, (str(dispute_id), str(microseconds)))

    @classmethod
    def bonus_reversal(cls, taken_by: int) -> Self:
        """Return the key of a bonus that went with a refund or a dispute, by its id."""
        return cls(SourceKind.BONUS_REVERSAL, (str(taken_by),))

    @classmethod
    def usage(cls, version: int) -> Self:
        return cls(SourceKind.USAGE, (str(version),))

    @classmethod
    def adjustment(cls, request_key: str) -> Self:
        """Return the key of an adjustment, from the ASCII idempotency key of its request."""
        digest = blake2b(request_key.encode("ascii"), digest_size=16).hexdigest()
        return cls(SourceKind.ADJUSTMENT, (digest,))

    @classmethod
    def imported_charge(cls, event_id: str) -> Self:
        return cls(SourceKind.IMPORTED_CHARGE, (event_id,))

    @classmethod
    def demo(cls, name: str) -> Self:
        return cls(SourceKind.DEMO, (name,))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a stored key; raises ValueError for any other text."""
        kind_text, *parts = text.split(":")
        kind = SourceKind(kind_text)
        count = kind.part_count
        if not count <= len(parts) <= count + 1 or not all(parts):
            raise ValueError(f"{text!r} is not a source key of the kind {kind}.")
        return cls(kind, tuple(parts[:count]), int(parts[count]) if parts[count:] else None)

    def amended(self, version: int) -> Self:
        """Return the key of the amending entry of this version."""
        return self._replace(version=version)

    def __str__(self) -> str:
        version = () if self.version is None else (str(self.version),)
        return ":".join((self.kind, *self.parts, *version))
