"""Clients of npm against one served gateway: Apollo Client, urql and graphql-request."""

from pathlib import Path

import pytest

from gateway.ids import encode_global_id
from gateway.principal import Role
from gateway.store import Database
from tests.support.books import Books
from tests.support.live import gateway
from tests.support.npm import printed_by

QUERY = "query Name($account: ID!) { account(id: $account) { id name } }"
SUBSCRIPTION = (
    "subscription Live($account: ID!) { balanceUpdated(accountId: $account) { version } }"
)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_clients_query_fail_and_subscribe(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    key = await Books(database).account("acme", members=[("ada", Role.OWNER)])
    account = encode_global_id("Account", key)
    async with gateway(database_url, tmp_path / "data") as served:
        received = await printed_by(
            "clients.mjs",
            *(f"{served.url}/graphql", served.token("ada"), account, QUERY, SUBSCRIPTION),
        )
    for answers in received.values():
        answers["data"]["account"].pop("__typename", None)  # caches of clients select it
        assert answers["data"] == {"account": {"id": account, "name": "Acme"}}
        assert (answers["error"], answers["unauthenticated"]) == (
            ["NOT_FOUND"],
            ["UNAUTHENTICATED"],
        )
    versions = {
        name: each["event"]["balanceUpdated"]["version"]
        for name, each in received.items()
        if "event" in each
    }
    assert versions == {"apollo": 0, "urql": 0}
