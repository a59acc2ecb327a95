"""A fault of the database shows no SQL, driver, path or class in any answer; the log has it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.principal import Permission
from gateway.store import Database
from tests.support.books import Books
from tests.support.days import LATELY
from tests.support.raw import execute, same_database
from tests.support.served import Served, serving

INNER = re.compile(
    r"(?i:select |insert |update |sql|asyncpg|no such|relation|traceback|\.py\b|/tmp|errno)"
    r"|[a-z]Error\b|[a-z]Exception\b"
)
USAGE = {
    "account": "acme",
    "source": "meter",
    "id": "1",
    "resource": "GPU",
    "quantity": "1",
    "unit": "hour",
    "amount": "1",
    "currency": "USD",
    "start": LATELY,
    "end": LATELY,
}
CREDIT = {"account": "acme", "kind": "COUPON", "amount": "1", "currency": "USD"}
QUERY = """
{ account(externalId: "acme") {
    balance { available { amount } } creditPurchases { totalCount } ledger { totalCount }
} }
"""
REQUESTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "graphql": ("POST", "/graphql", {"json": {"query": QUERY}}),
    "graphql by GET": ("GET", "/graphql", {"params": {"query": QUERY}}),
    "event stream": ("POST", "/graphql/stream", {"json": {"query": QUERY}}),
    "account": ("PUT", "/v1/accounts/new", {"json": {"name": "New", "currency": "USD"}}),
    "credits": ("POST", "/v1/credits", {"json": CREDIT}),
    "usage": ("POST", "/v1/usage-events", {"json": [USAGE]}),
    "export": ("GET", "/exports/credit-purchases", {"params": {"account": "acme"}}),
    "ledger": ("GET", "/exports/ledger", {"params": {"account": "acme"}}),
}
BROKEN = ("credit_purchase", "ledger_entry", "ledger_day", "account_member")


@pytest.fixture
async def broken(
    request: pytest.FixtureRequest, database: Database, database_url: str, tmp_path: Path
) -> AsyncIterator[Served]:
    """A gateway whose database lost tables after it started."""
    await Books(database).account("acme")
    owner = database_url
    if not owner.startswith("sqlite"):
        owner = same_database(request.getfixturevalue("postgres_template"), database_url)
    async with serving(database, database_url, tmp_path) as served:
        for table in BROKEN:
            await execute(owner, f"ALTER TABLE {table} RENAME TO gone_{table}")
        yield served
        for table in BROKEN:
            await execute(owner, f"ALTER TABLE gone_{table} RENAME TO {table}")


async def test_no_answer_shows_what_is_inside(broken: Served) -> None:
    key = await broken.key(Permission.ADMIN)
    faults = 0
    for name, (method, path, options) in REQUESTS.items():
        headers = key | {"idempotency-key": "k"}
        with capture_logs() as lines:
            answer = await broken.client.request(method, path, headers=headers, **options)
        assert INNER.search(answer.text) is None, (name, answer.text)
        if "INTERNAL_SERVER_ERROR" not in answer.text:
            continue
        faults += 1
        request_id = answer.headers["x-request-id"]
        assert request_id in answer.text, name
        causes = [line for line in lines if line["event"] == "unexpected"]
        assert {line["request_id"] for line in causes} == {request_id}, name
        assert all(line["exc_info"] is not None for line in causes)
    assert faults >= 6


def test_the_pattern_finds_what_is_inside() -> None:
    texts = ["no such table: x", 'relation "x" does not exist', "SELECT 1", "a/b.py", "TypeError"]
    for text in texts:
        assert INNER.search(text), text
