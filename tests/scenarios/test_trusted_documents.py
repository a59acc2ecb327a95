"""Operations that are sent as the hash of their document: by POST, GET, WebSocket and stream."""

import json
from collections.abc import AsyncIterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.ids import encode_global_id
from gateway.principal import Role
from gateway.store import Database, accounts
from tests.support.books import ACTOR, NOW, Books
from tests.support.live import Gateway, gateway

VIEWER = "query Viewer { viewer { accounts(first: 1) { nodes { name } } } }"
BALANCE = "subscription Live($account: ID!) { balanceUpdated(accountId: $account) { version } }"
OTHER = "{ viewer { __typename } }"
NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
FOUND = {"data": {"viewer": {"accounts": {"nodes": [{"name": "Acme"}]}}}}


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def persisted(text: str) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hashed(text)}}}


@pytest.fixture
async def account(database: Database) -> str:
    """The global id of an account that Ada owns."""
    key = await Books(database).account("acme")
    async with database.writing(ACTOR) as transaction:
        await accounts.put_member(transaction, [key], "ada", Role.OWNER, NOW)
    return encode_global_id("Account", key)


@pytest.fixture(params=[False, True], ids=["open", "only"])
async def served(
    database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Gateway]:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({hashed(text): text for text in (VIEWER, BALANCE)}))
    only = {"trusted_documents": manifest, "trusted_only": request.param}
    async with gateway(database_url, tmp_path / "data", **only) as served:
        yield served


async def ask(served: Gateway, path: str, method: str, body: Mapping[str, Any]) -> httpx.Response:
    headers = {"Authorization": f"Bearer {served.token('ada')}"}
    async with httpx.AsyncClient(base_url=served.url, headers=headers) as client:
        if method == "POST":
            return await client.post(path, json=body)
        texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in body.items()}
        return await client.get(path, params=texts)


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_hash_stands_for_its_document(served: Gateway, account: str, method: str) -> None:
    del account
    for body in ({"documentId": hashed(VIEWER)}, persisted(VIEWER), {"query": VIEWER}):
        answer = await ask(served, "/graphql", method, body)
        assert answer.json()["data"] == FOUND["data"]
        stream = await ask(served, "/graphql/stream", method, body)
        data = json.dumps(FOUND).replace(" ", "").removesuffix("}")
        assert stream.text.startswith(f"event: next\ndata: {data}")


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("path", ["/graphql", "/graphql/stream"])
async def test_an_unknown_hash_is_not_found(served: Gateway, path: str, method: str) -> None:
    for body in ({"documentId": hashed(OTHER)}, persisted(OTHER)):
        answer = await ask(served, path, method, body)
        assert answer.json()["errors"] == [
            {"message": "PersistedQueryNotFound", "extensions": {"code": NOT_FOUND}}
        ]
        assert answer.status_code == (200 if path == "/graphql" else 400)


async def test_a_subscription_starts_by_its_hash(served: Gateway, account: str) -> None:
    async with served.socket() as client:
        for number, name in enumerate(({"documentId": hashed(BALANCE)}, persisted(BALANCE))):
            payload = {**name, "variables": {"account": account}}
            await client.send({"type": "subscribe", "id": str(number), "payload": payload})
            told = await client.next(str(number))
            assert told == {"data": {"balanceUpdated": {"version": 0}}}


async def test_clients_make_documents_known_unless_only_trusted_ones_are_served(
    served: Gateway,
) -> None:
    first = await ask(served, "/graphql", "POST", {"query": OTHER} | persisted(OTHER))
    again = await ask(served, "/graphql", "GET", persisted(OTHER))
    if not served.settings.documents.trusted_only:
        for answer in (first, again):
            assert answer.json()["data"] == {"viewer": {"__typename": "Viewer"}}
        return
    for answer in (first, again):
        assert answer.json()["errors"][0]["extensions"] == {"code": NOT_FOUND}


async def test_unknown_text_is_refused_on_every_way_where_only_trusted_is_served(
    served: Gateway,
) -> None:
    codes = {}
    for path in ("/graphql", "/graphql/stream"):
        for method in ("GET", "POST"):
            answer = await ask(served, path, method, {"query": OTHER})
            codes[path, method] = NOT_FOUND in answer.text
    async with served.socket() as client:
        await client.send({"type": "subscribe", "id": "1", "payload": {"query": OTHER}})
        message = await client.hear()
        codes["socket", ""] = message["type"] == "error" and NOT_FOUND in str(message["payload"])
    assert set(codes.values()) == {served.settings.documents.trusted_only}


async def test_what_is_trusted_obeys_the_same_rules(served: Gateway) -> None:
    answer = await ask(served, "/graphql", "GET", {"documentId": hashed(BALANCE)})
    assert answer.status_code == 405
