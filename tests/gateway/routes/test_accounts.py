import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.billing import zone_changes
from gateway.billing.accounts import AccountFacts, put_account
from gateway.principal import Permission, Role
from gateway.providers.stripe.inbox import Inbox
from gateway.store import Database
from tests.support.books import ACTOR, Books
from tests.support.facts import rows_of
from tests.support.served import Served, serving
from tests.support.stripe import event, intent, parsed
from tests.support.tables import table_rows

PATH = "/v1/accounts/acme"
PLATFORM = (Permission.ACCOUNTS_WRITE, Permission.MEMBERS_WRITE)


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
    headers = await served.key(*PLATFORM)
    first = await served.client.put(PATH, json=account(), headers=headers)
    again = await served.client.put(PATH, json=account(), headers=headers)
    assert first.status_code == again.status_code == 200
    said = first.json()
    assert again.json() == said
    assert said.pop("id").startswith("acct_")
    low = {"amount": "5.00", "days": 3}
    assert said == account(lowBalance=low) | {"externalId": "acme"}


async def test_members_are_replaced_whole(served: Served) -> None:
    headers = await served.key(*PLATFORM)
    answer = await served.client.put(PATH, json=account(), headers=headers)
    account_id = int(answer.json()["id"].removeprefix("acct_"), 16)
    members = [{"subject": "auth0|7", "role": "VIEWER"}]
    await served.client.put(PATH, json=account(members=members), headers=headers)
    rows = await rows_of(served.database, "account_member", account_id)
    assert [(row["subject"], row["role"]) for row in rows] == [("auth0|7", "VIEWER")]


@pytest.mark.parametrize("name", ["acme%E2%80%AE", "acme%FF", "%00", "x" * 201])
async def test_a_path_that_names_no_account_is_refused(served: Served, name: str) -> None:
    headers = await served.key(*PLATFORM)
    answer = await served.client.put(f"/v1/accounts/{name}", json=account(), headers=headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["argument"] == "externalId"
    assert await table_rows(served.database, "account") == []


async def no_step(*_: object, **__: object) -> zone_changes.Step:
    return zone_changes.Step(is_last=True)


async def test_another_zone_of_a_large_account_is_pending(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = await served.key(*PLATFORM, Permission.BILLING_READ)
    made = await served.client.put(PATH, json=account(timeZone="UTC"), headers=headers)
    monkeypatch.setattr(zone_changes, "AT_ONCE", -1)
    monkeypatch.setattr(zone_changes.ZoneChanges, "step", no_step)  # so that it stays pending
    for _ in range(2):
        put = await served.client.put(PATH, json=account(timeZone="Asia/Tokyo"), headers=headers)
        got = await served.client.get(PATH, headers=headers)
        for answer in (put, got):
            assert answer.status_code == 200
            assert answer.json()["timeZone"] == "UTC"
            assert answer.json()["pendingTimeZone"] == "Asia/Tokyo"
    document = f'{{ account(id: "{made.json()["id"]}") {{ timeZone pendingTimeZone }} }}'
    read = await served.client.post("/graphql", json={"query": document}, headers=headers)
    found = read.json()["data"]["account"]
    assert found == {"timeZone": "UTC", "pendingTimeZone": "Asia/Tokyo"}
    put = await served.client.put(PATH, json=account(timeZone="UTC"), headers=headers)
    assert "pendingTimeZone" not in put.json()


async def test_a_subject_is_kept_as_it_was_sent(served: Served) -> None:
    headers = await served.key(*PLATFORM)
    subjects = ["jose\u0301", "jos\u00e9"]
    members = [{"subject": subject, "role": "OWNER"} for subject in subjects]
    answer = await served.client.put(PATH, json=account(members=members), headers=headers)
    assert answer.json()["members"] == members
    rows = await table_rows(served.database, "account_member")
    assert sorted(row["subject"] for row in rows) == sorted(subjects)


async def test_the_currency_stays_once_there_is_an_entry(served: Served) -> None:
    headers = await served.key(Permission.ADMIN) | {"idempotency-key": "k"}
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
    headers = await served.key(*PLATFORM)
    books = Books(served.database)
    if known:
        await books.account("acme")
    async with served.database.writing(ACTOR) as transaction:
        first = AccountFacts(
            external_id="other", name="Other", currency="USD", stripe_customer_id="cus_1"
        )
        await put_account(transaction, first, actor=ACTOR, clock=books.clock, keys=books.keys)
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
    headers = await served.key(*PLATFORM)
    tables = ("account", "account_member")
    before = [await rows_of(served.database, table, account_id) for table in tables]
    answer = await served.client.put(PATH, json=BAD_ACCOUNTS[name], headers=headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"]
    assert [await rows_of(served.database, table, account_id) for table in tables] == before


async def test_null_is_refused_with_what_is_allowed(served: Served) -> None:
    headers = await served.key(*PLATFORM)
    body = account(timeZone=None, members=None, lowBalance=None, stripeCustomerId=None)
    answer = await served.client.put(PATH, json=body, headers=headers)
    assert answer.status_code == 400
    assert {each["path"]: each["message"] for each in answer.json()["errors"]} == {
        "timeZone": "`timeZone` must not be null: send an IANA name such as Europe/Berlin, or omit "
        "the field.",
        "members": "`members` must be a list of at most 1,000 members.",
    }


async def test_all_faults_of_an_account_are_listed_by_path(served: Served) -> None:
    headers = await served.key(*PLATFORM)
    members = [
        {"subject": "a", "role": "OWNER"},
        {"subject": "a", "role": "KING"},
        {"role": "OWNER", "name": "Ada"},
        "eve",
    ]
    body = account(name=..., timeZone="Mars", lowBalance={"amount": 5, "days": 0}, nam="x")
    answer = await served.client.put(PATH, json=body | {"members": members}, headers=headers)
    assert answer.status_code == 400
    errors = answer.json()["errors"]
    listed = {error["path"]: error["message"] for error in errors}
    assert listed == {
        "name": "`name` is missing.",
        "timeZone": "`timeZone`: A time zone must be an IANA name such as Europe/Berlin or UTC.",
        "lowBalance.amount": '`lowBalance.amount` must be a decimal string such as "10.00"; a JSON '
        "number may have lost digits.",
        "lowBalance.days": "`lowBalance.days` must be a whole number from 1 to 3660.",
        "members.1.role": "`members.1.role` must be one of OWNER, BILLING, VIEWER.",
        "members.2.subject": "`members.2.subject` is missing.",
        "members.2.name": "`members.2` has no field name.",
        "members.3": "`members.3` must be a JSON object.",
        "nam": "An account has no field nam.",
    }
    for error in errors:
        code, argument = error["extensions"]["code"], error["extensions"]["argument"]
        assert (code, argument) == ("BAD_USER_INPUT", error["path"].partition(".")[0])
    twice = account(members=[{"subject": "a", "role": "OWNER"}] * 2)
    answer = await served.client.put(PATH, json=twice, headers=headers)
    (error,) = answer.json()["errors"]
    assert error["path"] == "members.1.subject"


async def test_at_most_twenty_faults_of_an_account_are_listed(served: Served) -> None:
    headers = await served.key(*PLATFORM)
    many = [{"subject": 7, "role": 7, **{f"f{number}": 1 for number in range(50)}}] * 1_000
    for body in (account(members=many), {f"f{number}": 1 for number in range(50_000)}):
        answer = await served.client.put(PATH, json=body, headers=headers)
        assert (answer.status_code, len(answer.json()["errors"])) == (400, 20)
    too_many = await served.client.put(
        PATH, json=account(members=[{"subject": "a", "role": "OWNER"}] * 1_001), headers=headers
    )
    (error,) = too_many.json()["errors"]
    assert error["message"] == "`members` must be a list of at most 1,000 members."


async def test_members_stay_unless_they_are_named(served: Served) -> None:
    account_id = await Books(served.database).account("acme", members=[("ada", Role.OWNER)])
    headers = await served.key(Permission.ACCOUNTS_WRITE)
    answer = await served.client.put(PATH, json=account(members=...), headers=headers)
    assert answer.status_code == 200
    assert "members" not in answer.json()
    assert len(await rows_of(served.database, "account_member", account_id)) == 1
    headers = await served.key(*PLATFORM)
    await served.client.put(PATH, json=account(members=[]), headers=headers)
    assert await rows_of(served.database, "account_member", account_id) == []
    new = await served.client.put(
        f"{PATH}-2", json=account(members=..., stripeCustomerId=...), headers=headers
    )
    assert new.status_code == 200
    assert await table_rows(served.database, "account_member") == []


async def test_billing_stays_unless_it_is_named(served: Served) -> None:
    headers = await served.key(*PLATFORM, Permission.BILLING_READ)
    billing = {"name": "Acme Billing", "address": ["Main St 1", "Berlin"], "taxId": "DE 1"}
    first = await served.client.put(PATH, json=account(billing=billing), headers=headers)
    assert first.json()["billing"] == billing
    kept = await served.client.put(PATH, json=account(), headers=headers)
    assert "billing" not in kept.json()
    assert (await served.client.get(PATH, headers=headers)).json()["billing"] == billing
    some = await served.client.put(PATH, json=account(billing={"taxId": "X"}), headers=headers)
    assert some.json()["billing"] == {"name": None, "address": [], "taxId": "X"}
    nothing: tuple[object, ...] = (None, {})
    for each in nothing:
        answer = await served.client.put(PATH, json=account(billing=each), headers=headers)
        assert answer.json()["billing"] is None
    assert (await served.client.get(PATH, headers=headers)).json()["billing"] is None


async def test_faults_of_billing_are_listed_by_path(served: Served) -> None:
    headers = await served.key(*PLATFORM)
    for billing, path in (
        ({"name": " "}, "billing.name"),
        ({"taxId": "x" * 101}, "billing.taxId"),
        ({"address": ["line"] * 7}, "billing.address"),
        ({"address": "Main St 1"}, "billing.address"),
        ({"address": ["Main St", 5]}, "billing.address.1"),
        ({"vat": "x"}, "billing.vat"),
        ("Acme", "billing"),
    ):
        answer = await served.client.put(PATH, json=account(billing=billing), headers=headers)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["path"]) == (400, path)
        assert error["message"].count("`") == 2  # it names one field, once


@pytest.mark.parametrize("members", [[], [{"subject": "eve", "role": "OWNER"}], None])
async def test_members_need_a_scope_of_their_own(served: Served, members: Any) -> None:
    account_id = await Books(served.database).account("acme", members=[("ada", Role.OWNER)])
    tables = ("account", "account_member")
    before = [await rows_of(served.database, table, account_id) for table in tables]
    headers = await served.key(
        Permission.ACCOUNTS_WRITE, Permission.USAGE_WRITE, Permission.CREDITS_WRITE
    )
    refused = await served.client.put(PATH, json=account(members=members), headers=headers)
    assert refused.status_code == 403
    (error,) = refused.json()["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert "members:write" in error["message"]
    assert [await rows_of(served.database, table, account_id) for table in tables] == before


@pytest.mark.parametrize(
    "changes",
    [
        {"stripeCustomerId": ...},
        {"stripeCustomerId": ..., "members": []},
        {"members": ...},
        {"members": ..., "stripeCustomerId": None},
        {},
    ],
)
@pytest.mark.parametrize("scopes", [PLATFORM, (Permission.ADMIN,)])
async def test_an_accounts_key_changes_neither_members_nor_customer(
    served: Served, changes: dict[str, Any], scopes: tuple[Permission, ...]
) -> None:
    books = Books(served.database)
    account_id = await books.account(
        "acme", members=[("ada", Role.OWNER)], stripe_customer_id="cus_0"
    )
    tables = ("account", "account_member")
    before = [await rows_of(served.database, table, account_id) for table in tables]
    headers = await served.key(*scopes, account_id=account_id)
    refused = await served.client.put(PATH, json=account(**changes), headers=headers)
    assert refused.status_code == 403
    assert refused.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert [await rows_of(served.database, table, account_id) for table in tables] == before


async def test_an_accounts_key_leaves_members_and_customer(served: Served) -> None:
    books = Books(served.database)
    account_id = await books.account(
        "acme", members=[("ada", Role.OWNER)], stripe_customer_id="cus_0"
    )
    headers = await served.key(Permission.ACCOUNTS_WRITE, account_id=account_id)
    own = account(name="Acme & Sons", members=..., stripeCustomerId=...)
    answer = await served.client.put(PATH, json=own, headers=headers)
    assert answer.status_code == 200
    assert not answer.json().keys() & {"members", "stripeCustomerId"}
    (row,) = await table_rows(served.database, "account")
    assert (row["name"], row["stripe_customer_id"]) == ("Acme & Sons", "cus_0")
    (member,) = await table_rows(served.database, "account_member")
    assert (member["subject"], member["role"]) == ("ada", "OWNER")


async def test_a_parked_payment_is_the_platforms_to_give(served: Served) -> None:
    books = Books(served.database)
    acme = await books.account("acme")
    inbox = Inbox(served.database, books.clock, test_mode=False)
    paid = intent(status="succeeded", customer="cus_1", metadata={})
    assert await inbox.take(parsed(event("payment_intent.succeeded", paid, at=62))) == "parked"
    for account_id, expected in ((acme, 403), (None, 200)):
        headers = await served.key(*PLATFORM, account_id=account_id)
        answer = await served.client.put(PATH, json=account(members=...), headers=headers)
        assert answer.status_code == expected
        await inbox.sweep()
        rows = await rows_of(served.database, "credit_purchase", acme)
        assert len(rows) == (1 if account_id is None else 0)


async def test_only_the_keys_own_account_is_there_for_it(served: Served) -> None:
    acme = await Books(served.database).account("acme")
    await Books(served.database, seed=2).account("other")
    headers = await served.key(Permission.ACCOUNTS_WRITE, account_id=acme)
    said = account(members=..., stripeCustomerId=...)
    own = await served.client.put(PATH, json=said, headers=headers)
    others = [
        await served.client.put(f"/v1/accounts/{name}", json=said, headers=headers)
        for name in ("other", "nobody")
    ]
    assert own.status_code == 200
    assert [answer.status_code for answer in others] == [404, 404]
    assert others[0].json() == others[1].json()


async def test_reading_is_not_writing(served: Served) -> None:
    headers = await served.key(Permission.BILLING_READ)
    refused = await served.client.put(PATH, json=account(), headers=headers)
    assert refused.status_code == 403
    assert "accounts:write" in refused.json()["errors"][0]["message"]
    deleted = await served.client.delete(PATH, headers=headers)
    assert (deleted.status_code, deleted.headers["allow"]) == (405, "GET, HEAD, PUT")
