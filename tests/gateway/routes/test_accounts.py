import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.billing.accounts import AccountFacts, put_account
from gateway.principal import Role, Scope
from gateway.store import Database
from tests.support.books import Books
from tests.support.facts import rows_of
from tests.support.served import Served, serving
from tests.support.tables import table_rows

PATH = "/v1/accounts/acme"


@pytest.fixture
async def served(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(database, database_url, tmp_path) as served:
        yield served


def account(**changes: Any) -> dict[str, Any]:
    said = {
        "name": "Acme",
        "currency": "USD",
        "timeZone": "Europe/Berlin",
        "stripeCustomerId": "cus_1",
        "lowBalance": {"amount": "5", "days": 3},
        "members": [{"subject": "auth0|42", "role": "OWNER"}],
    }
    return {name: value for name, value in (said | changes).items() if value is not ...}


async def test_an_account_is_made_and_put_again_stays_the_same(served: Served) -> None:
    headers = await served.key(Scope.ACCOUNTS_WRITE)
    first = await served.client.put(PATH, json=account(), headers=headers)
    again = await served.client.put(PATH, json=account(), headers=headers)
    assert first.status_code == again.status_code == 200
    said = first.json()
    assert again.json() == said
    assert said.pop("id").startswith("acct_")
    low = {"amount": "5.00", "days": 3}
    assert said == account(lowBalance=low) | {"externalId": "acme"}


async def test_members_are_replaced_whole(served: Served) -> None:
    headers = await served.key(Scope.ACCOUNTS_WRITE)
    answer = await served.client.put(PATH, json=account(), headers=headers)
    account_id = int(answer.json()["id"].removeprefix("acct_"), 16)
    members = [{"subject": "auth0|7", "role": "VIEWER"}]
    await served.client.put(PATH, json=account(members=members), headers=headers)
    rows = await rows_of(served.database, "account_member", account_id)
    assert [(row["subject"], row["role"]) for row in rows] == [("auth0|7", "VIEWER")]


@pytest.mark.parametrize("name", ["acme%E2%80%AE", "acme%FF", "%00", "x" * 201])
async def test_a_path_that_names_no_account_is_refused(served: Served, name: str) -> None:
    headers = await served.key(Scope.ACCOUNTS_WRITE)
    answer = await served.client.put(f"/v1/accounts/{name}", json=account(), headers=headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["argument"] == "externalId"
    assert await table_rows(served.database, "account") == []


async def test_a_subject_is_kept_as_it_was_sent(served: Served) -> None:
    headers = await served.key(Scope.ACCOUNTS_WRITE)
    subjects = ["jose\u0301", "jos\u00e9"]
    members = [{"subject": subject, "role": "OWNER"} for subject in subjects]
    answer = await served.client.put(PATH, json=account(members=members), headers=headers)
    assert answer.json()["members"] == members
    rows = await table_rows(served.database, "account_member")
    assert sorted(row["subject"] for row in rows) == sorted(subjects)


async def test_the_currency_stays_once_there_is_an_entry(served: Served) -> None:
    headers = await served.key(Scope.ADMIN) | {"idempotency-key": "k"}
    await served.client.put(PATH, json=account(), headers=headers)
    changed = await served.client.put(PATH, json=account(currency="EUR"), headers=headers)
    credit = {"account": "acme", "kind": "COUPON", "amount": "1", "currency": "EUR"}
    await served.client.post("/v1/credits", json=credit, headers=headers)
    refused = await served.client.put(PATH, json=account(), headers=headers)
    assert (changed.status_code, refused.status_code) == (200, 409)
    assert refused.json()["errors"][0]["extensions"]["code"] == "CONFLICT"


@pytest.mark.parametrize("known", [False, True])
async def test_a_stripe_customer_that_two_accounts_claim_at_once_is_the_firsts(
    served: Served, known: bool
) -> None:
    headers = await served.key(Scope.ACCOUNTS_WRITE)
    books = Books(served.database)
    if known:
        await books.account("acme")
    async with served.database.writing() as transaction:
        first = AccountFacts(
            external_id="other", name="Other", currency="USD", stripe_customer_id="cus_1"
        )
        await put_account(transaction, first, clock=books.clock, keys=books.keys)
        second = asyncio.create_task(served.client.put(PATH, json=account(), headers=headers))
        await asyncio.sleep(0.3)
        assert not second.done()
    answer = await second
    assert answer.status_code == 409
    (error,) = answer.json()["errors"]
    assert error["message"] == "This Stripe customer belongs to another account."
    assert error["extensions"]["code"] == "CONFLICT"
    rows = await table_rows(served.database, "account")
    assert [row["external_id"] for row in rows if row["stripe_customer_id"]] == ["other"]


BAD_ACCOUNTS: dict[str, dict[str, Any]] = {
    "no name": account(name=...),
    "an empty name": account(name=""),
    "a long name": account(name="x" * 201),
    "NUL": account(name="a\u0000"),
    "a name of blanks": account(name="  \u3000"),
    "a name that nobody sees": account(name="\u200b\u2060"),
    "no such currency": account(currency="usd"),
    "no such zone": account(timeZone="Mars/Base"),
    "no members said": account(members=...),
    "members that are null": account(members=None),
    "members that are none": account(members=["auth0|42"]),
    "no such role": account(members=[{"subject": "a", "role": "KING"}]),
    "a role that is a list": account(members=[{"subject": "a", "role": []}]),
    "a subject with a control": account(members=[{"subject": "ada\u202e", "role": "OWNER"}]),
    "a customer with a control": account(stripeCustomerId="cus_1\u2066"),
    "a member twice": account(members=[{"subject": "a", "role": "OWNER"}] * 2),
    "a number": account(lowBalance={"amount": 5}),
    "days that are no number": account(lowBalance={"days": True}),
    "no days": account(lowBalance={"days": 0}),
    "a list for thresholds": account(lowBalance=[1]),
    "an unknown field": account(nam="x"),
}


@pytest.mark.parametrize("name", BAD_ACCOUNTS)
async def test_a_bad_account_is_refused_and_changes_nothing(served: Served, name: str) -> None:
    account_id = await Books(served.database).account("acme", members=[("ada", Role.OWNER)])
    headers = await served.key(Scope.ACCOUNTS_WRITE)
    tables = ("account", "account_member")
    before = [await rows_of(served.database, table, account_id) for table in tables]
    answer = await served.client.put(PATH, json=BAD_ACCOUNTS[name], headers=headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"]
    assert [await rows_of(served.database, table, account_id) for table in tables] == before


async def test_members_are_removed_only_where_that_is_said(served: Served) -> None:
    account_id = await Books(served.database).account("acme", members=[("ada", Role.OWNER)])
    headers = await served.key(Scope.ACCOUNTS_WRITE)
    refused = await served.client.put(PATH, json=account(members=...), headers=headers)
    assert refused.json()["errors"][0]["extensions"] == {
        "code": "BAD_USER_INPUT",
        "argument": "members",
    }
    assert len(await rows_of(served.database, "account_member", account_id)) == 1
    await served.client.put(PATH, json=account(members=[]), headers=headers)
    assert await rows_of(served.database, "account_member", account_id) == []


async def test_only_the_keys_own_account_is_there_for_it(served: Served) -> None:
    acme = await Books(served.database).account("acme")
    await Books(served.database, seed=2).account("other")
    headers = await served.key(Scope.ACCOUNTS_WRITE, account_id=acme)
    own = await served.client.put(PATH, json=account(), headers=headers)
    others = [
        await served.client.put(f"/v1/accounts/{name}", json=account(), headers=headers)
        for name in ("other", "nobody")
    ]
    assert own.status_code == 200
    assert [answer.status_code for answer in others] == [404, 404]
    assert others[0].json() == others[1].json()


async def test_reading_is_not_writing(served: Served) -> None:
    headers = await served.key(Scope.BILLING_READ)
    refused = await served.client.put(PATH, json=account(), headers=headers)
    got = await served.client.get(PATH, headers=headers)
    assert refused.status_code == 403
    assert "accounts:write" in refused.json()["errors"][0]["message"]
    assert (got.status_code, got.headers["allow"]) == (405, "PUT")
