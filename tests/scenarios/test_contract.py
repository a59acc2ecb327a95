"""Every query that clients send answers on both databases, and with equal answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from graphql import print_ast
from pydantic import SecretStr

from gateway.clock import FixedClock
from gateway.dev.demo.cast import ADA
from gateway.dev.demo.fill import fill
from gateway.dev.demo.people import find_people
from gateway.principal import Principal
from gateway.settings import load_settings
from gateway.store import Database, connect
from gateway.store.engine.joined import Joins
from tests.support.contract import declared_by, operations
from tests.support.graph import FALLBACKS, NOW, ask

ONE_MONTH = 35
OPERATIONS = operations()

Answers = dict[tuple[str, str], dict[str, Any]]
"""What each account's operations answer, by its name and theirs."""


@asynccontextmanager
async def demo(url: str) -> AsyncIterator[Database]:
    """Open a database that has told the demo's last weeks."""
    settings = load_settings(database_url=SecretStr(url), statement_timeout_seconds=30)
    database = await connect(settings)
    try:
        await fill(database, clock=FixedClock(NOW), end=NOW, days=ONE_MONTH)
        yield database
    finally:
        await database.close()


async def answers(database: Database) -> Answers:
    """Ask every operation for each of a person's accounts; return the answers by name."""
    (ada,) = [each for each in await find_people(database) if each.subject == ADA]
    today = NOW.date()
    found: Answers = {}
    for account in ada.accounts:
        variables: dict[str, Any] = {
            "account": account.id,
            "interval": "WEEK",
            "from": (today - timedelta(days=ONE_MONTH)).isoformat(),
            "to": today.isoformat(),
            "by": "GPU_MODEL",
            "first": 50,
        }
        purchase = await first_purchase(database, account.id)
        for name, document in OPERATIONS.items():
            given = declared_by(document, variables)
            if name == "CreditPurchaseById":
                given = {"id": purchase or account.id}
            elif name == "Compared":
                # So late that the account was there for as many days before.
                given["from"] = (today - timedelta(days=10)).isoformat()
            left = FALLBACKS.total()
            reply = await ask(database, Principal(subject=ADA), print_ast(document), given)
            assert reply.errors or FALLBACKS.total() == left, f"{name} was left to graphql-core"
            # In one account she is a VIEWER.
            assert {code for _, code, _ in reply.errors} <= {"FORBIDDEN"}
            assert 0 < reply.points <= reply.requested, name
            found[account.name, name] = {"data": reply.data, "errors": reply.errors}
    return found


async def first_purchase(database: Database, account_id: str) -> str | None:
    query = "query ($id: ID!) { account(id: $id) { creditPurchases(first: 1) { nodes { id } } } }"
    reply = await ask(database, Principal(subject=ADA), query, {"id": account_id})
    purchases = reply.data["account"]["creditPurchases"]
    return purchases["nodes"][0]["id"] if purchases and purchases["nodes"] else None


async def test_both_databases_give_equal_answers_to_every_operation(
    postgres_database_url: str, sqlite_database_url: str
) -> None:
    async with demo(postgres_database_url) as postgres, demo(sqlite_database_url) as sqlite:
        postgres._joins = Joins(often=0)  # type: ignore[attr-defined]
        on_postgres, on_sqlite = await answers(postgres), await answers(sqlite)
    assert on_postgres == on_sqlite
    assert {name for _, name in on_postgres} == set(OPERATIONS)
    # The answers say something: the largest account spent, bought and got receipts.
    pages = [
        answer["data"]["account"]
        for (_, name), answer in on_postgres.items()
        if name == "ConsolePage" and not answer["errors"]
    ]
    assert max(len(page["creditPurchases"]["edges"]) for page in pages) > 3
    assert any(bucket["deployments"] > 1 for page in pages for bucket in page["usage"]["buckets"])
    charged = [each["creditPurchases"]["totals"] for each in accounts(on_postgres, "Charged")]
    assert any(totals["charged"] != totals["paid"] for totals in charged)
    assert any(totals["refundedTotal"]["amount"] > "0.00" for totals in charged)
    assert any(each["ledger"]["nodes"] for each in accounts(on_postgres, "Activity"))
    assert any(each["usage"]["comparison"] for each in accounts(on_postgres, "Compared"))


def accounts(answers: Answers, operation: str) -> list[Any]:
    """Return the account in each answer to an operation that has no error."""
    return [
        answer["data"]["account"]
        for (_, name), answer in answers.items()
        if name == operation and not answer["errors"]
    ]
