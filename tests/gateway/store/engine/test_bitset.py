"""A set survives its bytes, has one encoding, and takes no more bytes than its span asks for."""

import tracemalloc
from functools import reduce
from operator import or_

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.store.engine.bitset import (
    MAX_MEMBER,
    decode,
    encode,
    encode_union,
    members,
    raised,
    union,
)
from tests.support.bits import from_members

quick = settings(max_examples=200, deadline=None)
sets = st.sets(st.integers(0, 300) | st.integers(0, 20_000) | st.integers(0, 1_000_000))
MARK = b"\x80\x80\x80"


@pytest.mark.parametrize(
    ("those", "data"),
    [
        (set(), b""),
        ({0}, b"\x00\x01"),
        ({0, 1, 7}, b"\x00\x83"),
        ({8}, b"\x01\x01"),
        ({8, 24}, b"\x01\x01\x00\x01"),
        ({127 * 8}, b"\x7f\x01"),
        ({128 * 8}, b"\x80\x01\x01"),
        ({16_384 * 8 + 3}, b"\x80\x80\x01\x08"),
        ({0, 64 * 8}, b"\x00\x01" + bytes(63) + b"\x01"),
        ({0, 65 * 8}, MARK + b"\x00\x01\x01\x40\x01\x01"),
        ({8, 1_000_000}, MARK + b"\x01\x01\x01\xc6\xd0\x07\x01\x01"),
    ],
)
def test_the_stored_form_is_fixed(those: set[int], data: bytes) -> None:
    assert encode(from_members(those)) == data
    assert set(members(decode(data))) == those


@quick
@given(sets)
@example({1_000_000})
def test_a_set_survives_its_bytes(those: set[int]) -> None:
    bits = from_members(those)
    assert decode(encode(bits)) == bits
    assert list(members(bits)) == sorted(those)
    assert bits.bit_count() == len(those)


@quick
@given(st.binary(max_size=12))
def test_a_set_has_one_encoding(data: bytes) -> None:
    try:
        bits = decode(data)
    except ValueError:
        return
    canonical = encode(bits)
    assert decode(canonical) == bits
    assert len(canonical) <= len(data)
    assert (canonical == data) or len(canonical) < len(data)


@quick
@given(sets, sets)
def test_union_and_intersection_are_those_of_sets(left: set[int], right: set[int]) -> None:
    ours, theirs = decode(encode(from_members(left))), decode(encode(from_members(right)))
    assert set(members(ours | theirs)) == left | right
    assert set(members(ours & theirs)) == left & right


@quick
@given(sets.filter(bool))
def test_bytes_are_bounded_by_the_span(those: set[int]) -> None:
    data = encode(from_members(those))
    assert len(data) <= 3 + max(those) // 8 - min(those) // 8 + 1
    assert len(data) <= 3 + 65 * len(those)


@pytest.mark.parametrize(
    "bits", [pytest.param(-1, id="negative"), pytest.param(1 << (MAX_MEMBER + 1), id="too great")]
)
def test_members_beyond_the_limits_are_refused(bits: int) -> None:
    with pytest.raises(ValueError, match="members must be from 0 to 16777215"):
        encode(bits)


def test_the_greatest_member_survives() -> None:
    data = encode(1 << MAX_MEMBER)
    assert data == b"\xff\xff\x7f\x80"
    assert decode(data) == 1 << MAX_MEMBER


@pytest.mark.parametrize("data", [b"\x80", b"\x80\x80", b"\xff\xff\xff\xff\x7f\x01"])
def test_an_offset_that_does_not_end_in_time_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="offset of one to three bytes"):
        decode(data)


@pytest.mark.parametrize(
    "parts",
    [b"\x00", b"\x00\x00", b"\x00\x02\x01", b"\x00\x01\x01\x3f\x01\x01", b"\xff\xff\x7f\x02\1\1"],
    ids=["no length", "empty", "short", "near", "too great"],
)
def test_damaged_parts_are_an_error(parts: bytes) -> None:
    with pytest.raises(ValueError, match=r"must be in order|offset of one to three bytes"):
        decode(MARK + parts)


@given(st.lists(sets, max_size=3), sets)
def test_a_union_with_members_is_that_of_all(parts: list[set[int]], more: set[int]) -> None:
    stored = [encode(from_members(each)) for each in parts]
    assert encode_union(stored, more) == encode(from_members(set().union(more, *parts)))


def test_a_union_makes_nothing_of_what_lies_below() -> None:
    high = MAX_MEMBER - 100
    tracemalloc.start()
    for _ in range(3):
        stored = encode_union([encode_union([], {high})], {high + 90, high + 7})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (decode(stored).bit_count(), peak < 20_000) == (3, True)
    with pytest.raises(ValueError, match="from 0 to"):
        encode_union([stored], {MAX_MEMBER + 1})


def test_a_union_makes_nothing_of_what_lies_between() -> None:
    tracemalloc.start()
    stored = b""
    for step in range(20):
        stored = encode_union([stored], {step, 1_000_000 + step, MAX_MEMBER - step})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (decode(stored).bit_count(), len(stored) < 40, peak < 20_000) == (60, True, True)


@quick
@given(st.lists(sets, max_size=5))
@example([{0}, {8}, set()])
@example([{9}, {9}])
@example([{0, 512}, {0, 512}])
def test_raised_sets_are_counted_as_the_sets_are(several: list[set[int]]) -> None:
    bits = [*map(from_members, several)]
    stored = [*map(encode, bits)]
    assert raised(stored) == [each << 8 for each in bits]
    assert union(stored) == reduce(or_, bits, 0)
