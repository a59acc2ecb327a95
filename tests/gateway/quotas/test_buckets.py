"""A bucket gives its points once, and gets them back with time; memory stays bounded."""

import math

import pytest

from gateway.errors import Throttled
from gateway.quotas import Allowance, MemoryBuckets, PointQuota, RateQuota
from gateway.quotas import buckets as buckets_module

ALLOWANCE = Allowance(most=100, per_second=10)


class Seconds:
    """A clock that stands until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def buckets(clock: Seconds) -> MemoryBuckets:
    return MemoryBuckets(ALLOWANCE, clock)


async def test_a_bucket_gives_its_points_once(buckets: MemoryBuckets) -> None:
    assert [await buckets.take("ada", 40) for _ in range(2)] == [0, 0]
    assert await buckets.take("ada", 40) == pytest.approx(2, abs=0.001)
    assert buckets.left("ada") == pytest.approx(20)  # a refusal takes nothing
    assert await buckets.take("ada", 20) == 0
    assert await buckets.take("bob", 100) == 0


async def test_points_come_back_with_time(buckets: MemoryBuckets, clock: Seconds) -> None:
    await buckets.take("ada", 100)
    wait = await buckets.take("ada", 50)
    clock.now += wait
    assert await buckets.take("ada", 50) == 0
    clock.now += 3_600
    assert buckets.left("ada") == 100  # and no more than a full bucket


async def test_points_given_back_fill_a_bucket_at_most(buckets: MemoryBuckets) -> None:
    await buckets.take("ada", 100)
    await buckets.give("ada", 70)
    assert buckets.left("ada") == pytest.approx(70)
    await buckets.give("ada", 1_000)
    assert buckets.left("ada") == 100


async def test_a_bucket_may_owe(buckets: MemoryBuckets, clock: Seconds) -> None:
    await buckets.take("ada", 100)
    await buckets.give("ada", -50)
    assert buckets.left("ada") == pytest.approx(-50)
    clock.now += 5
    assert await buckets.take("ada", 1) > 0


async def test_full_buckets_take_no_memory(buckets: MemoryBuckets, clock: Seconds) -> None:
    for each in range(1_000):
        clock.now += 0.1  # a point costs 0.1 s, so the one before is full again
        await buckets.take(f"client {each}", 1)
    assert len(buckets) <= 2


async def test_many_keys_take_bounded_memory(
    buckets: MemoryBuckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets_module, "MOST_KEYS", 50)
    for each in range(1_000):
        await buckets.take(f"client {each}", 100)
    assert len(buckets) <= 51
    assert await buckets.take("client 999", 1) > 0


async def test_a_rate_says_when_to_come_back(buckets: MemoryBuckets, clock: Seconds) -> None:
    quota = RateQuota(buckets, "At most {} a minute.")
    for _ in range(100):
        await quota.take("ada")
    with pytest.raises(Throttled, match="a minute") as refused:
        await quota.take("ada")
    assert refused.value.wait_seconds == 1
    assert refused.value.extensions == {"code": "THROTTLED", "retryAfterSeconds": 1}
    clock.now += 1
    await quota.take("ada")


async def test_a_refusal_of_points_says_what_is_left(
    buckets: MemoryBuckets, clock: Seconds
) -> None:
    quota = PointQuota(buckets)
    await quota.take("ada", 70)
    with pytest.raises(Throttled) as refused:
        await quota.take("ada", 65)
    assert refused.value.message == (
        "This costs 65 points; 30 of 100 points are left, and 10 are restored each second. "
        "Try again in 4 s."
    )
    wait = refused.value.wait_seconds
    assert wait == math.ceil(3.5)
    clock.now += wait
    await quota.take("ada", 65)


async def test_unspent_points_are_given_back(buckets: MemoryBuckets) -> None:
    quota = PointQuota(buckets)
    await quota.take("ada", 90)
    await quota.settle("ada", taken=90, spent=15)
    assert quota.left("ada") == 85
    await quota.settle("ada", taken=15, spent=30)
    assert quota.left("ada") == 70


async def test_more_points_than_a_full_bucket_take_all_of_it(buckets: MemoryBuckets) -> None:
    quota = PointQuota(buckets)
    await quota.take("ada", 1_000)
    assert quota.left("ada") == 0


async def test_an_empty_bucket_is_refused_before_any_work(
    buckets: MemoryBuckets, clock: Seconds
) -> None:
    quota = PointQuota(buckets)
    quota.check("ada")
    await quota.take("ada", 99.5)  # type: ignore[arg-type]  # time makes fractions
    with pytest.raises(Throttled) as refused:
        quota.check("ada")
    assert refused.value.wait_seconds == 1
    clock.now += 1
    quota.check("ada")
