"""What a principal may not see is not to be told from what does not exist."""

from typing import Any

import pytest

from gateway.ids import encode_global_id
from gateway.principal import Permission, Principal, Role
from gateway.store import Database
from tests.support.graph import ADA, BOB, PLATFORM, ask, data_of
from tests.support.row_security import remove_filter
from tests.support.rows import (
    account,
    deployment,
    dispute,
    entry,
    ledger_day,
    member,
    purchase,
    put,
    receipt,
    refund,
    saved_view,
    statement,
)

MINE, THEIRS, MISSING = 1, 2, 3
KEYS = {
    "Account": 0,
    "CreditPurchase": 11,
    "Refund": 21,
    "Receipt": 31,
    "Statement": 61,
    "Dispute": 51,
    "LedgerRow": 1,
    "Deployment": 41,
    "SavedView": 61,
}
READ = frozenset({Permission.BILLING_READ})
KEY_OF_MINE = Principal(subject="key:one", key_id="one", account_id=MINE, scopes=READ)
KEY_WITHOUT_SCOPE = Principal(
    subject="key:two",
    key_id="two",
    scopes=frozenset({Permission.USAGE_WRITE, Permission.CREDITS_WRITE}),
)


def ids_of(account_id: int) -> dict[str, str]:
    return {kind: encode_global_id(kind, account_id, key) for kind, key in KEYS.items()}


@pytest.fixture(params=["sqlite", "postgresql", "postgresql-unfiltered"])
def database_url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The tenant filter keeps accounts apart, and on Postgres row-level security does by itself."""
    name, _, unfiltered = request.param.partition("-")
    if unfiltered:
        remove_filter(monkeypatch)
    fixture = "postgres_database_url" if name == "postgresql" else "sqlite_database_url"
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture
async def two(database: Database) -> Database:
    """Ada's account 1 and Bob's account 2, with one of everything each, under the same keys."""
    for account_id in (MINE, THEIRS):
        await put(
            database,
            account(account_id),
            purchase(account_id, 11),
            refund(account_id, 21, 11),
            receipt(account_id, 31, 11),
            receipt(account_id, 32, 11, refund_id=21, total_nanos=-1),
            deployment(account_id, 41),
            dispute(account_id, 51, 11),
            entry(account_id, 1, purchase_id=11),
            entry(account_id, 2, cause="USAGE"),
            ledger_day(account_id, 2),
            statement(account_id, 61),
        )
    for account_id, name in ((MINE, "ada"), (THEIRS, "bob")):
        await put(database, member(account_id, name), saved_view(account_id, 61, name))
    return database


NODE = "query($id: ID!) { node(id: $id) { __typename id } }"
NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
ACCOUNT = """query($id: ID!) { account(id: $id) {
  id name balance { version } creditPurchases { nodes { id } } deployments { nodes { id } }
  ledger { nodes { id } } receipts { nodes { id } } statements { nodes { id } }
} }"""


@pytest.mark.parametrize("principal", [ADA, KEY_OF_MINE])
async def test_lists_have_only_what_is_ones_own(two: Database, principal: Principal) -> None:
    query = "{ viewer { id accounts { totalCount nodes { id } pageInfo { hasNextPage } } } }"
    assert await data_of(two, principal, query) == {
        "viewer": {
            "id": principal.subject,
            "accounts": {
                "totalCount": 1,
                "nodes": [{"id": ids_of(MINE)["Account"]}],
                "pageInfo": {"hasNextPage": False},
            },
        }
    }


async def test_a_key_of_the_platform_sees_all_accounts(two: Database) -> None:
    data = await data_of(two, PLATFORM, "{ viewer { accounts { totalCount nodes { id } } } }")
    assert data["viewer"]["accounts"] == {
        "totalCount": 2,
        "nodes": [{"id": ids_of(each)["Account"]} for each in (MINE, THEIRS)],
    }


@pytest.mark.parametrize("principal", [Principal(subject="eve"), KEY_WITHOUT_SCOPE])
async def test_who_has_no_account_sees_nothing(two: Database, principal: Principal) -> None:
    data = await data_of(two, principal, "{ viewer { accounts { totalCount nodes { id } } } }")
    assert data["viewer"]["accounts"] == {"totalCount": 0, "nodes": []}
    every = [*ids_of(MINE).values(), *ids_of(THEIRS).values()]
    data = await data_of(two, principal, NODES, {"ids": every})
    assert data == {"nodes": [None] * len(every)}


MALFORMED = [
    "",
    "abc",
    "1",
    "acct_1",
    "ACCT_0000000000000001",
    " acct_0000000000000001",
    "acct_0000000000000001\n",
    "acct_000000000000000١",
    "acct_ffffffffffffffff",
    "purchase_0000000000000001",
    "acct_00000000000000010000000000000001",
    "../../etc/passwd",
    "\x00",
    "\ud800",
    "9" * 400,
]


async def test_an_account_that_is_not_yours_is_answered_like_one_that_is_not_there(
    two: Database,
) -> None:
    missing = await ask(two, ADA, ACCOUNT, {"id": ids_of(MISSING)["Account"]})
    assert missing.data == {"account": None}
    assert [code for _, code, _ in missing.errors] == ["NOT_FOUND"]
    for text in (ids_of(THEIRS)["Account"], ids_of(MINE)["Deployment"], *MALFORMED):
        answer = await ask(two, ADA, ACCOUNT, {"id": text})
        assert (answer.data, answer.errors) == (missing.data, missing.errors), text


async def test_a_node_that_is_not_yours_is_null_like_one_that_is_not_there(two: Database) -> None:
    for text in (*ids_of(THEIRS).values(), *ids_of(MISSING).values(), *MALFORMED):
        assert await data_of(two, ADA, NODE, {"id": text}) == {"node": None}, text


@pytest.mark.parametrize("kind", KEYS)
async def test_ones_own_nodes_are_found(two: Database, kind: str) -> None:
    text = ids_of(MINE)[kind]
    found = {"__typename": kind, "id": text}
    assert await data_of(two, ADA, NODE, {"id": text}) == {"node": found}
    assert await data_of(two, ADA, NODES, {"ids": [text]}) == {"nodes": [found]}
    assert await data_of(two, BOB, NODE, {"id": text}) == {"node": None}
    named = "query($id: ID!) { node(id: $id) { __typename } }"  # no column of the row is wanted
    assert await data_of(two, ADA, named, {"id": text}) == {"node": {"__typename": kind}}


async def test_a_key_of_another_type_finds_nothing(two: Database) -> None:
    text = encode_global_id("Deployment", MINE, 11)
    assert await data_of(two, ADA, NODE, {"id": text}) == {"node": None}


async def test_nodes_stand_in_the_order_of_their_ids(two: Database) -> None:
    mine, theirs = ids_of(MINE), ids_of(THEIRS)
    ids = [mine["Receipt"], theirs["Account"], mine["Account"], "x", mine["Receipt"]]
    data = await data_of(two, ADA, NODES, {"ids": ids})
    assert [node and node["id"] for node in data["nodes"]] == [ids[0], None, ids[2], None, ids[0]]


async def test_aliases_do_not_mix_accounts(two: Database) -> None:
    ids = {f"a{each}": ids_of(each)["Account"] for each in (MINE, THEIRS, MISSING)}
    fields = " ".join(f'{name}: account(id: "{text}") {{ id }}' for name, text in ids.items())
    for principal, own in ((ADA, MINE), (BOB, THEIRS)):
        answer = await ask(two, principal, f"{{ {fields} }}")
        expected: dict[str, Any] = dict.fromkeys(ids)
        expected[f"a{own}"] = {"id": ids_of(own)["Account"]}
        assert answer.data == expected
        assert [code for _, code, _ in answer.errors] == ["NOT_FOUND", "NOT_FOUND"]


async def test_a_cursor_opens_no_other_account(two: Database) -> None:
    query = """query($id: ID!, $after: String) { account(id: $id) {
      creditPurchases(after: $after) { pageInfo { endCursor } }
    } }"""
    theirs = await data_of(two, BOB, query, {"id": ids_of(THEIRS)["Account"]})
    cursor = theirs["account"]["creditPurchases"]["pageInfo"]["endCursor"]
    answer = await ask(two, ADA, query, {"id": ids_of(MINE)["Account"], "after": cursor})
    assert answer.data == {"account": {"creditPurchases": None}}
    assert [code for _, code, _ in answer.errors] == ["BAD_CURSOR"]


async def test_too_many_ids_are_refused(two: Database) -> None:
    answer = await ask(two, ADA, NODES, {"ids": ["x"] * 101})
    assert answer.data is None
    assert answer.errors == [
        (["nodes"], "BAD_USER_INPUT", "`ids` has 101 items; at most 100 are allowed.")
    ]
    assert answer.statements == 0
    assert await data_of(two, ADA, NODES, {"ids": ["x"] * 100}) == {"nodes": [None] * 100}


@pytest.fixture
async def viewed(two: Database) -> Database:
    """Eve may view account 1."""
    await put(two, member(MINE, "eve", Role.VIEWER))
    return two


EVE = Principal(subject="eve")
FORBIDDEN = (
    "Your role in this account does not include purchases, receipts, statements and the ledger."
)


async def test_a_viewer_is_refused_purchases_and_nothing_else(viewed: Database) -> None:
    mine = ids_of(MINE)
    answer = await ask(viewed, EVE, ACCOUNT, {"id": mine["Account"]})
    assert answer.data == {
        "account": {
            "id": mine["Account"],
            "name": "Customer 1",
            "balance": {"version": 0},
            "creditPurchases": None,
            "deployments": {"nodes": [{"id": mine["Deployment"]}]},
            "ledger": None,
            "receipts": None,
            "statements": None,
        }
    }
    assert answer.errors == [
        (["account", name], "FORBIDDEN", FORBIDDEN)
        for name in ("creditPurchases", "ledger", "receipts", "statements")
    ]
    listed = await ask(
        viewed, EVE, "{ viewer { accounts { nodes { creditPurchases { totalCount } } } } }"
    )
    assert listed.data == {"viewer": {"accounts": {"nodes": [{"creditPurchases": None}]}}}
    assert [code for _, code, _ in listed.errors] == ["FORBIDDEN"]


@pytest.mark.parametrize(
    "kind", ["CreditPurchase", "Refund", "Receipt", "Dispute", "LedgerRow", "Statement"]
)
async def test_a_viewer_does_not_learn_whether_a_purchase_exists(
    viewed: Database, kind: str
) -> None:
    for key in (KEYS[kind], 99):
        text = encode_global_id(kind, MINE, key)
        answer = await ask(viewed, EVE, NODE, {"id": text})
        assert answer.data == {"node": None}
        assert answer.errors == [(["node"], "FORBIDDEN", FORBIDDEN)]
    assert await data_of(viewed, EVE, NODE, {"id": ids_of(THEIRS)[kind]}) == {"node": None}


async def test_a_viewer_is_refused_item_by_item(viewed: Database) -> None:
    mine = ids_of(MINE)
    ids = [mine["Account"], mine["Receipt"], mine["Deployment"]]
    answer = await ask(viewed, EVE, NODES, {"ids": ids})
    assert [node and node["id"] for node in answer.data["nodes"]] == [ids[0], None, ids[2]]
    assert answer.errors == [(["nodes", 1], "FORBIDDEN", FORBIDDEN)]


@pytest.mark.parametrize("role", [Role.OWNER, Role.BILLING])
async def test_other_roles_see_purchases(two: Database, role: Role) -> None:
    await put(two, member(MINE, "eve", role))
    data = await data_of(two, EVE, ACCOUNT, {"id": ids_of(MINE)["Account"]})
    assert data["account"]["creditPurchases"]["nodes"] == [{"id": ids_of(MINE)["CreditPurchase"]}]
