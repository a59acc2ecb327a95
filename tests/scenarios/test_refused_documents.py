"""Documents beyond a limit are refused before any statement, over each transport alike."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from resolvers.context import Context, make_context
from tests.support.live import Gateway, gateway

COMPLEX, UNREADABLE = "QUERY_TOO_COMPLEX", "GRAPHQL_PARSE_FAILED"


def many(count: int, text: str) -> str:
    return " ".join(text.replace("#", str(number)) for number in range(count))


DOCUMENTS: Final[Mapping[str, tuple[str, str]]] = {
    "aliases": ("{ " + many(31, "a#: __typename") + " }", COMPLEX),
    "aliases in fragments": (
        "{ a: viewer { ...F } b: viewer { ...F } ...G } fragment F on Viewer { "
        + many(15, "a#: id")
        + " } fragment G on Query { x: __typename }",
        COMPLEX,
    ),
    "cost": (
        """{ viewer { accounts(first: 100) { nodes { creditPurchases(first: 20) { nodes {
        account { creditPurchases(first: 20) { nodes { id } } } } } } } } }""",
        COMPLEX,
    ),
    "depth": ("{ a " * 11 + "}" * 11, COMPLEX),
    "tokens": ("{ " + "a " * 2_000 + "}", UNREADABLE),
    "comments": ("{ __typename }" + "\n#" * 501, UNREADABLE),
    "length": ("{ __typename }" + " " * 65_536, UNREADABLE),
    "directives": ("{ __typename " + "@include(if: true) " * 51 + "}", COMPLEX),
    "operations": (many(20, "query Q# { __typename } ") + "query Named { __typename }", COMPLEX),
    "variables": ("query (" + many(101, "$v#: Int") + ") { __typename }", COMPLEX),
    "fragments": ("{ __typename } " + many(101, "fragment F# on Query { __typename }"), COMPLEX),
    "doubling fragments": (
        "{ ...F0 } "
        + "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(60))
        + "fragment F60 on Query { a: __typename }",
        COMPLEX,
    ),
    "two operations": (
        "query A { __typename } query B { __typename }",
        "OPERATION_RESOLUTION_FAILURE",
    ),
}


@pytest.fixture
async def served(sqlite_database_url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway(sqlite_database_url, tmp_path / "data") as place:
        yield place


async def by_request(served: Gateway, path: str) -> dict[str, list[str]]:
    """Return the codes of each document's errors."""
    headers = {"authorization": f"Bearer {served.token('ada')}"}
    found = {}
    async with httpx.AsyncClient(base_url=served.url, headers=headers) as client:
        for name, (text, _) in DOCUMENTS.items():
            answer = await client.post(path, json=payload_of(text))
            found[name] = codes(answer.json()["errors"])
    return found


async def by_socket(served: Gateway) -> dict[str, list[str]]:
    found = {}
    async with served.socket() as client:
        for name, (text, _) in DOCUMENTS.items():
            payload = payload_of(text)
            await client.send({"type": "subscribe", "id": name, "payload": payload})
            message = await client.hear()
            assert (message["type"], message["id"]) == ("error", name)
            found[name] = codes(message["payload"])
    return found


def payload_of(text: str) -> dict[str, str]:
    return {"query": text} | ({"operationName": "Named"} if "Named" in text else {})


def codes(errors: list[dict[str, Any]]) -> list[str]:
    return [each["extensions"]["code"] for each in errors]


@pytest.mark.parametrize("transport", ["/graphql", "/graphql/stream", "socket"])
async def test_limits_of_documents_hold_over_each_transport(
    served: Gateway, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    contexts: list[Context] = []

    def make(**given: Any) -> Context:
        contexts.append(make_context(**given))
        return contexts[-1]

    monkeypatch.setattr("resolvers.context.make_context", make)
    found = await (by_socket(served) if transport == "socket" else by_request(served, transport))
    assert found == {name: [code] for name, (_, code) in DOCUMENTS.items()}
    assert contexts == []  # so no statement either
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {served.token('ada')}"}) as one:
        await one.post(f"{served.url}/graphql", json={"query": "{ viewer { id } }"})
    assert len(contexts) == 1
