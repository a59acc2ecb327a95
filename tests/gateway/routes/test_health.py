from collections.abc import Awaitable, Callable

import httpx
import pytest
import structlog

from gateway.errors import ServiceUnavailable
from gateway.settings import load_settings
from tests.support import application
from tests.support.edge import connect


async def fail_politely() -> None:
    raise ServiceUnavailable("The database is away.")


async def fail_rudely() -> None:
    raise RuntimeError(application.SECRET)


async def test_livez_says_ok_and_touches_nothing() -> None:
    async with connect(application.make_app(ready=fail_rudely)) as client:
        answer = await client.get("/livez", headers={"authorization": ""})
    assert (answer.status_code, answer.text) == (200, "ok")
    assert application.journal.contexts == []


async def test_readyz_says_ready(client: httpx.AsyncClient) -> None:
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.text) == (200, "ready")


@pytest.mark.parametrize(
    ("ready", "sentence"),
    [
        (fail_politely, "The database is away."),
        (fail_rudely, "The gateway cannot serve now; the log says why."),
    ],
)
async def test_readyz_says_why_it_is_not(
    ready: Callable[[], Awaitable[None]], sentence: str
) -> None:
    with structlog.testing.capture_logs():
        async with connect(application.make_app(ready=ready)) as client:
            answer = await client.get("/readyz")
    assert (answer.status_code, answer.text) == (503, sentence)


async def test_metrics_count_what_was_asked(client: httpx.AsyncClient) -> None:
    await client.get("/graphql?query={who}")
    await client.get("/graphql?query=query{who}")
    await client.get("/graphql?query={nothing}", headers={"accept": "application/json"})
    await client.get("/secret/path")
    lines = (await client.get("/metrics")).text.splitlines()
    counts = {line for line in lines if line.startswith("gateway_http_requests_total")}
    name = "gateway_http_requests_total"
    assert counts == {
        f'{name}{{operation="query",route="/graphql",status="200"}} 3.0',
        f'{name}{{operation="none",route="other",status="404"}} 1.0',
    }
    assert "gateway_http_requests_in_flight 1.0" in lines
    assert 'gateway_http_request_seconds_count{route="/graphql"} 3.0' in lines


async def test_metrics_count_requests_for_deprecated_fields(client: httpx.AsyncClient) -> None:
    await client.get("/graphql?query={who}")
    for _ in range(2):
        assert (await client.get("/graphql?query={name}")).status_code == 200
    lines = (await client.get("/metrics")).text.splitlines()
    counts = [line for line in lines if line.startswith("gateway_deprecated_fields_total")]
    assert counts == ['gateway_deprecated_fields_total{field="Query.name"} 2.0']


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.0.0.7", {}, 403),
        ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, 403),
        ("127.0.0.1", {"forwarded": "for=127.0.0.1"}, 403),
    ],
)
async def test_without_a_token_metrics_are_for_this_machine(
    peer: str, headers: dict[str, str], status: int
) -> None:
    transport = httpx.ASGITransport(application.make_app(), client=(peer, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/metrics", headers=headers)).status_code == status


async def test_behind_a_trusted_proxy_metrics_need_a_token() -> None:
    settings = load_settings(environment="dev", trusted_proxies="127.0.0.1")
    transport = httpx.ASGITransport(application.make_app(settings), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/metrics")).status_code == 403


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("Bearer sixteen-characters", 200),
        ("Bearer sixteen-character", 403),
        ("sixteen-characters", 403),
        ("", 403),
    ],
)
async def test_with_a_token_metrics_are_for_who_has_it(sent: str, status: int) -> None:
    settings = load_settings(environment="dev", metrics_token="sixteen-characters")
    async with connect(application.make_app(settings)) as client:
        answer = await client.get("/metrics", headers={"authorization": sent})
    assert answer.status_code == status


async def test_two_applications_count_apart(client: httpx.AsyncClient) -> None:
    await client.get("/nowhere")
    async with connect(application.make_app()) as other:
        assert 'route="other"' not in (await other.get("/metrics")).text


async def test_the_lifespan_opens_and_closes_what_runs() -> None:
    app = application.make_app()
    async with app.router.lifespan_context(app):
        assert (application.journal.opened, application.journal.closed) == (1, 0)
    assert (application.journal.opened, application.journal.closed) == (1, 1)
