"""Every way of reading, with the application's filter removed: row-level security alone keeps one
account's data from the members and keys of another.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import orjson
import pytest
from pydantic import SecretStr

from gateway.billing.credits.posting import adjust_balance
from gateway.billing.ledger.source_key import SourceKey
from gateway.billing.statements.issuing import issue_next
from gateway.clock import FixedClock
from gateway.ids import KeyFactory, encode_global_id
from gateway.links import DOCUMENTS_PATH, LEDGER_PATH, PURCHASES_PATH, USAGE_PATH
from gateway.migrations import switch_row_security
from gateway.models import RefundStatus
from gateway.principal import Permission, Role
from gateway.settings import load_settings
from gateway.store import connect
from tests.support.books import ACTOR, NOW, Books, usd
from tests.support.facts import day, purchase, refund, save
from tests.support.live import BALANCE, PURCHASES, Client, Gateway, gateway
from tests.support.raw import same_database
from tests.support.row_security import remove_filter
from tests.support.served import issued_key
from tests.support.tables import table_rows

NAME = "Confidential"
"""In every text of the other account but its external id."""
ACCOUNT = """query ($id: ID!, $external: String!) {
  account(id: $id) { ...All }
  other: account(externalId: $external) { ...All }
  viewer { accounts(first: 20) { totalCount nodes { ...All } } }
}
fragment All on Account {
  id name externalId balance { version available { amount } }
  balanceHistory { closing { amount } }
  creditPurchases { totalCount nodes { id description receipt { number } refunds { id } } }
  ledger { nodes { id cause amount { amount } } }
  receipts(first: 3) { nodes { id number } } statements(first: 3) { nodes { id number } }
  documentYears documentsUrl(year: 2026)
  auditEvents { totalCount nodes { id target changes { after } } }
  deployments { nodes { id name } }
  usage { summary { totalSpend { amount } } breakdown(by: PROJECT) { key } }
}"""
EXPORTS = (PURCHASES_PATH, LEDGER_PATH, USAGE_PATH, DOCUMENTS_PATH)
DECEMBER = FixedClock(datetime(2026, 12, 2, tzinfo=UTC))
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"


class Filled(NamedTuple):
    """An account: its key, external id, global ids of its objects, and the numbers of its receipt
    and statement.
    """

    account_id: int
    external_id: str
    ids: Sequence[str]
    receipt: str
    statement: str


@pytest.fixture
async def books(postgres_database_url: str) -> AsyncIterator[Books]:
    database = await connect(load_settings(database_url=SecretStr(postgres_database_url)))
    yield Books(database)
    await database.close()


@pytest.fixture
async def served(
    books: Books, postgres_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Gateway]:
    remove_filter(monkeypatch)
    async with gateway(postgres_database_url, tmp_path) as served:
        yield served


async def fill(books: Books, external_id: str, name: str, owner: str) -> Filled:
    account_id = await books.account(external_id, name=name, members=[(owner, Role.OWNER)])
    bought = purchase(account_id, succeeded_at=day(1), description=name)
    await save(books, account_id, bought, refund("re_1", "1", status=RefundStatus.SUCCEEDED))
    await adjust(books, account_id)
    issued = issue_next(
        books.database, account_id, actor=ACTOR, clock=DECEMBER, keys=KeyFactory(DECEMBER)
    )
    assert await issued
    tables = {
        "CreditPurchase": "credit_purchase",
        "Refund": "refund",
        "Receipt": "receipt",
        "Statement": "statement",
    }
    rows = {
        kind: next(
            row
            for row in await table_rows(books.database, table)
            if row["account_id"] == account_id
        )
        for kind, table in tables.items()
    }
    ids = [encode_global_id(kind, account_id, row["id"]) for kind, row in rows.items()]
    ids += [encode_global_id("Account", account_id), encode_global_id("LedgerRow", account_id, 1)]
    numbers = (rows[kind]["number"] for kind in ("Receipt", "Statement"))
    return Filled(account_id, external_id, ids, *numbers)


async def adjust(books: Books, account_id: int) -> None:
    async with books.open([account_id]) as book:
        source = SourceKey.adjustment(str(books.keys.new()))
        adjust_balance(book, account_id, usd("5"), source=source, occurred_at=NOW)


async def key_of(books: Books, account_id: int) -> dict[str, str]:
    scopes = (Permission.BILLING_READ, Permission.ACCOUNTS_WRITE, Permission.ADMIN)
    key = await issued_key(books.database, *scopes, account_id=account_id)
    return {"authorization": f"Bearer {key.text}"}


async def answers(served: Gateway, headers: dict[str, str], of: Filled) -> dict[str, str]:
    """Return the answer of every way of reading an account by HTTP."""
    account = encode_global_id("Account", of.account_id)
    found: dict[str, str] = {}
    async with httpx.AsyncClient(base_url=served.url, headers=headers, timeout=60) as client:
        for query, variables in (
            (ACCOUNT, {"id": account, "external": of.external_id}),
            (NODES, {"ids": of.ids}),
        ):
            answer = await client.post("/graphql", json={"query": query, "variables": variables})
            found[query] = answer.text
        for path in (
            f"/receipts/{of.receipt}.pdf",
            f"/statements/{of.statement}.pdf",
            *(
                f"{path}?account={of.external_id}{'&year=2026' * (path == DOCUMENTS_PATH)}"
                for path in EXPORTS
            ),
            "/v1/accounts",
            f"/v1/accounts/{of.external_id}",
            f"/v1/accounts/{of.external_id}/members",
            "/v1/audit-events",
        ):
            answer = await client.get(path)
            found[path] = f"{answer.status_code} {answer.content.decode('latin-1')}"
    return found


async def first_message(
    served: Gateway, headers: dict[str, str], query: str, account_id: int
) -> dict[str, Any]:
    """Return the first message of a subscription."""
    async with served.connect() as connection:
        client = Client(connection)
        await client.send({"type": "connection_init", "payload": headers})
        await client.hear()
        await client.subscribe(query, account_id)
        message: dict[str, Any] = await client.hear()
        return message


async def streamed(served: Gateway, headers: dict[str, str], account_id: int) -> str:
    """Return the answer to a subscription over an event stream, which is refused."""
    body = {
        "query": BALANCE,
        "variables": {"account": encode_global_id("Account", account_id)},
    }
    headers = headers | {"accept": "text/event-stream"}
    async with httpx.AsyncClient(base_url=served.url, headers=headers, timeout=60) as client:
        return (await client.post("/graphql/stream", json=body)).text


async def test_no_way_shows_another_account(
    served: Gateway, books: Books, postgres_url: str, postgres_database_url: str
) -> None:
    mine = await fill(books, "acme", "Acme", "ada")
    other = await fill(books, "other", NAME, "bob")
    ada = {"authorization": f"Bearer {served.token('ada')}"}
    key = await key_of(books, mine.account_id)
    for headers in (ada, key):
        own = await answers(served, headers, mine)
        assert "Acme" in own[ACCOUNT]
        assert own[f"/receipts/{mine.receipt}.pdf"].startswith("200 %PDF")
        for way, answer in (await answers(served, headers, other)).items():
            assert NAME not in answer, way
            assert "bob" not in answer, way
            assert "%PDF" not in answer, way
        nodes = (await answers(served, headers, other))[NODES]
        assert orjson.loads(nodes)["data"] == {"nodes": [None] * len(other.ids)}
        for query in (BALANCE, PURCHASES):
            refused = await first_message(served, headers, query, other.account_id)
            assert refused["payload"][0]["extensions"]["code"] == "NOT_FOUND"
        assert "NOT_FOUND" in await streamed(served, headers, other.account_id)
    # The filter is gone: without row-level security the key sees the other account.
    owner_url = same_database(postgres_url, postgres_database_url)
    await switch_row_security(owner_url, on=False)
    seen = await answers(served, key, other)
    for path in (ACCOUNT, f"{PURCHASES_PATH}?account=other", "/v1/accounts", "/v1/accounts/other"):
        assert NAME in seen[path], path
    assert "%PDF" in seen[f"/receipts/{other.receipt}.pdf"]
    told = await first_message(served, key, BALANCE, other.account_id)
    assert told["payload"]["data"]["balanceUpdated"]["version"] > 0


async def test_subscribers_hear_their_own_account_alone(served: Gateway, books: Books) -> None:
    mine, other = await books.account("acme"), await books.account("other", name=NAME)
    key = await key_of(books, mine)
    async with served.connect() as connection:
        client = Client(connection)
        await client.send({"type": "connection_init", "payload": key})
        await client.hear()
        await client.subscribe(BALANCE, mine, "1")
        await client.subscribe(PURCHASES, mine, "2")
        assert (await client.next("1"))["data"]["balanceUpdated"]["cause"] == "SNAPSHOT"
        await served.watched_by(2)
        await adjust(books, other)
        await save(books, other, purchase(other, succeeded_at=day(1), description=NAME))
        await adjust(books, mine)
        heard = await client.next("1")
    assert heard["data"]["balanceUpdated"]["version"] == 1
    assert heard["data"]["balanceUpdated"]["balance"]["available"]["amount"] == "5.00"
