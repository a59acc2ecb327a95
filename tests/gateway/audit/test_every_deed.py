"""Every request and every command that changes something leaves an audit event."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from pydantic import SecretStr
from typer.testing import CliRunner

from gateway.app import create_app
from gateway.cli.main import app
from gateway.cli.resources import operator
from gateway.cli.serve import store_seller
from gateway.clock import SystemClock
from gateway.principal import Permission, Role
from gateway.providers.stripe.inbox import Inbox
from gateway.receipts.seller import Seller, keep_seller
from gateway.routes.openapi.surface import SURFACE
from gateway.settings import Settings, load_settings
from gateway.store import Database, connect
from gateway.work.jobs import Unrecoverable
from tests.gateway.exports.focus.imports.cost_files import write
from tests.support.audit import Written, written
from tests.support.books import ACTOR, Books
from tests.support.jobs import Notes, defer, eventually, worker
from tests.support.served import BASE_URL, issued_key
from tests.support.stripe import SECRET, event, intent, parsed, signed
from tests.support.tables import table_rows

ACCOUNT = {"name": "Acme", "currency": "USD", "members": [{"subject": "ada", "role": "OWNER"}]}
CREDIT = {"account": "acme", "kind": "ADJUSTMENT", "amount": "-5.00", "currency": "USD"}
CORRECTION = {
    "account": "acme",
    "source": "meter",
    "id": "1",
    "resource": "GPU",
    "quantity": "-1",
    "unit": "hour",
    "amount": "-2.50",
    "currency": "USD",
    "correction": True,
    "start": "2026-11-01T00:00:00Z",
    "end": "2026-11-01T01:00:00Z",
}
Send = Callable[[httpx.AsyncClient, dict[str, str]], Awaitable[httpx.Response]]


async def put_account(client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
    return await client.put("/v1/accounts/acme", json=ACCOUNT, headers=headers)


async def post_credits(client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
    await put_account(client, headers)
    return await client.post("/v1/credits", json=CREDIT, headers=headers | {"idempotency-key": "k"})


async def post_usage(client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
    await put_account(client, headers)
    start = SystemClock().now().replace(microsecond=0)
    sent = CORRECTION | {"start": start.isoformat(), "end": start.isoformat()}
    return await client.post("/v1/usage-events", json=[sent], headers=headers)


async def post_stripe(client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
    await put_account(client, headers)
    body = json.dumps(event("payment_intent.succeeded", intent(status="succeeded"), at=62)).encode()
    signature = signed(body, at=SystemClock().now().timestamp())
    return await client.post(
        "/webhooks/stripe", content=body, headers={"stripe-signature": signature}
    )


REQUESTS: dict[str, tuple[Send, str, Written]] = {
    "putAccount": (put_account, "API_KEY", Written("member.added", "ada", {"role": "OWNER"})),
    "postCredits": (
        post_credits,
        "API_KEY",
        Written(
            "balance.adjusted",
            None,
            {"kind": "ADJUSTMENT", "amount": "-5.00", "currency": "USD", "ledgerVersion": 1},
        ),
    ),
    "postUsageEvents": (
        post_usage,
        "API_KEY",
        Written("usage.corrected", None, {"amount": "-2.50", "currency": "USD"}),
    ),
    "postStripeEvent": (
        post_stripe,
        "PROVIDER",
        Written("payment.recorded", "pi_1", {"events": ["payment_intent.succeeded"]}),
    ),
}


def changing() -> Iterator[str]:
    """Yield the ids of the operations that may change something."""
    for operations in SURFACE.values():
        yield from (each.id for each in operations if each.method != "GET")


@pytest.fixture
async def client(database_url: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = load_settings(
        environment="dev",
        database_url=SecretStr(database_url),
        data_dir=tmp_path,
        database_pool_wait_seconds=60,
        stripe_webhook_secrets=SecretStr(SECRET),
    )
    gateway = create_app(settings)
    async with (
        gateway.router.lifespan_context(gateway),
        httpx.AsyncClient(transport=httpx.ASGITransport(gateway), base_url=BASE_URL) as client,
    ):
        yield client


@pytest.mark.parametrize("operation", list(changing()))
async def test_every_changing_request_leaves_an_event(
    client: httpx.AsyncClient, database: Database, operation: str
) -> None:
    send, actor_kind, expected = REQUESTS[operation]
    key = await issued_key(database, Permission.ADMIN)
    answer = await send(client, {"authorization": f"Bearer {key.text}", "x-request-id": "req-1"})
    assert answer.is_success, answer.text
    assert (await written(database))[-1] == expected
    last = (await table_rows(database, "audit_event"))[-1]
    assert last["actor_kind"] == actor_kind
    assert last["account_id"] is not None
    if actor_kind == "API_KEY":
        assert (last["actor"], last["request_id"]) == (key.id, "req-1")


READING = {
    ("account", "list"),
    ("account", "members"),
    ("account", "show"),
    ("api-key", "list"),
    ("doctor",),
    ("export", "audit-events"),
    ("export", "credit-purchases"),
    ("export", "ledger"),
    ("export", "usage"),
    ("jobs", "list"),
    ("openapi",),
    ("schema",),
    ("settings",),
    ("stripe", "parked"),
    ("token",),
}
"""Commands that change nothing in the database."""
OTHERS = {
    ("demo",): "The books of its accounts write their events.",
    ("migrate",): "It changes the schema, and no account's data.",
    ("row-security",): "It changes the policies of tables, as the owner, and no row.",
    ("serve",): "Its seller is tested by itself.",
}
COMMANDS: dict[tuple[str, ...], tuple[tuple[str, ...], str]] = {
    ("account", "create"): (("beta", "--name", "Beta"), "account.created"),
    ("account", "low-balance"): (("acme", "--low-days", "3"), "low_balance.changed"),
    ("account", "put-member"): (("acme", "bob"), "member.added"),
    ("account", "remove-member"): (("acme", "ada"), "member.removed"),
    ("api-key", "create"): (("ops", "--scope", "admin"), "api_key.created"),
    ("api-key", "revoke"): (("{key}",), "api_key.revoked"),
    ("import-focus",): (("{file}",), "usage.imported"),
    ("jobs", "drop"): (("--all",), "job.dropped"),
    ("jobs", "retry"): (("--all",), "job.retried"),
    ("stripe", "backfill"): ((), "payments.read"),
    ("stripe", "ignore"): (("pi_1",), "payment.ignored"),
    ("stripe", "retry"): (("pi_1",), "payment.retried"),
    ("stripe-backfill",): ((), "payments.read"),
}


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every command that does something."""
    inner = getattr(command, "commands", None)  # those of a group, in Typer's own copy of click
    if inner is None:
        yield path
    else:
        for name, each in inner.items():
            yield from commands(each, (*path, name))


def test_every_command_is_known_to_change_or_to_read() -> None:
    known = [*commands(typer.main.get_command(app))]
    assert sorted([*READING, *OTHERS, *COMMANDS]) == sorted(known)


async def prepare(settings: Settings) -> str:
    """Leave an account with a member, a parked payment, a dead job and a key; return its id."""
    database = await connect(settings)
    await Books(database).account("acme", members=[("ada", Role.OWNER)])
    inbox = Inbox(database, SystemClock(), test_mode=True)
    nobodys = intent(status="succeeded", metadata={"account": "nobody"})
    await inbox.take(parsed(event("payment_intent.succeeded", nobodys, at=62)))
    await defer(database, "dead")
    running = worker(database, Notes(failing={"dead": Unrecoverable("No.")}).tasks())
    async with running.running():
        await eventually(lambda: sum(running.finished.values()) == 1)
    key = await issued_key(database, Permission.ADMIN)
    await keep_seller(database, Seller(details='{"name":"Northwind"}'), SystemClock(), actor=ACTOR)
    await database.close()
    return key.id


async def events_of(settings: Settings) -> list[dict[str, Any]]:
    database = await connect(settings)
    rows = await table_rows(database, "audit_event")
    await database.close()
    return rows


def no_payments(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"object": "list", "data": [], "has_more": False})


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_changing_command_leaves_an_event(
    sqlite_database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
) -> None:
    monkeypatch.setenv("GATEWAY_DATABASE_URL", sqlite_database_url)
    monkeypatch.setenv("GATEWAY_STRIPE_API_KEY", "sk_test_1")
    monkeypatch.setenv("GATEWAY_STRIPE_TEST_MODE", "1")
    stripe = partial(httpx.AsyncClient, transport=httpx.MockTransport(no_payments))
    monkeypatch.setattr("gateway.cli.stripe.httpx.AsyncClient", stripe)
    settings = Settings()
    key_id = asyncio.run(prepare(settings))
    before = len(asyncio.run(events_of(settings)))
    arguments, deed = COMMANDS[command]
    given = [each.format(key=key_id, file=write(tmp_path, {})) for each in arguments]
    done = CliRunner().invoke(app, [*command, *given])
    assert done.exit_code == 0 or command == ("stripe", "retry"), done.output
    new = asyncio.run(events_of(settings))[before:]
    assert deed in [each["deed"] for each in new]
    assert {(each["actor_kind"], each["actor"]) for each in new} == {("OPERATOR", operator().name)}


async def test_a_changed_seller_leaves_an_event(database: Database, database_url: str) -> None:
    settings = load_settings(database_url=SecretStr(database_url), seller_name="Southwind")
    await store_seller(settings)
    await store_seller(settings)
    assert await written(database) == [Written("seller.changed", "Southwind", None)]
