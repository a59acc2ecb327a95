"""Chance that repeats: numbers that follow from a seed and a name alone. Integers only."""

from hashlib import blake2b
from zlib import crc32


def number(*name: object) -> int:
    """Return 64 bits that follow from the name's parts."""
    text = "\x1f".join(map(str, name))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def between(low: int, high: int, *name: object) -> int:
    """Return an integer from `low` to `high`, both inclusive."""
    return low + number(*name) % (high - low + 1)


def jitter(key: int, step: int) -> int:
    """Return 0 to 999 for one of many steps: as good as `number` for noise, and ten times faster.

    `key` has 32 bits.
    """
    return (crc32(step.to_bytes(4, "big"), key) >> 8) % 1000


def external_id(*name: object) -> str:
    """Return an id as platforms give them: a 64-bit unsigned number, in decimal."""
    return str(number("external id", *name) | 1 << 63)
