"""Sets of small non-negative integers: in memory an int, with bit n set for each member n.

Union is `|`, intersection `&`, and the size `int.bit_count`. Stored as bytes:

    offset   LEB128 of one to three bytes: how many zero bytes were cut off below
    bytes    little-endian, without a zero byte at either end

The empty set is no bytes at all. There is one encoding of every set. The limit on members keeps a
few damaged bytes from asking for gigabytes.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache, reduce
from operator import or_
from typing import Final

MAX_MEMBER: Final = 2**24 - 1
_OFFSET_BYTES: Final = 3
_SHORT: Final = 64


def encode(bits: int) -> bytes:
    """Return the stored form of a set. Raises ValueError for a member above MAX_MEMBER."""
    return _encode_from(0, bits)


def encode_union(stored: Iterable[bytes], members: Collection[int]) -> bytes:
    """Return the stored form of the union of stored sets and some members. Its cost does not
    grow with the least member. Raises ValueError for a member above MAX_MEMBER.
    """
    parts = [_split(data) for data in stored if data]
    if members:
        first = min(members) >> 3
        body = bytearray((max(members) >> 3) - first + 1)
        for member in members:
            body[(member >> 3) - first] |= 1 << (member & 7)
        parts.append((first, int.from_bytes(body, "little")))
    if not parts:
        return b""
    base = min(offset for offset, _ in parts)
    return _encode_from(base, reduce(or_, (bits << 8 * (at - base) for at, bits in parts)))


def _encode_from(base: int, bits: int) -> bytes:
    """Return the stored form of a set. The first of `bits` stands for the member 8 times `base`."""
    if not bits:
        return b""
    if bits < 0 or bits.bit_length() + 8 * base > MAX_MEMBER + 1:
        raise ValueError(f"A set's members must be from 0 to {MAX_MEMBER}.")
    empty = ((bits & -bits).bit_length() - 1) >> 3
    body = (bits >> 8 * empty).to_bytes(((bits.bit_length() + 7) >> 3) - empty, "little")
    offset = base + empty
    if offset < 0x80:
        return bytes((offset,)) + body
    return _encode_varint(offset) + body


def decode(data: bytes) -> int:
    """Return the set that `encode` stored. Raises ValueError where the bytes hold no offset."""
    return _decode_short(data) if len(data) <= _SHORT else _decode(data)


def decoded(sets: Sequence[bytes]) -> list[int]:
    """Return the set of each stored form, in their order; equal ones share one int."""
    distinct = set(sets)
    known = dict(zip(distinct, _decode_all(distinct), strict=True))
    return list(map(known.__getitem__, sets))


def union(sets: Iterable[bytes]) -> int:
    """Return the union of stored sets. A set that repeats, as an hour's does, is decoded once."""
    return reduce(or_, _decode_all(set(sets)), 0)


def _decode_all(sets: Collection[bytes]) -> Iterator[int]:
    is_short = max(map(len, sets), default=0) <= _SHORT
    return map(_decode_short if is_short else _decode, sets)


def _decode(data: bytes) -> int:
    if not data:
        return 0
    offset = data[0]
    if not offset:
        return int.from_bytes(data[1:], "little")
    if offset < 0x80:
        return int.from_bytes(data[1:], "little") << 8 * offset
    offset, length = _decode_varint(data)
    return int.from_bytes(data[length:], "little") << 8 * offset


def _split(data: bytes) -> tuple[int, int]:
    """Return the offset of a set that is not empty, and the bits from there on."""
    offset = data[0]
    if offset < 0x80:
        return offset, int.from_bytes(data[1:], "little")
    offset, length = _decode_varint(data)
    return offset, int.from_bytes(data[length:], "little")


# An account's days often have the same set.
_decode_short: Final = lru_cache(maxsize=8_192)(_decode)


def members(bits: int) -> Iterator[int]:
    """Yield the members of a set in ascending order."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _encode_varint(number: int) -> bytes:
    groups = bytearray()
    while number >= 0x80:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def _decode_varint(data: bytes) -> tuple[int, int]:
    number = 0
    for index, byte in enumerate(data[:_OFFSET_BYTES]):
        number |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return number, index + 1
    raise ValueError("A set's bytes begin with an offset of one to three bytes.")
