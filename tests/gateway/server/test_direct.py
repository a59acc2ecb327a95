"""The direct route answers as the middleware does, and gives up nothing on the way."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from gateway.http.compression import ANSWER
from tests.support import application
from tests.support.edge import ADA, connect, journal

__all__ = ["journal"]

ORIGIN = "http://localhost:8000"
LARGE = "{ __schema { types { name fields { name type { name ofType { name } } } } } }"
CHANGING = frozenset({"content-length", "ratelimit", "x-request-id"})
POINTS = re.compile(rb'"throttleStatus":\{.*?\}')
BAD = {"authorization": "Bearer nobody"}

REQUESTS: Mapping[str, dict[str, Any]] = {
    "query": {"json": {"query": "{ who }"}},
    "query in the address": {"method": "GET", "params": {"query": "{ who }"}},
    "honest media type": {
        "json": {"query": "{ nothing }"},
        "headers": ADA | {"accept": "application/graphql-response+json"},
    },
    "partial failure": {"json": {"query": "{ who missing }"}},
    "database away": {"json": {"query": "{ away }"}},
    "no JSON": {"content": b"{", "headers": ADA | {"content-type": "application/json"}},
    "other media type": {"content": b"{}", "headers": ADA | {"content-type": "text/plain"}},
    "nothing acceptable": {"json": {"query": "{ who }"}, "headers": ADA | {"accept": "text/html"}},
    "no credential": {"json": {"query": "{ who }"}, "headers": {"authorization": None}},
    "wrong credential": {"json": {"query": "{ who }"}, "headers": BAD},
    "credential in the address": {"json": {"query": "{ who }"}, "params": {"access_token": "x"}},
    "listed origin": {"json": {"query": "{ who }"}, "headers": ADA | {"origin": ORIGIN}},
    "other origin": {
        "json": {"query": "{ who }"},
        "headers": ADA | {"origin": "https://a.example"},
    },
    "refused, listed origin": {"json": {"query": "{ who }"}, "headers": BAD | {"origin": ORIGIN}},
    "other host": {"json": {"query": "{ who }"}, "headers": ADA | {"host": "evil.example"}},
    "long head": {"json": {"query": "{ who }"}, "headers": ADA | {"x-long": "1" * 40_000}},
    "long body": {
        "content": b"1" * 2_000_000,
        "headers": ADA | {"content-type": "application/json"},
    },
    "large answer": {"json": {"query": LARGE}, "headers": ADA | {"accept-encoding": "identity"}},
    "compressed": {"json": {"query": LARGE}, "headers": ADA | {"accept-encoding": "gzip"}},
    "compressed, listed origin": {
        "json": {"query": LARGE},
        "headers": ADA | {"accept-encoding": "br", "origin": ORIGIN},
    },
    "mutation in the address": {"method": "GET", "params": {"query": "mutation { touch }"}},
    "harmless request id": {"json": {"query": "{ who }"}, "headers": ADA | {"x-request-id": "r1"}},
}


async def ask(client: httpx.AsyncClient, request: Mapping[str, Any]) -> httpx.Response:
    arguments = {"method": "POST", "headers": ADA, **request}
    headers = {name: value for name, value in arguments["headers"].items() if value is not None}
    client.headers.pop("authorization", None)
    return await client.request(url="/graphql", **arguments | {"headers": headers})


def comparable(answer: httpx.Response, line: Mapping[str, Any]) -> object:
    """Return all of an answer and of its line in the log that does not differ by chance, or with
    the points that are left.
    """
    headers = [pair for pair in answer.headers.items() if pair[0] not in CHANGING]
    vary = sorted(answer.headers.get("vary", "").lower().replace(" ", "").split(","))
    line = {name: value for name, value in line.items() if name != "milliseconds"}
    others = sorted(pair for pair in headers if pair[0] != "vary")
    return answer.status_code, others, vary, POINTS.sub(b"", answer.content), line


@pytest.mark.parametrize("name", REQUESTS)
async def test_the_direct_route_answers_as_the_middleware(name: str) -> None:
    app = application.make_app()
    buckets = app.state.operations.quotas.points._buckets
    buckets._now = lambda: 1_000.0

    async def ordinary(scope: Scope, receive: Receive, send: Send) -> None:
        await Starlette.__call__(app, scope, receive, send)

    answers = []
    for way in (app, ordinary):
        buckets._full_at.clear()
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(way), base_url="http://127.0.0.1:8000"
        ) as client:
            with structlog.testing.capture_logs() as lines:
                answer = await ask(client, REQUESTS[name])
            (line,) = (each for each in lines if each["event"] == "request")
            answers.append(comparable(answer, line))
            assert answer.headers["x-request-id"]
    assert answers[0] == answers[1]


async def test_an_unexpected_failure_is_masked_with_the_safe_headers() -> None:
    async with connect(application.make_app()) as client:
        answer = await client.post(
            "/graphql", json={"query": "{ who }"}, headers={"authorization": "Bearer broken"}
        )
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] in answer.json()["errors"][0]["message"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert application.SECRET not in answer.text


async def receive_query() -> Message:
    return {"type": "http.request", "body": b'{"query": "{ who }"}', "more_body": False}


def query_scope(**extensions: Any) -> dict[str, Any]:
    headers = [
        (b"host", b"127.0.0.1"),
        (b"authorization", b"Bearer ada"),
        (b"content-type", b"application/json"),
    ]
    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b""}
    return scope | {"headers": headers, "extensions": extensions}


async def test_a_stop_before_the_answer_is_written_gets_a_503() -> None:
    app = application.make_app()
    answers: list[int] = []
    stuck = asyncio.Event()

    async def answer(status: int, headers: Any, body: bytes) -> None:
        answers.append(status)
        if not stuck.is_set():  # the client reads nothing, and then reads again
            stuck.set()
            await asyncio.sleep(30)

    async def send(_message: Message) -> None:
        raise AssertionError

    whole = {"send": answer, "has_begun": lambda: False}
    task = asyncio.create_task(app(query_scope(**{ANSWER: whole}), receive_query, send))
    await stuck.wait()
    app.state.drain.expire()
    await task
    assert answers == [200, 503]
    assert app.state.drain.requests == set()


async def test_a_stop_breaks_off_an_answer_that_is_not_read() -> None:
    app = application.make_app()
    sent: list[str] = []
    stuck = asyncio.Event()

    async def send(message: Message) -> None:
        sent.append(message["type"])
        if message["type"] == "http.response.body":
            stuck.set()
            await asyncio.sleep(30)

    task = asyncio.create_task(app(query_scope(), receive_query, send))
    await stuck.wait()
    app.state.drain.expire()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sent == ["http.response.start", "http.response.body"]
    assert app.state.drain.requests == set()
