"""Saved views: the first mutations."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from gateway.billing.usage.saved_views import MAX_FILTER, MAX_VIEWS
from gateway.ids import encode_global_id
from gateway.principal import Permission, Principal, Role
from gateway.store import Database
from tests.support.graph import ADA, BOB, FALLBACKS, NOW, PLATFORM, Reply, ask, change, data_of
from tests.support.rows import account, deployment, member, put, saved_view
from tests.support.tables import table_rows

ACME = encode_global_id("Account", 1)
OTHER = encode_global_id("Account", 2)
NODE = encode_global_id("Deployment", 1, 41)
EVE = Principal(subject="eve")
KEY = Principal(
    subject="ada", key_id="one", account_id=1, scopes=frozenset({Permission.BILLING_READ})
)

VIEW = """fragment View on SavedView {
  id name createdAt updatedAt
  query {
    interval range from to timeZone by then
    filter { deployments providers gpuModels projects resources }
  }
}"""
SAVE = f"""mutation Save($input: SaveViewInput!) {{
  saveView(input: $input) {{ view {{ ...View }} userErrors {{ code path message }} }}
}} {VIEW}"""
DELETE = """mutation Delete($input: DeleteViewInput!) {
  deleteView(input: $input) { view { id name } userErrors { code path message } }
}"""
VIEWS = f"query($id: ID!) {{ account(id: $id) {{ savedViews {{ ...View }} }} }} {VIEW}"
EVERY_PART = {
    "interval": "WEEK",
    "from": "2026-01-01",
    "to": "2026-06-30",
    "timeZone": "Europe/Berlin",
    "filter": {"deployments": [NODE, None], "providers": [], "projects": ["b", None, "a", "b"]},
    "by": "PROVIDER",
    "then": "GPU_MODEL",
}


@pytest.fixture
async def acme(database: Database) -> Database:
    """Account 1 of Ada, Bob and Eve, who is a VIEWER; Bob's account 2."""
    await put(
        database,
        *map(account, (1, 2)),
        deployment(1, 41),
        deployment(2, 42),
        member(1, "ada"),
        member(1, "bob"),
        member(1, "eve", Role.VIEWER),
        member(2, "bob"),
    )
    return database


async def save(
    database: Database,
    name: str,
    query: dict[str, Any] | None = None,
    *,
    principal: Principal = ADA,
    **given: Any,
) -> Reply:
    view = {"accountId": ACME, "name": name, "query": query or {}, **given}
    return await change(database, principal, SAVE, {"input": view})


async def saved(database: Database, *given: Any, **named: Any) -> dict[str, Any]:
    """Return a view that was saved."""
    reply = await save(database, *given, **named)
    assert (reply.errors, reply.data["saveView"]["userErrors"]) == ([], [])
    view: dict[str, Any] = reply.data["saveView"]["view"]
    return view


async def refused(database: Database, *given: Any, **named: Any) -> list[tuple[str, str]]:
    """Return the codes and the paths of a view that was not saved."""
    reply = await save(database, *given, **named)
    assert (reply.errors, reply.data["saveView"]["view"]) == ([], None)
    return errors_of(reply.data["saveView"])


def errors_of(payload: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["code"], ".".join(each["path"])) for each in payload["userErrors"]]


async def views(database: Database, principal: Principal = ADA, id_: str = ACME) -> Any:
    return (await data_of(database, principal, VIEWS, {"id": id_}))["account"]["savedViews"]


async def test_every_part_of_a_query_is_kept(acme: Database) -> None:
    view = await saved(acme, "  Projects of spring ", EVERY_PART)
    at = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert view == {
        "id": view["id"],
        "name": "Projects of spring",
        "createdAt": at,
        "updatedAt": at,
        "query": {
            **EVERY_PART,
            "range": None,
            "filter": {
                "deployments": [None, NODE],
                "providers": [],
                "gpuModels": None,
                "projects": [None, "a", "b"],
                "resources": None,
            },
        },
    }
    left = FALLBACKS.total()
    assert await views(acme) == [view]
    assert FALLBACKS.total() == left
    node = f"query($id: ID!) {{ node(id: $id) {{ ...View }} }} {VIEW}"
    assert await data_of(acme, ADA, node, {"id": view["id"]}) == {"node": view}


async def test_a_range_moves_and_defaults_stay_open(acme: Database) -> None:
    empty = (await saved(acme, "all", {}))["query"]
    assert set(empty.values()) == {None}
    assert (await saved(acme, "month", {"range": "LAST_MONTH"}))["query"]["range"] == "LAST_MONTH"
    unfiltered = await saved(acme, "unfiltered", {"filter": {"providers": None}})
    assert unfiltered["query"]["filter"] is None


async def test_a_repeated_save_changes_nothing(acme: Database) -> None:
    view = await saved(acme, "weekly", EVERY_PART)
    given = {"accountId": ACME, "name": "weekly", "query": EVERY_PART}
    later = NOW + timedelta(days=1)
    again = await change(acme, ADA, SAVE, {"input": given}, now=later)
    assert again.data["saveView"]["view"] == view
    changed = await change(acme, ADA, SAVE, {"input": given | {"query": {}}}, now=later)
    replaced = changed.data["saveView"]["view"]
    assert (replaced["id"], replaced["createdAt"]) == (view["id"], view["createdAt"])
    assert (replaced["updatedAt"][:10], replaced["query"]["by"]) == (f"{later:%Y-%m-%d}", None)
    assert await views(acme) == [replaced]


async def test_a_view_is_renamed_by_its_id(acme: Database) -> None:
    view = await saved(acme, "one")
    other = await saved(acme, "Other")
    renamed = await saved(acme, "two", id=view["id"])
    assert (renamed["id"], renamed["name"]) == (view["id"], "two")
    assert [each["name"] for each in await views(acme)] == ["Other", "two"]
    assert await refused(acme, "Other", id=view["id"]) == [("CONFLICT", "input.name")]
    await change(acme, ADA, DELETE, {"input": {"id": other["id"]}})
    assert await refused(acme, "three", id=other["id"]) == [("NOT_FOUND", "input.id")]


async def test_a_view_is_deleted_once(acme: Database) -> None:
    view = await saved(acme, "one")
    gone = await change(acme, ADA, DELETE, {"input": {"id": view["id"]}})
    named = {"id": view["id"], "name": "one"}
    assert gone.data == {"deleteView": {"view": named, "userErrors": []}}
    for id_ in (view["id"], ACME, "view_1", "\0"):
        again = await change(acme, ADA, DELETE, {"input": {"id": id_}})
        assert again.data["deleteView"]["view"] is None
        assert errors_of(again.data["deleteView"]) == [("NOT_FOUND", "input.id")]
    assert await views(acme) == []


BAD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "empty": ({"name": " "}, ["input.name"]),
    "long": ({"name": "x" * 101}, ["input.name"]),
    "control": ({"name": "a\nb"}, ["input.name"]),
    "surrogate": ({"name": "\ud800"}, ["input.name"]),
    "reversed": ({"query": {"from": "2026-02-01", "to": "2026-01-01"}}, ["input.query.from"]),
    "many buckets": (
        {"query": {"interval": "DAY", "from": "2020-01-01", "to": "2026-01-01"}},
        ["input.query.from"],
    ),
    "two ranges": (
        {"query": {"range": "THIS_YEAR", "from": "2026-01-01"}},
        ["input.query.range"],
    ),
    "the same twice": (
        {"query": {"by": "PROVIDER", "then": "PROVIDER"}},
        ["input.query.then"],
    ),
    "then alone": ({"query": {"then": "PROVIDER"}}, ["input.query.then"]),
    "many values": (
        {"query": {"filter": {"projects": ["x"] * 101}}},
        ["input.query.filter.projects"],
    ),
    "large filter": (
        {"query": {"filter": {"projects": [str(n) * MAX_FILTER for n in range(2)]}}},
        ["input.query.filter"],
    ),
    "all at once": (
        {"name": "", "query": {"range": "THIS_YEAR", "to": "2026-01-01", "then": "PROVIDER"}},
        ["input.name", "input.query.range", "input.query.then"],
    ),
}


async def test_each_fault_is_named_by_its_path(acme: Database) -> None:
    for given, paths in BAD.values():
        found = await refused(acme, **{"name": "one", **given})
        assert found == [("BAD_USER_INPUT", path) for path in paths], given
    assert await table_rows(acme, "saved_view") == []


async def test_impossible_values_are_not_kept(acme: Database) -> None:
    foreign = encode_global_id("Deployment", 2, 42)
    lists = {"deployments": [foreign, "x"], "projects": ["\0", "a"], "providers": ["\ud800"]}
    found = (await saved(acme, "one", {"filter": lists}))["query"]["filter"]
    assert (found["deployments"], found["projects"], found["providers"]) == ([], ["a"], [])


async def test_a_person_has_so_many_views(acme: Database) -> None:
    await put(acme, *(saved_view(1, id_, "ada") for id_ in range(1, MAX_VIEWS + 1)))
    await saved(acme, "Of Bob", principal=BOB)
    assert await refused(acme, "One more") == [("BAD_USER_INPUT", "input.name")]
    await saved(acme, "View 7", {"range": "THIS_YEAR"})  # replaces
    reply = await ask(acme, ADA, VIEWS, {"id": ACME})
    assert (len(reply.data["account"]["savedViews"]), reply.points) == (MAX_VIEWS, 1 + MAX_VIEWS)
    assert reply.requested == 1 + MAX_VIEWS


async def test_views_that_are_saved_at_once_keep_the_limit(acme: Database) -> None:
    await put(acme, *(saved_view(1, id_, "ada") for id_ in range(2, MAX_VIEWS + 1)))
    replies = await asyncio.gather(*(save(acme, f"New {n}") for n in range(3)))
    assert sorted(bool(each.data["saveView"]["view"]) for each in replies) == [False, False, True]
    assert len(await views(acme)) == MAX_VIEWS


async def test_views_are_of_one_person(acme: Database) -> None:
    view = await saved(acme, "mine")
    for other in (BOB, EVE, KEY, PLATFORM):
        assert await views(acme, other) == []
        node = "query($id: ID!) { node(id: $id) { id } }"
        assert await data_of(acme, other, node, {"id": view["id"]}) == {"node": None}
    for other in (BOB, EVE):
        reply = await change(acme, other, DELETE, {"input": {"id": view["id"]}})
        assert errors_of(reply.data["deleteView"]) == [("NOT_FOUND", "input.id")]
        stolen = await refused(acme, "theirs", principal=other, id=view["id"])
        assert stolen == [("NOT_FOUND", "input.id")]
        await saved(acme, "mine", principal=other)  # a VIEWER too
    assert await views(acme) == [view]


async def test_who_may_not_read_an_account_saves_nothing(acme: Database) -> None:
    for account_id in (OTHER, encode_global_id("Account", 9), NODE, "\0"):
        reply = await save(acme, "one", accountId=account_id)
        assert reply.data == {"saveView": None}
        assert [(path, code) for path, code, _ in reply.errors] == [(["saveView"], "NOT_FOUND")]
    for principal in (KEY, PLATFORM):
        for text, name in ((SAVE, "saveView"), (DELETE, "deleteView")):
            given = {"accountId": ACME, "name": "one", "query": {}}
            reply = await change(
                acme, principal, text, {"input": given if text is SAVE else {"id": "view_1"}}
            )
            assert reply.data == {name: None}
            assert [(path, code) for path, code, _ in reply.errors] == [([name], "FORBIDDEN")]
    assert await table_rows(acme, "saved_view") == []


async def test_a_former_member_sees_no_views(acme: Database) -> None:
    await put(acme, saved_view(2, 7, "ada"))
    id_ = encode_global_id("SavedView", 2, 7)
    node = "query($id: ID!) { node(id: $id) { id } }"
    assert await data_of(acme, ADA, node, {"id": id_}) == {"node": None}
    reply = await change(acme, ADA, DELETE, {"input": {"id": id_}})
    assert errors_of(reply.data["deleteView"]) == [("NOT_FOUND", "input.id")]


async def test_mutations_of_one_document_run_in_order(acme: Database) -> None:
    text = """mutation($a: SaveViewInput!, $b: SaveViewInput!) {
      first: saveView(input: $a) { view { id } }
      refused: saveView(input: $b) { view { id } userErrors { code } }
      again: saveView(input: $a) { view { id } }
    }"""
    good = {"accountId": ACME, "name": "one", "query": {}}
    reply = await change(acme, ADA, text, {"a": good, "b": good | {"name": ""}})
    assert reply.errors == []
    assert reply.data["first"] == reply.data["again"]
    assert reply.data["refused"] == {"view": None, "userErrors": [{"code": "BAD_USER_INPUT"}]}
