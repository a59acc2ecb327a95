"""Sets of deployments as they are stored."""

from collections.abc import Iterable


def from_members(members: Iterable[int]) -> int:
    """Return the set of non-negative integers, one bit for each."""
    bits = 0
    for member in members:
        bits |= 1 << member
    return bits
