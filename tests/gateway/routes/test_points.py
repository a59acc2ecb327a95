"""Requests to the platform's endpoints take points from their key."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from gateway.principal import Permission
from gateway.quotas import PointQuota
from gateway.store import Database
from tests.support.served import Served, serving

MOST = 100
ACCOUNTS = "/v1/accounts"
USAGE = "/v1/usage-events"


@pytest.fixture
async def served(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    settings = {"operation_points": MOST, "rate_points": MOST, "rate_points_per_second": 1}
    async with serving(database, database_url, tmp_path, **settings) as served:
        points_of(served)._buckets._now = lambda: 1_000.0  # type: ignore[attr-defined]
        yield served


def points_of(served: Served) -> PointQuota:
    transport = served.client._transport
    assert isinstance(transport, httpx.ASGITransport)
    points: PointQuota = transport.app.state.operations.quotas.points  # type: ignore[attr-defined]
    return points


def left(answer: httpx.Response) -> str:
    assert answer.headers["ratelimit-policy"] == f'"points";q={MOST};w={MOST}'
    return answer.headers["ratelimit"]


async def test_each_request_takes_a_point(served: Served) -> None:
    reader = await served.key(Permission.BILLING_READ)
    answers = [await served.client.get(ACCOUNTS, headers=reader) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [left(answer) for answer in answers] == ['"points";r=99;t=2', '"points";r=98;t=3']
    refused = await served.client.put(f"{ACCOUNTS}/acme", headers=reader, json={})
    assert (refused.status_code, left(refused)) == (403, '"points";r=97;t=4')
    other = await served.key(Permission.BILLING_READ)
    assert left(await served.client.get(ACCOUNTS, headers=other)) == '"points";r=99;t=2'


async def test_a_hundred_usage_events_take_a_point_more(served: Served) -> None:
    meter = await served.key(Permission.USAGE_WRITE)
    for events, points in ((99, 99), (100, 97), (350, 93)):
        answer = await served.client.post(USAGE, headers=meter, json=[{}] * events)
        assert answer.status_code == 200
        assert left(answer).startswith(f'"points";r={points};')


async def test_without_a_point_nothing_is_read(served: Served) -> None:
    meter = await served.key(Permission.USAGE_WRITE)
    await served.client.post(USAGE, headers=meter, json=[{}] * 9_800)
    headers = meter | {"content-type": "application/json"}
    last = await served.client.post(USAGE, headers=headers, content=b"not JSON")
    assert (last.status_code, left(last)) == (400, '"points";r=0;t=101')
    answer = await served.client.post(USAGE, headers=headers, content=b"not JSON")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert left(answer) == '"points";r=0;t=1'
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "THROTTLED", "retryAfterSeconds": 1}
    assert "extensions" not in answer.json()


async def test_a_batch_beyond_the_points_is_refused_whole(served: Served) -> None:
    meter = await served.key(Permission.USAGE_WRITE)
    assert (await served.client.post(USAGE, headers=meter, json=[{}] * 5_000)).status_code == 200
    answer = await served.client.post(USAGE, headers=meter, json=[{}] * 6_000)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "12")
    assert "rejected" not in answer.json()
    smaller = await served.client.post(USAGE, headers=meter, json=[{}] * 4_000)
    assert smaller.status_code == 200
