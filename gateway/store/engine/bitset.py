"""Sets of small non-negative integers: in memory an int, with bit n set for each member n.

Union is `|`, intersection `&`, and the size `int.bit_count`. Stored as bytes:

    offset   LEB128 of one to three bytes: how many zero bytes were cut off below
    bytes    little-endian, without a zero byte at either end

A set with members far apart is cut wherever `_GAP` zero bytes or more follow one another, so that
its length follows its members and not its span:

    mark     three bytes that are no offset
    for each part
      offset   LEB128: zero bytes since the end of the part before
      length   LEB128 of the number of bytes
      bytes    as above

The empty set is no bytes at all. There is one encoding of every set. The limit on members keeps a
few damaged bytes from asking for gigabytes.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import reduce
from itertools import repeat
from operator import or_
from typing import Final, Literal, TypeAlias

MAX_MEMBER: Final = 2**24 - 1
_OFFSET_BYTES: Final = 3
_MOST_BYTES: Final = (MAX_MEMBER + 1) >> 3
_SHORT: Final = 64
_GAP: Final = 64
_SPAN: Final = 4_096
"""Bytes up to which a union is made in one piece, which is quicker than part by part."""
_MARK: Final = b"\x80\x80\x80"
_ZEROS: Final = bytes(_GAP)
_FAR: Final = re.compile(rb"\0{%d,}" % _GAP)
_TOO_GREAT: Final = f"A set's members must be from 0 to {MAX_MEMBER}."
_DAMAGED: Final = "A set's parts must be in order, apart, and within the greatest member."

Part: TypeAlias = tuple[int, bytes]
"""How many zero bytes lie below it, and its bytes."""


def encode(bits: int) -> bytes:
    """Return the stored form of a set. Raises ValueError for a member above MAX_MEMBER."""
    if not bits:
        return b""
    if bits < 0 or bits.bit_length() > MAX_MEMBER + 1:
        raise ValueError(_TOO_GREAT)
    return _encode_parts(_cut(0, bits.to_bytes((bits.bit_length() + 7) >> 3, "little")))


def encode_union(stored: Iterable[bytes], members: Collection[int]) -> bytes:
    """Return the stored form of the union of stored sets and some members. Its cost grows with
    their bytes, not with the span of the members. Raises ValueError for a member above MAX_MEMBER.
    """
    parts = [part for data in stored if data for part in _split(data)]
    if not parts and not members:
        return b""
    ends = [offset + len(body) for offset, body in parts]
    starts = [offset for offset, _ in parts]
    if members:
        starts.append(min(members) >> 3)
        ends.append((max(members) >> 3) + 1)
    base, end = min(starts), max(ends)
    if base < 0 or end > _MOST_BYTES:
        raise ValueError(_TOO_GREAT)
    if end - base <= _SPAN:
        return _encode_parts(_cut(base, _near_union(parts, members, base, end)))
    parts = sorted((*parts, *_of_members(members)))
    return _encode_parts(each for group in _near(parts) for each in _cut(*_merged(group)))


def _near_union(parts: Iterable[Part], members: Iterable[int], base: int, end: int) -> bytes:
    """Return the union as the bytes from one place to another."""
    union = bytearray(end - base)
    for member in members:
        union[(member >> 3) - base] |= 1 << (member & 7)
    bits = int.from_bytes(union, "little")
    for offset, body in parts:
        bits |= int.from_bytes(body, "little") << 8 * (offset - base)
    return bits.to_bytes(end - base, "little")


def _of_members(members: Collection[int]) -> list[Part]:
    """Return members as parts, together where they lie near each other."""
    parts: list[tuple[int, bytearray]] = []
    for member in sorted(members):
        at = member >> 3
        if not parts or at - parts[-1][0] - len(parts[-1][1]) >= _GAP:
            parts.append((at, bytearray()))
        offset, body = parts[-1]
        body.extend(bytes(at - offset - len(body) + 1))
        body[-1] |= 1 << (member & 7)
    return [(offset, bytes(body)) for offset, body in parts]


def _near(parts: Sequence[Part]) -> Iterator[Sequence[Part]]:
    """Yield the ordered parts in groups, cut where they are far apart."""
    group, end = [parts[0]], parts[0][0] + len(parts[0][1])
    for part in parts[1:]:
        if part[0] - end >= _GAP:
            yield group
            group = []
        group.append(part)
        end = max(end, part[0] + len(part[1]))
    yield group


def _merged(group: Sequence[Part]) -> Part:
    if len(group) == 1:
        return group[0]
    base = group[0][0]
    length = max(offset + len(body) for offset, body in group) - base
    shifted = (int.from_bytes(body, "little") << 8 * (offset - base) for offset, body in group)
    return base, reduce(or_, shifted).to_bytes(length, "little")


def _cut(base: int, body: bytes) -> Iterable[Part]:
    """Return the parts of some bytes, without the zero bytes at the ends and between them."""
    if body[0] and body[-1] and (len(body) <= _GAP or _ZEROS not in body):
        return ((base, body),)
    return _cut_parts(base, body)


def _cut_parts(base: int, body: bytes) -> Iterator[Part]:
    start = len(body) - len(body.lstrip(b"\0"))
    end = len(body.rstrip(b"\0"))
    for far in _FAR.finditer(body, start, end):
        yield base + start, body[start : far.start()]
        start = far.end()
    if start < end:
        yield base + start, body[start:end]


def _encode_parts(parts: Iterable[Part]) -> bytes:
    (first, body), *others = parts
    if not others:
        return _encode_varint(first) + body
    data, end = bytearray(_MARK), 0
    for offset, part in ((first, body), *others):
        data += _encode_varint(offset - end) + _encode_varint(len(part)) + part
        end = offset + len(part)
    return bytes(data)


def raised(sets: Sequence[bytes]) -> list[int]:
    """Return each stored set with 8 added to every member, in their order; equal long ones share
    one int. Their unions are as large as those of the sets, and most short ones are stored so.
    """
    if max(map(len, sets), default=0) > _SHORT:
        known = {data: decode(data) << 8 for data in set(sets)}
        return list(map(known.__getitem__, sets))
    # To look for equal ones would cost as much as to decode all.
    order: repeat[Literal["little"]] = repeat("little")
    found = list(map(int.from_bytes, sets, order))
    if not reduce(or_, found, 0) & 0xFF:  # all have an offset of 0, in one byte
        return found
    pairs = zip(found, sets, strict=True)
    return [decode(data) << 8 if number & 0xFF else number for number, data in pairs]


def union(sets: Collection[bytes]) -> int:
    """Return the union of stored sets. A long set that repeats, as an hour's does, is decoded
    once.
    """
    is_short = max(map(len, sets), default=0) <= _SHORT
    return reduce(or_, raised([*sets]), 0) >> 8 if is_short else reduce(or_, map(decode, {*sets}))


def decode(data: bytes) -> int:
    """Return the set that `encode` stored. Raises ValueError where the bytes hold no offset."""
    if not data:
        return 0
    offset = data[0]
    if not offset:
        return int.from_bytes(data[1:], "little")
    if offset < 0x80:
        return int.from_bytes(data[1:], "little") << 8 * offset
    if data.startswith(_MARK):
        return _joined(_parts(data))
    offset, start = _decode_varint(data, 0)
    return int.from_bytes(data[start:], "little") << 8 * offset


def _split(data: bytes) -> Iterable[Part]:
    """Return the parts of a set that is not empty."""
    offset = data[0]
    if offset < 0x80:
        return ((offset, data[1:]),)
    if data.startswith(_MARK):
        return _parts(data)
    offset, start = _decode_varint(data, 0)
    return ((offset, data[start:]),)


def _parts(data: bytes) -> Iterator[Part]:
    """Yield the parts of a set after its mark. Raises ValueError for damaged ones."""
    at, end = len(_MARK), 0
    while at < len(data):
        gap, at = _decode_varint(data, at)
        length, at = _decode_varint(data, at)
        offset = end + gap
        if not length or at + length > len(data) or (end and gap < _GAP):
            raise ValueError(_DAMAGED)
        end = offset + length
        if end > _MOST_BYTES:
            raise ValueError(_DAMAGED)
        yield offset, data[at : at + length]
        at += length


def _joined(parts: Iterable[Part]) -> int:
    body = bytearray()
    for offset, part in parts:
        body.extend(bytes(offset - len(body)))
        body.extend(part)
    return int.from_bytes(body, "little")


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


def _decode_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at a position, and the position after it."""
    number = 0
    for index, byte in enumerate(data[at : at + _OFFSET_BYTES]):
        number |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return number, at + index + 1
    raise ValueError("A set's bytes begin with an offset of one to three bytes.")
