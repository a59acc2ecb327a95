"""Operations take points from their principal, over each transport, and answers say how many."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import connect as connect_socket
from websockets.typing import Subprotocol

from gateway.principal import Principal
from gateway.settings import load_settings
from tests.support import application
from tests.support.application import FixedTokens, Journal
from tests.support.edge import ADA, Listen, connect

MOST = 1_000
STREAM = {"accept": "text/event-stream"}
GRAPHQL = {"accept": "application/graphql-response+json"}
ADMIN = {"authorization": "Bearer admin"}
"""The API key with the id 1."""
IMITATOR = {"authorization": "Bearer imitator"}


class Imitating(FixedTokens):
    """Also knows a person with the subject `key:1`."""

    async def authenticate(self, authorization: str | None) -> Principal:
        if authorization == IMITATOR["authorization"]:
            return Principal(subject="key:1")
        return await super().authenticate(authorization)


@pytest.fixture
def app() -> Starlette:
    settings = load_settings(
        environment="dev", operation_points=MOST, rate_points=MOST, rate_points_per_second=1
    )
    app = application.make_app(settings, authenticator=Imitating())
    app.state.operations.quotas.points._buckets._now = lambda: 1_000.0  # the clock stands
    return app


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(app) as client:
        yield client


def cost_of(payload: Mapping[str, Any]) -> tuple[int | None, int | None, int]:
    """Return what was requested, what was spent, and what is left."""
    cost = payload["extensions"]["cost"]
    status = cost["throttleStatus"]
    assert (status["maximumAvailable"], status["restoreRate"]) == (MOST, 1)
    return cost["requestedQueryCost"], cost["actualQueryCost"], status["currentlyAvailable"]


async def ask(client: httpx.AsyncClient, query: str, **headers: str) -> httpx.Response:
    return await client.post("/graphql", json={"query": query}, headers=headers)


async def test_an_answer_says_what_it_cost_and_what_is_left(client: httpx.AsyncClient) -> None:
    answer = await ask(client, "{ items(first: 50) { number parent { number } } }")
    # The lists of this schema have no declared length: more is spent than was requested.
    assert cost_of(answer.json()) == (2, 100, MOST - 100)
    answer = await ask(client, "{ __typename }")
    assert cost_of(answer.json())[:2] == (1, 1)
    answer = await ask(client, "mutation { touch }")
    assert cost_of(answer.json())[:2] == (1, 1)


async def test_graphql_core_counts_the_same_points(client: httpx.AsyncClient) -> None:
    query = "{ items(first: 50) { number parent { number } } missing crash }"
    answer = await ask(client, query)
    assert answer.json()["errors"]
    assert cost_of(answer.json())[:2] == (2, 100)
    introspection = await ask(client, "{ __schema { types { name fields { name } } } }")
    assert cost_of(introspection.json())[:2] == (1, 1)


async def test_headers_say_the_policy_and_the_points_left(client: httpx.AsyncClient) -> None:
    answer = await ask(client, "{ items(first: 50) { number } }")
    assert answer.headers["ratelimit-policy"] == f'"points";q={MOST};w={MOST}'
    assert answer.headers["ratelimit"] == f'"points";r={MOST - 50};t=51'
    malformed = await client.post("/graphql", content=b"{", headers={"content-type": "text/plain"})
    assert (malformed.status_code, "ratelimit" in malformed.headers) == (415, True)
    unknown = await client.post("/graphql", headers={"authorization": "Bearer wrong"})
    assert (unknown.status_code, "ratelimit" in unknown.headers) == (401, False)


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_an_operation_beyond_the_points_is_429(
    app: Starlette, client: httpx.AsyncClient, journal: Journal, accept: str
) -> None:
    await app.state.operations.quotas.points.take("person:ada", MOST - 1)
    answer = await ask(client, "{ a: items { number } b: items { number } }", accept=accept)
    assert answer.status_code == 429
    assert answer.headers["content-type"].startswith(accept)
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["ratelimit"] == '"points";r=1;t=1'
    assert cost_of(answer.json()) == (2, None, 1)
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "THROTTLED", "retryAfterSeconds": 1}
    assert "2 points; 1 of 1,000 points are left" in error["message"]
    assert "data" not in answer.json()
    assert not journal.contexts
    assert (await ask(client, "{ __typename }")).status_code == 200


async def test_nothing_is_read_without_a_point(app: Starlette, client: httpx.AsyncClient) -> None:
    await app.state.operations.quotas.points.take("person:ada", MOST)
    headers = {"content-type": "application/json", **GRAPHQL}
    answer = await client.post("/graphql", content=b"not JSON", headers=headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert cost_of(answer.json()) == (None, None, 0)
    stream = await client.post("/graphql/stream", json={"query": "{ who }"}, headers=STREAM)
    assert (stream.status_code, stream.headers["retry-after"]) == (429, "1")
    assert cost_of(stream.json()) == (None, None, 0)


@pytest.mark.parametrize("query", ["{ who", "{ nothing }", '{ on(day: "x") }'])
async def test_a_refused_operation_costs_ten_points_at_most(
    client: httpx.AsyncClient, query: str
) -> None:
    answer = await ask(client, query, **GRAPHQL)
    requested, actual, left = cost_of(answer.json())
    assert (answer.status_code, requested) == (400, actual)
    assert 1 <= (actual or 0) <= 10
    assert left == MOST - (actual or 0)


async def test_a_database_that_is_away_costs_one_point(client: httpx.AsyncClient) -> None:
    answer = await ask(client, "{ away items { number } }")
    assert answer.json()["errors"]
    assert cost_of(answer.json())[1] == 1


async def test_a_person_and_a_key_have_points_of_their_own(
    app: Starlette, client: httpx.AsyncClient
) -> None:
    assert (await ask(client, "{ who }", **IMITATOR)).json()["data"] == {"who": "key:1"}
    await app.state.operations.quotas.points.take("person:key:1", MOST - 1)
    refused = await ask(client, "{ who }", **IMITATOR)
    assert refused.status_code == 429
    for other in (ADMIN, ADA):
        assert (await ask(client, "{ who }", **other)).status_code == 200


async def test_streams_say_what_an_operation_cost(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/graphql/stream", json={"query": "{ items(first: 50) { number } }"}, headers=STREAM
    )
    line = next(line for line in answer.text.splitlines() if line.startswith("data: {"))
    assert cost_of(json.loads(line.removeprefix("data: "))) == (1, 50, MOST - 50)
    assert answer.headers["ratelimit"] == f'"points";r={MOST - 50};t=51'


async def test_sockets_say_what_an_operation_cost(app: Starlette, listen: Listen) -> None:
    port = await listen(app)
    uri = f"ws://127.0.0.1:{port}/graphql"
    async with connect_socket(
        uri, subprotocols=[Subprotocol("graphql-transport-ws")], additional_headers=ADA
    ) as socket:
        await socket.send('{"type": "connection_init"}')
        await socket.recv()

        async def hear(query: str) -> Any:
            message = {"id": "1", "type": "subscribe", "payload": {"query": query}}
            await socket.send(json.dumps(message))
            return json.loads(await socket.recv())

        heard = await hear("{ items(first: 50) { number } }")
        assert cost_of(heard["payload"]) == (1, 50, MOST - 50)
        await socket.recv()  # complete
        await app.state.operations.quotas.points.take("person:ada", MOST - 50)
        refused = await hear("{ who }")
        assert refused["type"] == "error"
        (error,) = refused["payload"]
        assert error["extensions"] == {"code": "THROTTLED", "retryAfterSeconds": 1}
