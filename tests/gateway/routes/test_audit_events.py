"""`GET /v1/audit-events`, the events of requests, their export and their end."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.audit.deeds import Act, Deed, record
from gateway.audit.retention import delete_old
from gateway.cli.main import app
from gateway.clock import FixedClock, SystemClock
from gateway.principal import Permission
from gateway.settings.audit import AuditSettings
from gateway.store import Database
from tests.support.audit import written
from tests.support.books import ACTOR, Books
from tests.support.patience import PATIENCE_SECONDS
from tests.support.served import Served, serving
from tests.support.tables import table_rows

PATH = "/v1/audit-events"
ACCOUNT = {"name": "Acme", "currency": "USD"}


@pytest.fixture
async def served(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Served]:
    monkeypatch.setattr("gateway.audit.buffer.WRITE_SECONDS", 0.02)
    async with serving(database, database_url, tmp_path) as served:
        yield served


async def noted(served: Served, deed: str, count: int = 1) -> list[dict[str, Any]]:
    """Return the events of a deed, once there are so many: requests' are written in between."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            rows = await table_rows(served.database, "audit_event")
            found = [row for row in rows if row["deed"] == deed]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.02)


async def test_events_are_listed_newest_first_page_by_page(served: Served) -> None:
    admin = await served.key(Permission.ADMIN)
    books = Books(served.database)
    for name in ("a", "b", "c"):
        await books.account(name)
    seen, after = [], None
    for _ in range(4):
        query = {"limit": "1", "deed": "account.created"} | ({"after": after} if after else {})
        page = (await served.client.get(PATH, params=query, headers=admin)).json()
        seen += [event["target"] for event in page["events"]]
        after = page["next"]
        if after is None:
            break
    assert seen == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("query", "targets"),
    [
        ({"account": "b"}, ["b"]),
        ({"account": "nobody"}, []),
        ({"actor": "test"}, ["b", "a"]),
        ({"actor": "other"}, []),
        ({"result": "FORBIDDEN"}, []),
        ({"requestId": "r"}, []),
        ({"from": "2026-11-23T12:00:00Z"}, ["b", "a"]),
        ({"from": "2026-11-23T12:00:00.001Z"}, []),
        ({"to": "2026-11-23T12:00:00Z"}, []),
    ],
    ids=str,
)
async def test_events_are_filtered(
    served: Served, query: dict[str, str], targets: list[str]
) -> None:
    admin = await served.key(Permission.ADMIN)
    books = Books(served.database)
    for name in ("a", "b"):
        await books.account(name)
    query = {"deed": "account.created"} | query
    answer = await served.client.get(PATH, params=query, headers=admin)
    assert [event["target"] for event in answer.json()["events"]] == targets


@pytest.mark.parametrize(
    ("query", "argument"),
    [
        ({"deed": "nothing"}, "deed"),
        ({"after": "x"}, "after"),
        ({"after": "audit_ffffffffffffffff"}, "after"),
        ({"from": "2026-11-01"}, "from"),
        ({"actor": "\x00"}, "actor"),
        ({"limit": "1001"}, "limit"),
        ({"nothing": "1"}, "nothing"),
    ],
    ids=str,
)
async def test_a_bad_parameter_is_named(
    served: Served, query: dict[str, str], argument: str
) -> None:
    admin = await served.key(Permission.ADMIN)
    answer = await served.client.get(PATH, params=query, headers=admin)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["argument"] == argument


async def test_a_key_of_an_account_lists_its_events_alone(served: Served) -> None:
    books = Books(served.database)
    mine = await books.account("mine")
    await books.account("other")
    key = await served.key(Permission.ADMIN, account_id=mine)
    events = (await served.client.get(PATH, headers=key)).json()["events"]
    assert {event["account"] for event in events} == {"mine"}
    reader = await served.key(Permission.BILLING_READ)
    assert (await served.client.get(PATH, headers=reader)).status_code == 403


async def test_a_refused_write_has_an_event(served: Served) -> None:
    narrow = await served.key(Permission.BILLING_READ)
    headers = narrow | {"x-request-id": "req-1"}
    await served.client.put("/v1/accounts/acme", json=ACCOUNT, headers=headers)
    (event,) = await noted(served, "account.changed")
    assert (event["result"], event["target"]) == ("FORBIDDEN", "/v1/accounts/acme")
    assert (event["actor_kind"], event["request_id"]) == ("API_KEY", "req-1")


async def test_reads_with_a_platform_key_have_one_event_each(served: Served) -> None:
    books = Books(served.database)
    one, two = await books.account("one"), await books.account("two")
    platform = await served.key(Permission.BILLING_READ)
    own = await served.key(Permission.BILLING_READ, account_id=one)
    query = "query Who($id: String!) { account(externalId: $id) { name } }"
    many = "query Many { viewer { accounts { nodes { name } } } }"
    for headers in (platform, own):
        for body in ({"query": query, "variables": {"id": "one"}}, {"query": many}):
            await served.client.post("/graphql", json=body, headers=headers)
        await served.client.get("/v1/accounts/one", headers=headers)
        await served.client.get(
            "/exports/usage", params={"account": "one", "from": "2026-11-01"}, headers=headers
        )
    reads = await noted(served, "data.read", 4)
    assert [(row["target"], row["account_id"], row["details"]) for row in reads] == [
        ("Who", one, None),
        ("Many", None, '{"accounts":2}'),
        ("/v1/accounts/one", one, None),
        ("/exports/usage", one, None),
    ]
    assert {row["actor"] for row in reads} == {reads[0]["actor"]}
    assert two not in {row["account_id"] for row in reads}


async def test_what_is_read_in_vain_has_an_event_with_the_code(served: Served) -> None:
    platform = await served.key(Permission.BILLING_READ)
    await served.client.get("/v1/accounts/nobody", headers=platform)
    (read,) = await noted(served, "data.read")
    assert (read["result"], read["account_id"]) == ("NOT_FOUND", None)


async def test_old_events_are_deleted_reads_first(database: Database) -> None:
    now = SystemClock().now()
    for days in (1, 40, 100):
        clock = FixedClock(now - timedelta(days=days))
        acts = [Act(Deed.DATA_READ, target=f"{days}"), Act(Deed.SELLER_CHANGED, target=f"{days}")]
        async with database.writing(ACTOR) as transaction:
            await record(transaction, ACTOR, acts, clock=clock)
    assert await delete_old(database, now, AuditSettings(days=90, read_days=35)) == 3
    assert {(each.deed, each.target) for each in await written(database)} == {
        ("data.read", "1"),
        ("seller.changed", "1"),
        ("seller.changed", "40"),
    }


def test_the_log_is_exported_as_csv_and_jsonl(
    sqlite_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_DATABASE_URL", sqlite_database_url)
    run = CliRunner().invoke
    run(app, ["account", "create", "acme", "--name", "=Acme", "--owner", "-ada"])
    export = ["export", "audit-events", "--account", "acme", "--format"]
    lines = list(csv.reader(io.StringIO(run(app, [*export, "CSV"]).output.lstrip("\ufeff"))))
    assert lines[0][:2] == ["id", "at"]
    assert [(line[4], line[5], line[6]) for line in lines[1:]] == [
        ("acme", "account.created", "acme"),
        ("acme", "member.added", "'-ada"),
    ]
    rows = [json.loads(line) for line in run(app, [*export, "JSONL"]).output.splitlines()]
    assert [row["target"] for row in rows] == ["acme", "-ada"]
    assert rows[0]["details"]["name"] == "=Acme"
    (only,) = run(app, [*export, "JSONL", "--deed", "member.added"]).output.splitlines()
    assert json.loads(only)["deed"] == "member.added"
