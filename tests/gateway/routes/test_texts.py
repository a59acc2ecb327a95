"""No text that the API takes may hold NUL or a code point that is no character."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from gateway.principal import Permission
from gateway.store import Database
from tests.support.books import Books
from tests.support.described import Document, Request
from tests.support.served import Served, serving

BAD: Final = ("\x00", "\uffff", "\x1b", "\ufdd0")
SCOPES: Final = [scope for scope in Permission if scope is not Permission.ADMIN]
QUERY: Final = """query (
  $id: ID!, $externalId: String!, $filter: CreditPurchaseFilter, $after: String
) {
  one: account(id: $id) { id }
  other: account(externalId: $externalId) { id }
  mine: account(externalId: "acme") {
    searched: creditPurchases(filter: $filter) { totalCount }
    paged: creditPurchases(after: $after) { totalCount }
  }
}"""


@pytest.fixture
async def served(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    await Books(database).account("acme")
    async with serving(database, database_url, tmp_path) as place:
        yield place


def changed(body: Any, bad: str) -> Iterator[Any]:
    """Yield the body once for each of its texts, with the bad one in that place."""
    if isinstance(body, str):
        yield body[:1] + bad + body[1:]
    elif isinstance(body, dict):
        for name, value in body.items():
            yield from (body | {name: each} for each in changed(value, bad))
    elif isinstance(body, list):
        for index, value in enumerate(body):
            for each in changed(value, bad):
                yield [*body[:index], each, *body[index + 1 :]]


def bodies(document: Document) -> Iterator[Request]:
    """Yield the examples with a body of JSON."""
    for request in document.examples():
        if isinstance(request.body, dict | list) and request.path.startswith("/v1"):
            yield request


def refuses(request: Request, answer: httpx.Response) -> bool:
    """Say whether a request was refused; a batch lists the item."""
    if isinstance(request.body, list) and answer.status_code == 200:
        return len(answer.json()["rejected"]) >= 1
    return answer.status_code == 400


async def test_bad_characters_are_refused_in_every_text_of_a_body(served: Served) -> None:
    document = Document((await served.client.get("/openapi.json")).json())
    headers = await served.key(*SCOPES) | {"idempotency-key": "k"}
    accepted, sent = [], 0
    for request in bodies(document):
        for bad in BAD:
            for body in changed(request.body, bad):
                answer = await served.client.request(
                    request.method, request.path, json=body, headers=headers
                )
                sent += 1
                if not refuses(request, answer):
                    accepted.append((request.operation, answer.status_code, body))
    assert accepted == []
    assert sent > 100


async def test_bad_characters_in_arguments_are_no_failure(served: Served) -> None:
    headers = await served.key(Permission.BILLING_READ)
    for bad in BAD:
        text = f"a{bad}"
        texts = {"id": text, "externalId": text, "after": text, "filter": {"search": text}}
        body = {"query": QUERY, "variables": texts}
        answer = await served.client.post("/graphql", json=body, headers=headers)
        codes = {each["path"][-1]: each["extensions"]["code"] for each in answer.json()["errors"]}
        assert codes == {
            "one": "NOT_FOUND",
            "other": "NOT_FOUND",
            "searched": "BAD_USER_INPUT",
            "paged": "BAD_CURSOR",
        }
