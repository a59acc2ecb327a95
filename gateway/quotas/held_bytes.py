"""Limits on the bytes of request bodies that are read, or wait, at once."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from gateway.errors import ServiceUnavailable
from gateway.settings.http import HttpSettings

LEAST_BYTES: Final = 65_536
"""Counted for each body, however small: so much the server reads ahead."""
_PRINCIPAL_SHARE: Final = 0.75
_WEBHOOK_SHARE: Final = 0.25
_ADDRESS_SHARE: Final = 0.25

TOO_MANY_BYTES: Final = "The server is receiving its maximum of bytes; please try again."


class HeldBytes:
    """The bytes of one body."""

    __slots__ = ("_key", "_quota", "bytes")

    def __init__(self, quota: "ByteQuota", key: str) -> None:
        self._quota = quota
        self._key = key
        self.bytes = 0

    def grow(self, size: int) -> None:
        """Hold `size` bytes in all. Raises ServiceUnavailable for more than a limit."""
        more = max(size, LEAST_BYTES) - self.bytes
        if more > 0:
            self._quota.take(self._key, more)
            self.bytes += more


class ByteQuota:
    """A limit on the bytes held at once: by each key, and by all keys together. The first body of a
    key is never beyond the key's limit, nor the only one of all beyond theirs.
    """

    def __init__(self, *, each: int, total: int) -> None:
        self._each = each
        self._total = total
        self._held: Counter[str] = Counter()
        self._bodies: Counter[str] = Counter()
        self._count = 0
        self.held = 0
        """Bytes that are held, by all keys together."""
        self.refused = 0

    @contextmanager
    def holding(self, key: str) -> Iterator[HeldBytes]:
        """Hold a body, of no bytes yet, while entered."""
        body = HeldBytes(self, key)
        self._bodies[key] += 1
        self._count += 1
        try:
            yield body
        finally:
            self.held -= body.bytes
            self._held[key] -= body.bytes
            self._bodies[key] -= 1
            self._count -= 1
            if not self._bodies[key]:
                del self._held[key], self._bodies[key]

    def take(self, key: str, more: int) -> None:
        """Hold `more` bytes. Raises ServiceUnavailable for more than a limit."""
        is_over = (self._held[key] + more > self._each and self._bodies[key] > 1) or (
            self.held + more > self._total and self._count > 1
        )
        if is_over:
            self.refused += 1
            raise ServiceUnavailable(TOO_MANY_BYTES)
        self._held[key] += more
        self.held += more


def body_quota(limits: HttpSettings) -> ByteQuota:
    """Return the quota of bodies of one process, by principal."""
    total = limits.bodies_bytes
    return ByteQuota(each=int(total * _PRINCIPAL_SHARE), total=total)


def webhook_body_quota(limits: HttpSettings) -> ByteQuota:
    """Return the quota of webhooks' bodies of one process, by client address: a signature is only
    checked when the whole body has come.
    """
    total = int(limits.bodies_bytes * _WEBHOOK_SHARE)
    return ByteQuota(each=int(total * _ADDRESS_SHARE), total=total)
