"""`GET /v1/accounts` and below: what a key reads, and what it does not learn."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.principal import Permission, Role
from gateway.store import Database
from tests.support.books import Books
from tests.support.served import Served, serving
from tests.support.tables import table_rows

READER = Permission.BILLING_READ
MEMBERS = (Permission.BILLING_READ, Permission.MEMBERS_WRITE)
MISSING = "Account not found, or this API key has no access to it."


@pytest.fixture
async def served(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(database, database_url, tmp_path) as served:
        yield served


async def get(served: Served, path: str, headers: dict[str, str]) -> Any:
    answer = await served.client.get(f"/v1/accounts{path}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_what_was_put_is_read(served: Served) -> None:
    headers = await served.key(Permission.ACCOUNTS_WRITE, *MEMBERS)
    body = {
        "name": "Acme",
        "currency": "USD",
        "timeZone": "Europe/Berlin",
        "stripeCustomerId": "cus_1",
        "lowBalance": {"amount": "5", "days": 3},
        "billing": {"name": "Acme GmbH", "address": ["Weg 1", "10115 Berlin"], "taxId": "DE1"},
        "members": [
            {"subject": "auth0|7", "role": "VIEWER"},
            {"subject": "auth0|42", "role": "OWNER"},
        ],
    }
    put = (await served.client.put("/v1/accounts/acme", json=body, headers=headers)).json()
    read = await get(served, "/acme", headers)
    assert read.pop("createdAt").endswith("Z")
    members = put.pop("members")
    assert read == put
    assert (await get(served, "", headers))["accounts"][0]["externalId"] == "acme"
    listed = await get(served, "/acme/members", headers)
    by_subject = {member["subject"]: member for member in members}
    assert listed == {"members": [by_subject[each] for each in sorted(by_subject)], "next": None}
    head = await served.client.head("/v1/accounts/acme", headers=headers)
    assert head.status_code == 200


async def test_the_customer_is_for_keys_that_write_every_account(served: Served) -> None:
    account_id = await Books(served.database).account("acme", stripe_customer_id="cus_1")
    for scopes, bound, shown in (
        ((READER,), None, False),
        ((READER, Permission.ACCOUNTS_WRITE), None, True),
        ((Permission.ADMIN,), None, True),
        ((READER, Permission.ACCOUNTS_WRITE), account_id, False),
        ((Permission.ADMIN,), account_id, False),
    ):
        headers = await served.key(*scopes, account_id=bound)
        one, page = await get(served, "/acme", headers), await get(served, "", headers)
        for account in (one, *page["accounts"]):
            assert ("stripeCustomerId" in account) is shown


async def test_a_key_of_one_account_reads_no_other(served: Served) -> None:
    books = Books(served.database)
    acme = await books.account("acme", members=[("ada", Role.OWNER)])
    await books.account("other", members=[("eve", Role.OWNER)])
    headers = await served.key(*MEMBERS, account_id=acme)
    assert (await get(served, "/acme", headers))["externalId"] == "acme"
    assert [each["externalId"] for each in (await get(served, "", headers))["accounts"]] == ["acme"]
    assert (await get(served, "/acme/members", headers))["members"] == [
        {"subject": "ada", "role": "OWNER"}
    ]
    for suffix in ("", "/members"):
        answers = [
            await served.client.get(f"/v1/accounts/{name}{suffix}", headers=headers)
            for name in ("other", "nobody", "%00", "other%E2%80%AE", "x" * 300)
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert {answer.json()["errors"][0]["message"] for answer in answers} == {MISSING}
        assert len({str(answer.json()) for answer in answers}) == 1


@pytest.mark.parametrize("path", ["", "/acme", "/acme/members", "/nobody", "/nobody/members"])
async def test_writing_is_not_reading(served: Served, path: str) -> None:
    await Books(served.database).account("acme")
    writers = [scope for scope in Permission if scope not in {READER, Permission.ADMIN}]
    refused = await served.client.get(f"/v1/accounts{path}", headers=await served.key(*writers))
    assert refused.status_code == 403
    assert "billing:read" in refused.json()["errors"][0]["message"]
    assert (await served.client.get(f"/v1/accounts{path}")).status_code == 401


@pytest.mark.parametrize("name", ["acme", "nobody"])
async def test_members_are_read_with_their_own_scope(served: Served, name: str) -> None:
    await Books(served.database).account("acme")
    others = [
        scope for scope in Permission if scope not in {Permission.MEMBERS_WRITE, Permission.ADMIN}
    ]
    headers = await served.key(*others)
    refused = await served.client.get(f"/v1/accounts/{name}/members", headers=headers)
    assert refused.status_code == 403
    assert "billing:read and members:write" in refused.json()["errors"][0]["message"]


async def test_lists_are_read_page_by_page(served: Served) -> None:
    books = Books(served.database)
    names = [f"acme-{number}" for number in range(5)]
    members = [(f"subject-{number}", Role.VIEWER) for number in range(5)]
    for name in names:
        await books.account(name, members=members)
    headers = await served.key(*MEMBERS)
    for path, items, label, expected in (
        ("", "accounts", "externalId", names),
        ("/acme-0/members", "members", "subject", [subject for subject, _ in members]),
    ):
        found: list[str] = []
        after: str | None = ""
        while after is not None:
            query = f"?limit=2&after={after}" if after else "?limit=2"
            page = await get(served, f"{path}{query}", headers)
            assert len(page[items]) <= 2
            found += [each[label] for each in page[items]]
            after = page["next"]
        assert found == expected
        assert (await get(served, f"{path}?limit=5", headers))["next"] is None


@pytest.mark.parametrize(
    ("query", "argument"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("limit=%D9%A1", "limit"),
        ("after=acme", "after"),
        ("after=purchase_00000000000000010000000000000001", "after"),
        ("first=3", "first"),
    ],
)
async def test_a_parameter_that_is_not_allowed_is_named(
    served: Served, query: str, argument: str
) -> None:
    headers = await served.key(READER)
    refused = await served.client.get(f"/v1/accounts?{query}", headers=headers)
    assert refused.status_code == 400
    (error,) = refused.json()["errors"]
    assert error["extensions"]["argument"] == argument
    assert error["extensions"]["code"] in {"BAD_USER_INPUT", "BAD_CURSOR"}


async def test_a_slash_of_an_external_id_is_escaped(served: Served) -> None:
    headers = await served.key(Permission.ACCOUNTS_WRITE, *MEMBERS)
    body = {"name": "Acme", "currency": "USD"}
    for path in ("acme%2Fmembers", "members", "acme/eu"):
        put = await served.client.put(f"/v1/accounts/{path}", json=body, headers=headers)
        assert put.status_code == 200
    trap = await served.client.put("/v1/accounts/acme/members", json=body, headers=headers)
    assert (trap.status_code, trap.headers["allow"]) == (405, "GET, HEAD")
    names = {row["external_id"] for row in await table_rows(served.database, "account")}
    assert names == {"acme/members", "members", "acme/eu"}
    assert (await get(served, "/acme%2Fmembers", headers))["externalId"] == "acme/members"
    assert (await get(served, "/acme%2Fmembers/members", headers))["members"] == []
    assert (await get(served, "/members", headers))["externalId"] == "members"
