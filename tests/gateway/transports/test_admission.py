"""Work beyond the limit is refused before it begins, over each transport."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import connect as connect_socket

from gateway.quotas import OVERLOADED
from gateway.settings import load_settings
from tests.support import application
from tests.support.application import Journal
from tests.support.edge import ADA, Listen, connect, eventually

BUSY = {"query": "{ sleep(seconds: 60) }"}
REFUSAL = {"message": OVERLOADED, "extensions": {"code": "SERVICE_UNAVAILABLE"}}


@pytest.fixture
def app() -> Starlette:
    settings = load_settings(environment="dev", admission_running=1, admission_waiting=0)
    return application.make_app(settings)


@asynccontextmanager
async def busy(app: Starlette, journal: Journal) -> AsyncIterator[httpx.AsyncClient]:
    """Run as many operations as may run at once."""
    async with connect(app) as client:
        running = asyncio.create_task(client.post("/graphql", json=BUSY))
        await journal.running.wait()
        yield client
        running.cancel()
        await asyncio.wait([running])


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_a_request_beyond_the_limit_is_503(
    app: Starlette, journal: Journal, accept: str
) -> None:
    async with busy(app, journal) as client:
        headers = {"accept": accept, "content-type": "application/json"}
        refused = await client.post("/graphql", content=b"not read", headers=headers)
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["content-type"].startswith(accept)
    assert refused.json() == {"errors": [REFUSAL]}


async def test_an_event_stream_beyond_the_limit_is_503(app: Starlette, journal: Journal) -> None:
    async with busy(app, journal) as client:
        stream = {"accept": "text/event-stream"}
        refused = await client.post("/graphql/stream", json={"query": "{ who }"}, headers=stream)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json() == {"errors": [REFUSAL]}


async def test_a_socket_s_operation_beyond_the_limit_is_an_error(
    app: Starlette, journal: Journal, listen: Listen
) -> None:
    address = f"ws://127.0.0.1:{await listen(app)}/graphql"
    subprotocol = "graphql-transport-ws"
    async with (
        busy(app, journal),
        connect_socket(address, subprotocols=[subprotocol], additional_headers=ADA) as socket,  # type: ignore[list-item]  # its type has no runtime form
    ):
        await socket.send('{"type":"connection_init"}')
        assert json.loads(await socket.recv()) == {"type": "connection_ack"}
        message = {"type": "subscribe", "id": "q", "payload": {"query": "{ who }"}}
        await socket.send(json.dumps(message))
        assert json.loads(await socket.recv()) == {
            "id": "q",
            "type": "error",
            "payload": [REFUSAL],
        }


async def test_load_harms_no_probe_and_is_counted(app: Starlette, journal: Journal) -> None:
    async with busy(app, journal) as client:
        await client.post("/graphql", json={"query": "{ who }"})
        assert (await client.get("/readyz")).status_code == 200
        metrics = (await client.get("/metrics")).text
    assert "gateway_reads_running 1.0" in metrics
    assert 'gateway_refused_total{gate="reads",reason="full"} 1.0' in metrics


async def test_a_place_is_free_after_its_operation(app: Starlette, journal: Journal) -> None:
    async with busy(app, journal):
        pass
    await eventually(lambda: journal.cancelled == 1)
    async with connect(app) as client:
        for query in ("{ who }", "{ nothing }", "{ crash }", "{ who }"):
            answer = await client.post("/graphql", json={"query": query})
            assert answer.status_code == 200
