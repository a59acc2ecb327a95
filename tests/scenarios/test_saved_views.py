"""Saved views over each transport: mutations run by POST and over a WebSocket alone."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.ids import encode_global_id
from gateway.store import Database
from tests.support.live import Gateway, gateway
from tests.support.rows import account, member, put
from tests.support.tables import table_rows

SAVE = """mutation Save($input: SaveViewInput!) {
  saveView(input: $input) { view { name } userErrors { code } }
}"""
HASH = sha256(SAVE.encode()).hexdigest()


def body(name: str, **document: str) -> dict[str, Any]:
    query = {"interval": "MONTH", "filter": {"projects": ["search", None]}, "by": "RESOURCE"}
    view = {"accountId": encode_global_id("Account", 1), "name": name, "query": query}
    return {**(document or {"query": SAVE}), "variables": {"input": view}}


def parameters(body: dict[str, Any]) -> dict[str, str]:
    return {name: v if isinstance(v, str) else json.dumps(v) for name, v in body.items()}


async def over_socket(served: Gateway, name: str) -> Any:
    async with served.socket() as socket:
        await socket.send({"type": "subscribe", "id": "1", "payload": body(name)})
        return (await socket.hear())["payload"]["data"]


@pytest.mark.parametrize("only", [False, True], ids=["open", "trusted only"])
async def test_a_view_is_saved_by_post_and_socket_alone(
    database: Database, database_url: str, tmp_path: Path, only: bool
) -> None:
    await put(database, account(1), member(1, "ada"))
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({HASH: SAVE}))
    trusted = {"trusted_documents": manifest, "trusted_only": only}
    async with (
        gateway(database_url, tmp_path / "data", **trusted) as served,
        httpx.AsyncClient(
            base_url=served.url, headers={"Authorization": f"Bearer {served.token('ada')}"}
        ) as client,
    ):
        for name, document in (("text", {"query": SAVE}), ("hash", {"documentId": HASH})):
            answer = await client.post("/graphql", json=body(name, **document))
            assert answer.json()["data"] == {"saveView": {"view": {"name": name}, "userErrors": []}}
            assert answer.json()["extensions"]["cost"]["actualQueryCost"] == 11
        found = await over_socket(served, "socket")
        assert found == {"saveView": {"view": {"name": "socket"}, "userErrors": []}}
        refused = [
            await client.get("/graphql", params=parameters(body("get"))),
            await client.get("/graphql", params=parameters(body("get", documentId=HASH))),
            await client.get("/graphql/stream", params=parameters(body("get"))),
            await client.post("/graphql/stream", json=body("stream")),
            await client.post("/graphql", data=parameters(body("form"))),
            await client.post(
                "/graphql",
                content=json.dumps(body("plain")),
                headers={"content-type": "text/plain"},
            ),
        ]
        assert [each.status_code for each in refused] == [405, 405, 405, 405, 415, 415]
        stranger = await client.post(
            "/graphql", json=body("bob"), headers={"Authorization": f"Bearer {served.token('bob')}"}
        )
        assert stranger.json()["data"] == {"saveView": None}
    kept = [row["name"] for row in await table_rows(database, "saved_view")]
    assert kept == ["text", "hash", "socket"]
