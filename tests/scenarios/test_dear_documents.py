"""The dearest documents that a client may send are refused, or leave the event loop to others."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
import pytest
import pytest_asyncio
from graphql import get_introspection_query
from pydantic import SecretStr

from gateway.ids import encode_global_id
from gateway.settings import load_settings
from gateway.store import connect
from tests.support.contract import CONTRACT
from tests.support.live import Gateway, gateway
from tests.support.rows import purchase, put, refund
from tests.support.turns import least_longest
from tests.support.usage_rows import Event, Facts, insert_facts

LONGEST_SECONDS: Final = 0.05
NOW: Final = datetime(2026, 11, 29, 12, tzinfo=UTC)
ACCOUNTS: Final = 100
DAYS: Final = 40
IDS: Final = [encode_global_id("Account", 1 + n) for n in range(ACCOUNTS)]
REFUSED: Final = "QUERY_TOO_COMPLEX"
BUCKET: Final = """start end opening { amount currency } purchased { amount currency }
    bonus { amount } refunded { amount } spent { amount } adjusted { amount } closing { amount }"""
YEARS: Final = 'interval: DAY, from: "2023-12-01", to: "2026-11-30"'
SCHEMAS: Final = " ".join(f"a{n}: __schema {{ ...Schema }}" for n in range(3))


LONG_TEXT: Final = '"' + "x" * 2_000 + '"'


class Dear(NamedTuple):
    """A document with its variables, and the code that refuses it; None if it runs."""

    query: str
    variables: Mapping[str, Any] = {}
    code: str | None = None


def repeated(count: int, field: str) -> str:
    return " ".join(f"a{n}: {field}" for n in range(count))


DOCUMENTS: Final = {
    "balance histories of one account, a hundred times": Dear(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Account { "
        f"{repeated(4, f'balanceHistory({YEARS}) {{ {BUCKET} }}')} }} }} }}",
        {"ids": IDS[:1] * 100},
        REFUSED,
    ),
    "pages in pages in pages": Dear(
        """{ viewer { accounts(first: 100) { nodes { creditPurchases(first: 20) { nodes {
        account { creditPurchases(first: 20) { nodes { id } } } } } } } } }""",
        {},
        REFUSED,
    ),
    "balance histories up to the limit": Dear(
        "query ($id: ID!) { account(id: $id) { "
        f"{repeated(8, f'balanceHistory({YEARS}) {{ {BUCKET} }}')} }} }}",
        {"id": IDS[0]},
    ),
    "usage by day up to the limit": Dear(
        "query ($id: ID!) { account(id: $id) { "
        + repeated(
            8,
            f"usage({YEARS}) {{ buckets {{ start end partial deployments"
            " spend { amount currency } cumulativeSpend { amount } } }",
        )
        + " } }",
        {"id": IDS[0]},
    ),
    "unusual days and a forecast of three years": Dear(
        f"query ($id: ID!) {{ account(id: $id) {{ usage({YEARS}) {{ forecast {{ status }}"
        " buckets { start unusual { low { amount } high { amount } } } } } }",
        {"id": IDS[0]},
    ),
    "series of three years by day": Dear(
        f"query ($id: ID!) {{ account(id: $id) {{ usage({YEARS}) {{ "
        "series(by: DEPLOYMENT, first: 25) { key points { spend { amount } } } } } }",
        {"id": IDS[0]},
    ),
    "breakdowns of a year": Dear(
        'query ($id: ID!) { account(id: $id) { usage(from: "2025-12-01", to: "2026-11-29") { '
        + repeated(29, "breakdown(by: DEPLOYMENT, first: 100) { key spend { amount } share }")
        + " } } }",
        {"id": IDS[0]},
    ),
    "everything of thirty accounts": Dear(
        """{ viewer { accounts(first: 30) { totalCount edges { cursor node { id name createdAt
        firstDay balance { available { amount } burnRate { amount } runway { status earliest } }
        creditPurchases(first: 20) { totalCount totals { paid { amount } charged { amount } }
        pageInfo { hasNextPage endCursor } edges { cursor node { id createdAt status description
        amount { amount } tax { amount } charged { amount } paymentMethod { displayName }
        receipt { number downloadUrl } refunds { id amount { amount } receipt { number } } } } }
        ledger(first: 5) { nodes { id cause amount { amount } } } deployments(first: 5) {
        nodes { id spend { amount } } } usage { summary { totalSpend { amount }
        averageDailySpend { amount } } comparison { to } buckets { start } } } } } } }""",
    ),
    "a hundred accounts, a year each": Dear(
        (CONTRACT / "page.graphql").read_text("utf-8"),
        {"first": 100, "from": "2025-12-01", "to": "2026-11-29"},
    ),
    "a hundred ids": Dear(
        """query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Account { name
        balance { available { amount } } creditPurchases(first: 20) { nodes { id description
        amount { amount currency } refunds { id } } } } } }""",
        {"ids": IDS},
    ),
    "introspection three times": Dear(
        get_introspection_query()
        .replace("{\n  __schema {", f"{{ {SCHEMAS} }} fragment Schema on __Schema {{")
        .replace("  }\n}", "}", 1),
    ),
    "fragments in fragments": Dear(
        "{ viewer { accounts(first: 100) { nodes { ...F0 } } } }"
        + "".join(
            f" fragment F{n} on Account {{ id ...F{n + 1} ... {{ ...F{n + 1} }} }}"
            for n in range(60)
        )
        + " fragment F60 on Account { name }",
        {},
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "overlapping fields": Dear(
        "{ viewer { accounts { nodes { "
        + "creditPurchases(first: 20) { nodes { amount { amount } } } " * 80
        + "} } } }",
        {},
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "long texts": Dear(
        "{ " + repeated(29, f"account(externalId: {LONG_TEXT}) {{ id }}") + " }",
        {},
        "NOT_FOUND",
    ),
    "many values in variables": Dear(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["x"] * 90_000}, REFUSED
    ),
    "many unknown fields of a value": Dear(
        '{ account(id: "x") { creditPurchases(filter: { '
        + " ".join(f"f{n}: 1" for n in range(450))
        + " }) { totalCount } } }",
        {},
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "an error that graphql-core answers": Dear(
        "query ($id: ID!) { "
        + repeated(
            8,
            f"account(id: $id) {{ usage {{ breakdown(by: DEPLOYMENT, first: 0) {{ key }} }}"
            f" balanceHistory({YEARS}) {{ {BUCKET} }} }}",
        )
        + " }",
        {"id": IDS[0]},
        "BAD_USER_INPUT",
    ),
}


async def fill(url: str) -> None:
    database = await connect(load_settings(database_url=SecretStr(url)))
    events = [
        Event(at=NOW - timedelta(days=day), nanos=10**9 + day, deployment=day % 5)
        for day in range(DAYS)
    ]
    members = {"ada": "OWNER"}
    await insert_facts(
        database,
        *(Facts(account_id=1 + n, members=members, events=events) for n in range(ACCOUNTS)),
    )
    await put(
        database,
        *(
            purchase(1 + n, id_, description="x" * 100)
            for n in range(ACCOUNTS)
            for id_ in range(1, 21)
        ),
        *(refund(1 + n, id_, id_) for n in range(ACCOUNTS) for id_ in range(1, 4)),
    )
    await database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(f"{request.param}_database_url")
    return found


@pytest_asyncio.fixture
async def served(url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    await fill(url)
    async with gateway(url, tmp_path) as gateway_:
        yield gateway_


async def post(served: Gateway, body: bytes) -> bytes:
    """Return the answer's body; no work of a client's library counts as the server's."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(
        b"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n"
        b"content-type: application/json\r\nauthorization: Bearer %s\r\n"
        b"content-length: %d\r\n\r\n%s" % (served.token("ada").encode(), len(body), body)
    )
    parts: list[bytes] = []
    while part := await reader.read(2**18):
        parts.append(part)
    writer.close()
    return b"".join(parts).partition(b"\r\n\r\n")[2]


async def longest_beside(served: Gateway, *bodies: bytes) -> tuple[list[Any], float]:
    """Return the answers, and the longest work of the process between two turns of its loop."""
    answers: list[bytes] = []

    async def send() -> None:
        answers[:] = await asyncio.gather(*(post(served, body) for body in bodies))

    longest = await least_longest(send, LONGEST_SECONDS)
    return [*map(orjson.loads, answers)], longest


async def test_no_document_makes_others_wait(served: Gateway) -> None:
    await post(served, orjson.dumps({"query": "{ viewer { id } }"}))
    longest: dict[str, float] = {}
    for name, dear in DOCUMENTS.items():
        operation = "ManyAccounts" if "ManyAccounts" in dear.query else None
        body = orjson.dumps(
            {"query": dear.query, "variables": dear.variables, "operationName": operation}
        )
        (answer,), longest[name] = await longest_beside(served, body)
        codes = {each["extensions"]["code"] for each in answer.get("errors", [])}
        assert codes == ({dear.code} if dear.code else set()), (name, answer["errors"][0])
    print("", *(f"{seconds * 1000:6.1f} ms  {name}" for name, seconds in longest.items()), sep="\n")
    assert max(longest.values()) <= LONGEST_SECONDS, longest


async def test_documents_that_come_together_are_read_in_turns(served: Gateway) -> None:
    query = "{ " + " ".join(f"f{n}" for n in range(1_200)) + " }"
    bodies = [orjson.dumps({"query": f"{query} # {n}"}) for n in range(6)]
    answers, longest = await longest_beside(served, *bodies)
    assert all(answer["errors"] for answer in answers)
    assert longest <= LONGEST_SECONDS
