"""An account's audit events: for its owners alone, and without the platform's affairs."""

from datetime import timedelta
from typing import Any

import pytest

from gateway.audit.account_deeds import DEEDS
from gateway.audit.deeds import Act, Deed, cells, record
from gateway.auth.key_store import issue_key
from gateway.billing.accounts import put_member
from gateway.ids import encode_global_id
from gateway.principal import Actor, Permission, Principal, Role
from gateway.store import Database, audit_events
from resolvers.enums import AccountDeed
from tests.support.books import ACTOR, Books
from tests.support.graph import ADA, BOB, PLATFORM, ask

QUERY = """query($id: ID!, $first: Int, $after: String) { account(id: $id) { id
  auditEvents(first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor }
    nodes { id at deed target actor { kind name } changes { name before after } } } } }"""
EVE = Principal(subject="eve")
ADMIN = frozenset({Permission.ADMIN})
READ = frozenset({Permission.BILLING_READ})
FORBIDDEN = "Your role in this account does not include its audit events."


@pytest.fixture
async def books(database: Database) -> Books:
    return Books(database)


@pytest.fixture
async def mine(books: Books) -> int:
    """Ada's account, with deeds of all kinds of actors; Bob's has one too."""
    books.clock.instant += timedelta(seconds=1)
    owners = [("ada", Role.OWNER), ("bob", Role.BILLING), ("eve", Role.VIEWER)]
    mine = await books.account("acme", members=owners, stripe_customer_id="cus_secret")
    await books.account("other", members=[("bob", Role.OWNER)])
    await books.account(
        "acme", name="New", time_zone="Asia/Tokyo", low_balance_nanos=5_000_000_000, members=None
    )
    own = Actor.of(Principal(subject="key:own", key_id="own", account_id=mine, scopes=ADMIN))
    staff = Actor.of(Principal(subject="key:staff", key_id="staff"))
    async with books.database.writing(ACTOR) as transaction:
        for name, actor in (("ann", own), ("zoe", staff)):
            await put_member(transaction, [mine], name, Role.VIEWER, actor=actor, clock=books.clock)
        await issue_key(
            transaction,
            environment="live",
            name="meters",
            scopes=READ,
            account_id=mine,
            actor=ACTOR,
            clock=books.clock,
        )
        hidden = (Deed.PAYMENT_RECORDED, Deed.DATA_READ, Deed.USAGE_IMPORTED, Deed.JOB_RETRIED)
        acts = [Act(deed, mine, "hidden") for deed in hidden]
        await record(transaction, staff, acts, clock=books.clock)
        refused = cells(
            Act(Deed.MEMBER_ADDED, mine, "hidden"), own, result="FORBIDDEN", at=books.clock.now()
        )
        await audit_events.append(transaction, [refused])
    return mine


async def read(database: Database, principal: Principal, account_id: int, **more: Any) -> Any:
    variables = {"id": encode_global_id("Account", account_id), **more}
    return await ask(database, principal, QUERY, variables)


def key(account_id: int | None, scopes: frozenset[Permission]) -> Principal:
    return Principal(subject="key:k", key_id="k", account_id=account_id, scopes=scopes)


async def test_owners_read_who_changed_their_account(books: Books, mine: int) -> None:
    reply = await read(books.database, ADA, mine)
    assert reply.errors == []
    events = reply.data["account"]["auditEvents"]
    assert events["totalCount"] == len(events["nodes"]) == 10
    found = [(each["deed"], each["target"], each["changes"]) for each in events["nodes"][::-1]]

    def change(name: str, before: str | None, after: str | None) -> dict[str, str | None]:
        return {"name": name, "before": before, "after": after}

    made = {"currency": "USD", "name": "Acme", "timeZone": "UTC"}
    assert found[0] == (
        "ACCOUNT_CREATED",
        "acme",
        [change(name, None, text) for name, text in made.items()],
    )
    assert found[1] == ("MEMBER_ADDED", "ada", [change("role", None, "OWNER")])
    assert found[4:7] == [
        ("ACCOUNT_CHANGED", "acme", [change("name", "Acme", "New")]),
        ("TIME_ZONE_CHANGED", "acme", [change("timeZone", "UTC", "Asia/Tokyo")]),
        ("LOW_BALANCE_CHANGED", None, [change("amount", None, "5.00")]),
    ]
    assert [each["actor"] for each in events["nodes"][:3]] == [
        {"kind": "PLATFORM", "name": None},
        {"kind": "PLATFORM", "name": None},
        {"kind": "API_KEY", "name": "own"},
    ]
    assert events["nodes"][0]["deed"] == "API_KEY_CREATED"
    assert change("name", None, "meters") in events["nodes"][0]["changes"]
    for hidden in ("cus_secret", "staff", "hidden"):
        assert hidden not in str(reply.data)


async def test_events_are_paged_newest_first(books: Books, mine: int) -> None:
    whole = (await read(books.database, ADA, mine)).data["account"]["auditEvents"]["nodes"]
    found: list[Any] = []
    after = None
    while True:
        reply = await read(books.database, ADA, mine, first=4, after=after)
        page = reply.data["account"]["auditEvents"]
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert found == whole


async def test_other_roles_and_keys_are_refused_the_events_alone(books: Books, mine: int) -> None:
    for principal in (BOB, EVE, key(mine, READ), PLATFORM):
        reply = await read(books.database, principal, mine)
        assert reply.data["account"]["auditEvents"] is None
        assert reply.data["account"]["id"]
        ((path, code, message),) = reply.errors
        assert (path, code) == (["account", "auditEvents"], "FORBIDDEN")
        assert message in (FORBIDDEN, "This requires an API key with the scope admin.")


async def test_admin_keys_read_the_events_too(books: Books, mine: int) -> None:
    expected = (await read(books.database, ADA, mine)).data
    for account_id in (mine, None):
        assert (await read(books.database, key(account_id, ADMIN | READ), mine)).data == expected
    reply = await read(books.database, key(mine + 1, ADMIN | READ), mine)
    assert reply.data == {"account": None}


async def test_events_of_many_accounts_are_one_statement(books: Books, mine: int) -> None:
    query = """query($first: Int) { viewer { accounts(first: $first) { nodes {
      auditEvents(first: 2) { totalCount nodes { id changes { name } } } } } } }"""
    one, two = [
        await ask(books.database, key(None, ADMIN | READ), query, {"first": first})
        for first in (1, 2)
    ]
    assert len(two.data["viewer"]["accounts"]["nodes"]) == 2
    assert one.errors == two.errors == []
    assert one.statements == two.statements


def test_each_shown_deed_is_a_value_of_the_enum() -> None:
    assert [each.name for each in AccountDeed] == [deed.name for deed in DEEDS]
