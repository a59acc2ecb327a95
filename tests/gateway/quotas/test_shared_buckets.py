"""Replicas share buckets in a real Redis; without it each counts by itself, and nobody waits."""

import asyncio
import importlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
from structlog.testing import capture_logs

from gateway.errors import ConfigurationError, Throttled
from gateway.quotas import Allowance, PointQuota, RateQuota, shared_buckets
from gateway.quotas.shared_buckets import RedisStore, SharedBuckets
from gateway.settings import load_settings
from tests.support import application
from tests.support.edge import connect
from tests.support.redis import RedisServer, running_redis

SLOW = Allowance(most=100, per_second=0.001)
"""No point comes back while a test runs."""
QUICK = Allowance(most=100, per_second=1_000)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    """A server that the test may break."""
    with running_redis() as server:
        yield server


@asynccontextmanager
async def store_of(server: RedisServer) -> AsyncIterator[RedisStore]:
    store = RedisStore(server.url)
    yield store
    await store.aclose()


async def test_replicas_share_a_bucket(server: RedisServer) -> None:
    async with store_of(server) as first, store_of(server) as second:
        here, there = (SharedBuckets("shared", SLOW, store) for store in (first, second))
        assert await here.take("ada", 70) == 0
        assert await there.take("ada", 40) == pytest.approx(10_000, abs=5)
        assert there.left("ada") == pytest.approx(30, abs=0.1)  # a refusal says what is left
        assert await there.take("ada", 30) == 0
        assert await here.take("ada", 1) > 0
        await there.give("ada", 25)
        assert await here.take("ada", 20) == 0
        await here.give("ada", -50)  # more was spent than was taken
        assert here.left("ada") == pytest.approx(-45, abs=0.1)
        assert await there.take("ada", 1) == pytest.approx(46_000, abs=5)
        assert await there.take("bob", 100) == 0


async def test_points_come_back_in_redis(server: RedisServer) -> None:
    async with store_of(server) as store:
        buckets = SharedBuckets("restored", QUICK, store)
        assert await buckets.take("ada", 100) == 0
        # On a busy machine they come back while it is asked.
        while not (wait := await buckets.take("ada", 50)):
            pass
        assert wait <= 0.05
        await asyncio.sleep(wait)
        assert await buckets.take("ada", 50) == 0


async def test_full_buckets_take_no_memory_in_redis(server: RedisServer) -> None:
    async with store_of(server) as store:
        buckets = SharedBuckets("gone", QUICK, store)
        await buckets.take("ada", 60)
        await buckets.take("bob", 60)
        await buckets.give("bob", 60)
        client = store._client
        assert await client.exists("gateway:gone:bob") == 0
        remaining = await client.pttl("gateway:gone:ada")
        assert 0 <= remaining <= 60 or await client.exists("gateway:gone:ada") == 0
        await asyncio.sleep(0.07)
        assert await client.exists("gateway:gone:ada") == 0


async def test_quotas_do_not_share_a_key(server: RedisServer) -> None:
    async with store_of(server) as store:
        points = PointQuota(SharedBuckets("names-points", Allowance(most=5, per_second=1), store))
        failures = RateQuota(SharedBuckets("names-failures", SLOW, store), "Too many.")
        await points.take("same", 5)
        await failures.take("same")
        with pytest.raises(Throttled):
            points.check("same")


async def test_each_process_counts_by_itself_while_redis_is_away(
    own_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_buckets, "RETRY_SECONDS", 0.05)
    async with store_of(own_server) as store:
        buckets = SharedBuckets("away", SLOW, store)
        await buckets.take("ada", 60)
        own_server.stop()
        with capture_logs() as lines:
            assert await buckets.take("ada", 30) == 0  # from what Redis said last
            assert await buckets.take("ada", 30) > 0
            await buckets.give("ada", 25)
            assert await buckets.take("ada", 30) == 0
        assert [line["event"] for line in lines] == ["quotas.redis_away"]
        assert store.is_away
        own_server.start()
        await asyncio.sleep(0.06)
        with capture_logs() as lines:
            assert await buckets.take("ada", 100) == 0  # Redis has forgotten everything
        assert [line["event"] for line in lines] == ["quotas.redis_back"]
        assert not store.is_away


async def test_a_frozen_redis_delays_one_request(own_server: RedisServer) -> None:
    async with store_of(own_server) as store:
        buckets = SharedBuckets("frozen", SLOW, store)
        await buckets.take("ada", 1)
        own_server.freeze()
        began = time.monotonic()
        assert await buckets.take("ada", 1) == 0
        assert time.monotonic() - began >= shared_buckets.TIMEOUT_SECONDS * 0.9
        failures = store.failures
        for _ in range(50):
            assert await buckets.take("ada", 1) == 0
        # Not one of them has asked it.
        assert (store.is_away, store.failures) == (True, failures)
        own_server.thaw()


async def test_a_command_that_was_cancelled_leaves_no_answer_behind(
    own_server: RedisServer,
) -> None:
    async with store_of(own_server) as store:
        buckets = SharedBuckets("cancelled", SLOW, store)
        await buckets.take("ada", 1)
        own_server.freeze()
        task = asyncio.create_task(buckets.take("ada", 10))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        own_server.thaw()
        assert await buckets.take("bob", 100) == 0
        assert buckets.left("bob") == pytest.approx(0, abs=0.1)


async def test_two_gateways_share_the_points_of_a_person(server: RedisServer) -> None:
    settings = load_settings(
        environment="dev",
        redis_url=server.url,
        operation_points=100,
        rate_points=100,
        rate_points_per_second=1,
    )
    apps = [application.make_app(settings) for _ in range(2)]
    body = {"query": "{ items(first: 40) { number } }"}

    async def ask(number: int) -> httpx.Response:
        async with connect(apps[number]) as client:
            return await client.post("/graphql", json=body)

    answers = [await ask(number) for number in (0, 1, 0, 1)]
    for app in apps:
        await app.state.operations.quotas.aclose()
    # The third spends more than it requested, which is one point.
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 21
    metrics = apps[0].state.metrics.registry
    assert metrics.get_sample_value("gateway_redis_available") == 1
    assert metrics.get_sample_value("gateway_throttled_total", {"quota": "points"}) == 0


def test_a_missing_client_library_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ConfigurationError, match="install the extra `redis`"):
        RedisStore("unix:///nowhere")


@pytest.mark.parametrize(
    "url", ["localhost:6379", "http://localhost", "redis://", "redis://h:0", "unix://", "redis://["]
)
def test_a_wrong_address_of_redis_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="GATEWAY_REDIS_URL: must be redis://") as refused:
        load_settings(redis_url=url)
    assert url not in refused.value.message.partition("must be")[0]
