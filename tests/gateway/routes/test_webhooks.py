"""`POST /webhooks/stripe`: what is answered, and that only a signed event is stored."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from gateway.app import create_app
from gateway.clock import SystemClock
from gateway.errors import ServiceUnavailable
from gateway.providers.stripe import inbox, sweep
from gateway.settings import Settings, load_settings
from gateway.store import Database
from tests.support.books import Books, usd
from tests.support.edge import BASE_URL, eventually
from tests.support.invariants import check_books
from tests.support.processes import answering, free_port
from tests.support.stripe import SECRET, charge, event, intent, signed
from tests.support.tables import table_rows

PATH = "/webhooks/stripe"
SUCCEEDED = event("payment_intent.succeeded", intent(status="succeeded"), at=62)
CHARGED = event("charge.succeeded", charge(), at=61)


def message(sent: Any, *, late: int = 0) -> dict[str, Any]:
    """Return a signed request; bytes are signed as they are."""
    body = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    at = SystemClock().now().timestamp() - late
    return {"content": body, "headers": {"stripe-signature": signed(body, at=at)}}


def settings_for(url: str, folder: Path, secrets: str | None = SECRET) -> Settings:
    return load_settings(
        environment="dev",
        database_url=SecretStr(url),
        data_dir=folder,
        # Tests ask more at once than a busy machine answers in the usual time.
        database_pool_wait_seconds=60,
        stripe_webhook_secrets=SecretStr(secrets) if secrets else None,
    )


@pytest.fixture
async def client(database_url: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings_for(database_url, tmp_path))
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client,
    ):
        yield client


async def test_a_signed_event_is_booked_before_it_is_answered(
    client: httpx.AsyncClient, database: Database
) -> None:
    await Books(database).account("acme")
    answer = await client.post(PATH, **message(SUCCEEDED))
    assert (answer.status_code, answer.json()["outcome"]) == (200, "applied")
    answers = await asyncio.gather(*(client.post(PATH, **message(CHARGED)) for _ in range(50)))
    outcomes = sorted(answer.json()["outcome"] for answer in answers)
    assert outcomes == ["applied"] + ["duplicate"] * 49
    assert await check_books(database) == [usd("110")]
    metrics = (await client.get("/metrics")).text
    assert 'gateway_webhook_events_total{outcome="duplicate",provider="stripe"} 49.0' in metrics


async def test_deliveries_are_answered_within_two_seconds(
    client: httpx.AsyncClient, database: Database
) -> None:
    await Books(database).account("acme")
    times = []
    for number in range(20):
        sent = event("customer.created", {"object": "customer"}, at=1, event_id=f"evt_{number}")
        for each in (sent, SUCCEEDED | {"id": f"evt_paid_{number}"}):
            began = time.monotonic()
            assert (await client.post(PATH, **message(each))).status_code == 200
            times.append(time.monotonic() - began)
    assert max(times) < 2


async def test_what_waits_is_counted_until_it_is_applied(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(inbox, "COUNT_SECONDS", 0.05)
    app = create_app(settings_for(database_url, tmp_path))
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client,
    ):
        for sent in (SUCCEEDED, CHARGED):
            assert (await client.post(PATH, **message(sent))).json()["outcome"] == "parked"
        number = "gateway_stripe_parked_payments"
        await eventually(lambda: app.state.metrics.registry.get_sample_value(number) == 1)
        assert f"{number} 1.0" in (await client.get("/metrics")).text
        books = Books(database)
        books.clock.instant = SystemClock().now()
        await books.account("acme")
        await eventually(lambda: app.state.metrics.registry.get_sample_value(number) == 0)
    assert await check_books(database) == [usd("110")]


async def test_numbers_are_read_before_the_first_count(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreachable(_: sweep.Sweep) -> int:
        raise ServiceUnavailable("the database is away")

    monkeypatch.setattr(sweep.Sweep, "changed", unreachable)
    app = create_app(settings_for(database_url, tmp_path))
    async with app.router.lifespan_context(app):
        assert app.state.metrics.registry.get_sample_value("gateway_stripe_parked_payments") == 0


async def test_an_unknown_type_is_recorded_and_answered_200(
    client: httpx.AsyncClient, database: Database
) -> None:
    sent = event("customer.created", {"object": "customer"}, at=1)
    assert (await client.post(PATH, **message(sent))).json()["outcome"] == "ignored"
    (stored,) = await table_rows(database, "webhook_event")
    assert (stored["type"], stored["state"]) == ("customer.created", "IGNORED")


BAD: dict[str, tuple[Callable[[], dict[str, Any]], int]] = {
    "no signature": (lambda: {"headers": {}}, 400),
    "another's": (lambda: {"headers": {"stripe-signature": "t=1,v1=00"}}, 400),
    "a test scheme alone": (
        lambda: {"headers": {"stripe-signature": f"t={int(time.time())},v0=00"}},
        400,
    ),
    "another body": (lambda: {"content": b"{}"}, 400),
    "too late": (lambda: message(CHARGED, late=310), 400),
    "too early": (lambda: message(CHARGED, late=-3600), 400),
    "no event": (lambda: message({"id": "evt_1"}), 400),
    "a list": (lambda: message([]), 400),
    "a key twice": (lambda: message(b'{"id": "evt_2", ' + json.dumps(CHARGED).encode()[1:]), 400),
    "no JSON": (lambda: message(b"{"), 400),
    "no UTF-8": (lambda: message(b'{"id": "\xff"}'), 400),
    "NUL in its id": (lambda: message(CHARGED | {"id": "evt_\x00"}), 400),
    "a long id": (lambda: message(CHARGED | {"id": "e" * 256}), 400),
    "no time": (lambda: message(CHARGED | {"created": "yesterday"}), 400),
    "no object": (lambda: message(CHARGED | {"data": {"object": []}}), 400),
    "too long": (lambda: {"content": b" " * (512 * 1024 + 1)}, 413),
}


@pytest.mark.parametrize("name", BAD)
async def test_anything_else_is_refused_and_nothing_is_stored(
    client: httpx.AsyncClient, database: Database, name: str
) -> None:
    change, status = BAD[name]
    answer = await client.post(PATH, **(message(CHARGED) | change()))
    assert answer.status_code == status
    assert answer.json()["errors"][0]["message"]
    assert await table_rows(database, "webhook_event") == []


async def test_without_a_secret_the_setting_is_named(
    sqlite_database_url: str, tmp_path: Path
) -> None:
    app = create_app(settings_for(sqlite_database_url, tmp_path, secrets=None))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE_URL) as client:
        answer = await client.post(PATH, **message(CHARGED))
    assert answer.status_code == 404
    assert "GATEWAY_STRIPE_WEBHOOK_SECRETS is not set" in answer.json()["errors"][0]["message"]


async def test_a_database_that_is_away_has_it_sent_again(
    sqlite_database_url: str, tmp_path: Path
) -> None:
    app = create_app(settings_for(sqlite_database_url, tmp_path))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE_URL) as client:
        assert (await client.post(PATH, **message(CHARGED))).status_code == 503


async def test_a_delivery_after_a_kill_before_the_answer_has_no_second_effect(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    books = Books(database)
    await books.account("acme")
    port = free_port()
    env = os.environ | {
        "GATEWAY_ENVIRONMENT": "dev",
        "GATEWAY_PORT": str(port),
        "GATEWAY_DATABASE_URL": database_url,
        "GATEWAY_DATA_DIR": str(tmp_path),
        "GATEWAY_STRIPE_WEBHOOK_SECRETS": SECRET,
    }
    url = f"http://127.0.0.1:{port}"
    for dies in (True, False):
        command = [sys.executable, "-m", "tests.support.webhook_process"]
        process = await asyncio.create_subprocess_exec(
            *command, *(["die"] if dies else []), env=env
        )
        try:
            async with httpx.AsyncClient(base_url=url, timeout=30) as client:
                await answering(f"{url}/livez", process)
                if dies:
                    assert (await client.post(PATH, **message(SUCCEEDED))).status_code == 200
                    with pytest.raises(httpx.HTTPError):
                        await client.post(PATH, **message(CHARGED))
                    assert await process.wait() == -signal.SIGKILL
                else:
                    answer = await client.post(PATH, **message(CHARGED))
                    assert answer.json()["outcome"] == "duplicate"
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        assert await check_books(database) == [usd("110")]
