from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.http.credentials import address_of
from gateway.principal import Permission
from gateway.store import Database
from tests.support.served import Served, serving

QUERY = {"query": "{ __typename }"}
WRONG = {"authorization": "Bearer gw_dev_wrong"}


@pytest.fixture
async def served(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(database, database_url, tmp_path) as served:
        app: Any = served.client._transport
        # One comes back every three seconds, which a busy machine may take.
        app.app.state.operations.quotas.failures._buckets._now = lambda: 1_000.0
        yield served


async def test_the_twenty_first_wrong_credential_has_to_wait(served: Served) -> None:
    answers = [await served.client.post("/graphql", json=QUERY, headers=WRONG) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [401] * 20 + [429]
    wait = int(answers[-1].headers["retry-after"])
    assert answers[-1].json()["errors"][0]["extensions"] == {
        "code": "THROTTLED",
        "retryAfterSeconds": wait,
    }
    assert 1 <= wait <= 60


async def test_a_good_credential_passes_where_others_failed(served: Served) -> None:
    for _ in range(25):
        await served.client.post("/graphql", json=QUERY, headers=WRONG)
    key = await served.key(Permission.BILLING_READ)
    good = await served.client.post("/graphql", json=QUERY, headers=key)
    bad = await served.client.post("/graphql", json=QUERY, headers=WRONG)
    assert (good.status_code, bad.status_code) == (200, 429)
    assert "data" not in bad.json()


async def test_credentials_of_streams_count_too(served: Served) -> None:
    answers = [
        await served.client.post("/graphql/stream", json=QUERY, headers=WRONG) for _ in range(21)
    ]
    assert [answer.status_code for answer in answers] == [401] * 20 + [429]


async def test_requests_that_are_let_in_or_carry_nothing_do_not_count(served: Served) -> None:
    key = await served.key(Permission.BILLING_READ)
    for _ in range(30):
        await served.client.post("/graphql", json=QUERY)
    answers = [await served.client.post("/graphql", json=QUERY, headers=key) for _ in range(30)]
    assert {answer.status_code for answer in answers} == {200}


async def test_two_credentials_are_one_too_many(served: Served) -> None:
    key = await served.key(Permission.USAGE_WRITE)
    twice = [("authorization", key["authorization"])] * 2
    answers = [
        await served.client.post("/v1/usage-events", json=[], headers=twice),
        await served.client.post("/v1/usage-events?access_token=x", json=[], headers=key),
        await served.client.post("/graphql?access_token=", json=QUERY, headers=key),
        await served.client.post("/graphql/stream?access_token=x", json=QUERY, headers=key),
        await served.client.post("/graphql/stream", json=QUERY, headers=twice),
    ]
    assert [answer.status_code for answer in answers] == [400] * 5
    assert {answer.json()["errors"][0]["extensions"]["code"] for answer in answers} == {
        "BAD_REQUEST"
    }


async def test_an_address_gets_so_many_refusals(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    limits = {"rate_address_refusals": 3, "rate_address_refusals_per_second": 1}
    async with serving(database, database_url, tmp_path, **limits) as served:
        client = served.client
        refused = [
            await client.post("/graphql", json=QUERY),
            await client.get("/v1/accounts"),
            await client.get("/nowhere"),
            await client.post("/graphql", json=QUERY),
        ]
        assert [answer.status_code for answer in refused] == [401, 401, 404, 429]
        (error,) = refused[-1].json()["errors"]
        assert error["extensions"] == {"code": "THROTTLED", "retryAfterSeconds": 1}
        assert refused[-1].headers["retry-after"] == "1"
        key = await served.key(Permission.BILLING_READ)
        assert (await client.post("/graphql", json=QUERY, headers=key)).status_code == 200
        assert (await client.get("/livez")).status_code == 200
        # Failed credentials have a limit of their own.
        assert (await client.post("/graphql", json=QUERY, headers=WRONG)).status_code == 401


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9%eth0", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("/run/gateway.sock", "/run/gateway.sock"),
    ],
)
def test_a_client_counts_by_the_network_that_it_has(host: str, counted: str) -> None:
    assert address_of({"client": (host, 1)}) == counted
