"""What a key holds beyond its quota is refused, and only that."""

import pytest

from gateway.errors import ServiceUnavailable, Throttled
from gateway.principal import Principal
from gateway.quotas import ConcurrencyQuota, Limit

EACH = Limit(2, Throttled, "At most {} each.")
TOTAL = Limit(3, ServiceUnavailable, "At most {} together.")


async def test_a_key_holds_no_more_than_its_limit() -> None:
    quota = ConcurrencyQuota(EACH)
    first, _ = await quota.take("ada"), await quota.take("ada")
    with pytest.raises(Throttled, match="At most 2 each"):
        await quota.take("ada")
    await quota.take("bob")
    first()
    await quota.take("ada")
    assert quota.held() == 3


async def test_all_keys_hold_no_more_than_the_total() -> None:
    quota = ConcurrencyQuota(EACH, TOTAL)
    for key in ("ada", "ada", "bob"):
        await quota.take(key)
    with pytest.raises(ServiceUnavailable, match="At most 3 together"):
        await quota.take("eve")
    with pytest.raises(Throttled):  # a key's own limit says more
        await quota.take("ada")


async def test_what_was_held_is_given_back_after_an_error() -> None:
    quota = ConcurrencyQuota(EACH)

    async def fail() -> None:
        async with quota.holding("ada"):
            assert quota.held() == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert quota.held() == 0


def test_a_person_named_like_a_key_counts_apart() -> None:
    key = Principal(subject="key:abc", key_id="abc")
    person = Principal(subject="key:abc")
    assert key.quota_key != person.quota_key
    assert Principal(subject="key:abc:").quota_key != key.quota_key
