"""Accounts as clients ask for them. It is noon UTC on 2026-11-20."""

from typing import Any

import pytest

from gateway.ids import encode_global_id
from gateway.principal import Principal, Role
from gateway.store import Database
from tests.resolvers.types.test_usage import NAMED_0, NAMED_1, facts
from tests.support.graph import ADA, BOB, PLATFORM, ask, data_of
from tests.support.rows import UNIT, account, member, put
from tests.support.usage_rows import insert_facts

BY_EXTERNAL_ID = "query($name: String) { account(externalId: $name) { id } }"
WARNED = "{ account(externalId: %s) { lowBalance { amount { amount } days } viewerRole } }"


async def test_an_account_is_found_by_its_external_id(database: Database) -> None:
    await put(database, account(1), account(2), member(1, "ada"), member(2, "bob"))
    found = await data_of(database, ADA, BY_EXTERNAL_ID, {"name": "customer-1"})
    assert found == {"account": {"id": encode_global_id("Account", 1)}}
    theirs, missing = [
        await ask(database, ADA, BY_EXTERNAL_ID, {"name": name}) for name in ("customer-2", "x")
    ]
    assert theirs == missing
    assert theirs.errors[0][1] == "NOT_FOUND"


@pytest.mark.parametrize(
    "arguments",
    ["", "(id: null)", '(id: "acct_x", externalId: "x")', "(id: null externalId: null)"],
)
async def test_an_account_is_asked_for_in_one_way(database: Database, arguments: str) -> None:
    reply = await ask(database, ADA, f"{{ account{arguments} {{ id }} }}")
    assert (reply.errors[0][1], reply.statements) == ("BAD_USER_INPUT", 0)


async def test_many_external_ids_are_one_statement(database: Database) -> None:
    await put(database, *map(account, range(1, 21)))
    fields = " ".join(f'a{n}: account(externalId: "customer-{n}") {{ name }}' for n in range(1, 21))
    reply = await ask(database, PLATFORM, f"{{ {fields} }}")
    assert reply.data["a20"] == {"name": "Customer 20"}
    assert reply.statements == 1


@pytest.mark.parametrize(("principal", "role"), [(ADA, "OWNER"), (BOB, "VIEWER")])
async def test_thresholds_and_the_viewers_role(
    database: Database, principal: Principal, role: str
) -> None:
    warned = account(1, low_balance_nanos=5 * UNIT, low_balance_days=7)
    await put(database, warned, account(2, low_balance_days=1), account(3))
    for key in (1, 2, 3):
        await put(database, member(key, "ada"), member(key, "bob", Role.VIEWER))

    async def thresholds(key: int) -> Any:
        found = await data_of(database, principal, WARNED % f'"customer-{key}"')
        assert found["account"]["viewerRole"] == role
        return found["account"]["lowBalance"]

    assert [await thresholds(key) for key in (1, 2, 3)] == [
        {"amount": {"amount": "5.00"}, "days": 7},
        {"amount": None, "days": 1},
        {"amount": None, "days": None},
    ]


BREAKDOWN = """query($id: ID!, $first: Int) { account(id: $id) {
  usage(from: "2026-11-16", to: "2026-11-22") { interval
    breakdown(by: DEPLOYMENT, first: $first) { group key deployment { id name } } }
} }"""


async def test_rows_of_a_breakdown_say_what_they_stand_for(database: Database) -> None:
    await insert_facts(database, facts())
    variables = {"id": encode_global_id("Account", 1), "first": 10}
    reply = await ask(database, ADA, BREAKDOWN, variables)
    rows = reply.data["account"]["usage"]["breakdown"]
    assert [(row["group"], row["key"]) for row in rows] == [
        ("VALUE", NAMED_1),
        ("VALUE", NAMED_0),
        ("NONE", None),
    ]
    assert [row["deployment"] and row["deployment"]["id"] for row in rows] == [
        NAMED_1,
        NAMED_0,
        None,
    ]
    few = await ask(database, ADA, BREAKDOWN, variables | {"first": 1})
    assert [row["group"] for row in few.data["account"]["usage"]["breakdown"]] == ["VALUE", "OTHER"]
    assert few.statements == reply.statements


@pytest.mark.parametrize(
    ("window", "interval", "days"),
    [
        ("", "DAY", 30),
        ('(from: "2026-11-01")', "DAY", 20),
        ('(from: "2023-11-17", to: "2026-11-20")', "DAY", 1100),
        ('(from: "2023-11-16", to: "2026-11-20")', "WEEK", None),
        ('(from: "2000-01-01", to: "2026-11-20")', "MONTH", None),
        ('(from: "2000-01-01", to: "2099-12-31")', "YEAR", None),
    ],
)
async def test_the_finest_interval_that_fits_is_taken(
    database: Database, window: str, interval: str, days: int | None
) -> None:
    await insert_facts(database, facts())
    account_id = encode_global_id("Account", 1)
    answer = await data_of(
        database,
        ADA,
        f"""{{ account(id: "{account_id}") {{
            usage{window} {{ interval buckets {{ start }} }} balanceHistory{window} {{ start }}
        }} }}""",
    )
    usage = answer["account"]["usage"]
    assert usage["interval"] == interval
    assert len(answer["account"]["balanceHistory"]) == len(usage["buckets"])
    assert days is None or len(usage["buckets"]) == days
