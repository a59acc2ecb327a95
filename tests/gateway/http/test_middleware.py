import asyncio

import httpx
import pytest
import structlog
from starlette.types import Message, Receive, Scope, Send

from gateway.server.drain import Drain, DrainMiddleware
from gateway.settings import load_settings
from tests.support import application
from tests.support.edge import connect


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/graphql", "/nowhere", "/graphiql"])
async def test_every_answer_has_the_safe_headers(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-dev-mode"] == "1"
    assert "server" not in headers


async def test_dev_mode_is_named_in_dev_alone(production: httpx.AsyncClient) -> None:
    assert "x-dev-mode" not in (await production.get("/livez")).headers


@pytest.mark.parametrize(
    ("sent", "is_kept"),
    [
        ("abc-DEF_1.2", True),
        ("a" * 64, True),
        ("a" * 65, False),
        ("a b", False),
        ("a\tb", False),
        ("", False),
        ('"', False),
    ],
)
async def test_a_request_id_is_echoed_if_it_is_harmless(
    client: httpx.AsyncClient, sent: str, is_kept: bool
) -> None:
    answer = await client.get("/livez", headers={"x-request-id": sent})
    given = answer.headers["x-request-id"]
    assert (given == sent) is is_kept
    assert is_kept or len(given) == 32


async def test_an_unknown_path_is_told_in_json(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nowhere")
    assert answer.status_code == 404
    assert answer.json() == {
        "errors": [{"message": "Nothing exists at this path.", "extensions": {"code": "NOT_FOUND"}}]
    }


async def test_a_method_that_is_not_served_names_those_that_are(client: httpx.AsyncClient) -> None:
    answer = await client.post("/livez")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({f"x-{n}": "1" for n in range(94)}, 200),
        ({f"x-{n}": "1" for n in range(101)}, 431),
        ({"x-long": "1" * 32_000}, 200),
        ({"x-long": "1" * 32_768}, 431),
    ],
)
async def test_a_long_head_is_refused(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    assert (await client.get("/livez", headers=headers)).status_code == status


async def test_a_long_address_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/livez?" + "x" * 40_000)
    assert answer.status_code == 414


@pytest.mark.parametrize("path", ["/livez%0A", "/v1/accounts/acme%0A", "/a%0Ab", "/%0A"])
async def test_nothing_is_at_a_path_with_a_line_feed(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.put(path)
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["message"] == "Nothing exists at this path."


@pytest.mark.parametrize(
    ("host", "is_served"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:9", True),
        ("LOCALHOST:8000", True),
        ("[::1]:8000", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("evil.example:127.0.0.1", False),
        ("", False),
    ],
)
async def test_dev_answers_by_loopback_names_alone(
    client: httpx.AsyncClient, host: str, is_served: bool
) -> None:
    answer = await client.get("/graphql?query={who}", headers={"host": host})
    assert answer.status_code == (200 if is_served else 400)


async def test_two_hosts_are_refused(client: httpx.AsyncClient) -> None:
    twice = [("host", "127.0.0.1"), ("host", "127.0.0.1")]
    assert (await client.get("/graphql?query={who}", headers=twice)).status_code == 400


async def test_the_log_says_why_a_host_is_refused(client: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as lines:
        answer = await client.get("/graphql", headers={"host": "evil.example"})
    (line,) = lines
    assert (line["status"], line["codes"]) == (400, ["BAD_REQUEST"])
    assert line["reason"] == answer.json()["errors"][0]["message"]
    assert "GATEWAY_PUBLIC_URL" in line["reason"]


async def test_production_answers_by_its_own_names() -> None:
    settings = load_settings(
        public_url="https://billing.example", allowed_hosts=("billing.example", "*.apps.example")
    )
    async with connect(application.make_app(settings)) as client:
        status = {
            host: (await client.get("/graphql?query={who}", headers={"host": host})).status_code
            for host in (
                "billing.example",
                "a.apps.example:443",
                "apps.example",
                "xapps.example",
                "127.0.0.1",
            )
        }
        probe = await client.get("/readyz", headers={"host": "10.0.0.7:8000"})
    assert status == {
        "billing.example": 200,
        "a.apps.example:443": 200,
        "apps.example": 400,
        "xapps.example": 400,
        "127.0.0.1": 400,
    }
    assert probe.status_code == 200


async def test_only_listed_origins_may_read(client: httpx.AsyncClient) -> None:
    async def allowed(origin: str) -> str | None:
        answer = await client.get("/graphql?query={who}", headers={"origin": origin})
        listed: str | None = answer.headers.get("access-control-allow-origin")
        return listed

    assert await allowed("http://localhost:8000") == "http://localhost:8000"
    for evil in ("https://evil.example", "null", "http://localhost:8001"):
        assert await allowed(evil) is None


async def test_a_preflight_is_answered_for_a_listed_origin(client: httpx.AsyncClient) -> None:
    wish = {"access-control-request-method": "POST"}
    listed = await client.options("/graphql", headers=wish | {"origin": "http://localhost:8000"})
    evil = await client.options("/graphql", headers=wish | {"origin": "https://evil.example"})
    assert listed.status_code == 200
    assert "access-control-allow-credentials" not in listed.headers
    assert evil.status_code == 400
    assert "access-control-allow-origin" not in evil.headers


async def test_a_known_clients_headers_pass(client: httpx.AsyncClient) -> None:
    wish = {"access-control-request-method": "POST", "origin": "http://localhost:8000"}
    names = "content-type,apollographql-client-name,apollo-require-preflight,traceparent"
    known = await client.options(
        "/graphql", headers=wish | {"access-control-request-headers": names}
    )
    other = await client.options(
        "/graphql", headers=wish | {"access-control-request-headers": "x-forwarded-for"}
    )
    assert (known.status_code, other.status_code) == (200, 400)


async def test_probes_are_logged_quietly(client: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as lines:
        await client.get("/livez")
        await client.get("/nowhere")
    assert [(line["path"], line["log_level"]) for line in lines] == [
        ("/livez", "debug"),
        ("/nowhere", "info"),
    ]


async def test_what_runs_when_the_time_is_over_gets_a_proper_503() -> None:
    app = application.make_app()
    drain: Drain = app.state.drain
    async with connect(app) as client:
        body = {"query": "{ sleep(seconds: 30) }"}
        running = asyncio.create_task(client.post("/graphql", json=body))
        await application.journal.running.wait()
        drain.begin()
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/graphql?query={who}")).status_code == 200
        drain.expire()
        answers = [await running, await client.get("/graphql?query={who}")]
    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["connection"] == "close"
        assert answer.headers["retry-after"] == "1"
        assert answer.json()["errors"][0]["extensions"] == {"code": "SERVICE_UNAVAILABLE"}
    assert application.journal.cancelled == 1


async def test_an_answer_that_waits_for_its_reader_becomes_a_503() -> None:
    drain = Drain()
    sent: list[int] = []
    stuck = asyncio.Event()

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if not stuck.is_set():
            stuck.set()
            await asyncio.sleep(30)
        if message["type"] == "http.response.start":
            sent.append(message["status"])

    task = asyncio.create_task(DrainMiddleware(answer, drain)({"type": "http"}, receive, send))
    await stuck.wait()
    drain.expire()
    await task
    assert sent == [503]


async def test_an_answer_that_has_begun_breaks_off_rather_than_look_complete() -> None:
    drain = Drain()
    sent: list[str] = []
    began = asyncio.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        began.set()
        await asyncio.sleep(30)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(str(message["type"]))

    app = DrainMiddleware(endless, drain)
    task = asyncio.create_task(app({"type": "http"}, receive, send))
    await began.wait()
    drain.expire()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sent == ["http.response.start"]
    assert drain.requests == set()
