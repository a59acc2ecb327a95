"""Bytes beyond a limit are refused, and given back at the end of each body."""

import pytest

from gateway.errors import ServiceUnavailable
from gateway.quotas.held_bytes import LEAST_BYTES, ByteQuota

UNIT = LEAST_BYTES


def test_a_key_holds_no_more_than_its_share() -> None:
    quota = ByteQuota(each=3 * UNIT, total=4 * UNIT)
    with quota.holding("ada") as first, quota.holding("ada") as second:
        first.grow(2 * UNIT)
        second.grow(UNIT)
        with pytest.raises(ServiceUnavailable):
            second.grow(UNIT + 1)
        with quota.holding("bob") as other:
            other.grow(1)
            assert quota.held == 4 * UNIT
    with quota.holding("ada") as body:
        body.grow(3 * UNIT)
    assert (quota.held, quota.refused) == (0, 1)


def test_all_keys_hold_no_more_than_the_total() -> None:
    quota = ByteQuota(each=3 * UNIT, total=4 * UNIT)
    with quota.holding("ada") as first, quota.holding("bob") as second:
        first.grow(3 * UNIT)
        second.grow(UNIT)
        with quota.holding("cid") as third, pytest.raises(ServiceUnavailable):
            third.grow(0)


def test_a_body_alone_is_never_too_long() -> None:
    quota = ByteQuota(each=UNIT, total=UNIT)
    with quota.holding("ada") as body:
        body.grow(5 * UNIT)
        body.grow(2 * UNIT)
        assert quota.held == 5 * UNIT


def test_many_small_bodies_are_too_many() -> None:
    quota = ByteQuota(each=3 * UNIT, total=4 * UNIT)
    with quota.holding("a") as first, quota.holding("a") as second, quota.holding("a") as third:
        for body in (first, second, third):
            body.grow(0)
        with quota.holding("a") as fourth, pytest.raises(ServiceUnavailable):
            fourth.grow(0)
