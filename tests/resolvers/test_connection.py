"""Pages: every row once, in both directions, and cursors that hold nowhere else."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import BadCursor, BadUserInput
from gateway.ids import encode_global_id
from gateway.principal import Principal
from gateway.store import Database
from resolvers.connection import Paging
from tests.support.graph import ADA, PLATFORM, ask, data_of
from tests.support.rows import T0, account, deployment, member, purchase, put

PURCHASES = """
query($id: ID!, $first: Int, $after: String, $last: Int, $before: String,
      $filter: CreditPurchaseFilter) {
  account(id: $id) {
    creditPurchases(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
      edges { cursor node { id } }
      nodes { id }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}
"""
DEPLOYMENTS = PURCHASES.replace("creditPurchases", "deployments").replace(
    "CreditPurchaseFilter", "DeploymentFilter"
)
ACCOUNTS = """
query($first: Int, $after: String, $last: Int, $before: String) {
  viewer { accounts(first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { id } }
    nodes { id }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  } }
}
"""
ONE = encode_global_id("Account", 1)


def purchase_ids(*ids: int, account_id: int = 1) -> list[str]:
    return [encode_global_id("CreditPurchase", account_id, id_) for id_ in ids]


async def page(database: Database, query: str = PURCHASES, **variables: Any) -> Any:
    data = await data_of(database, PLATFORM, query, {"id": ONE, **variables})
    return next(iter(next(iter(data.values())).values()))


async def follow(database: Database, size: int, *, forward: bool, query: str = PURCHASES) -> Any:
    """Return all ids, in the order of the connection, gathered by following cursors."""
    pages: list[list[str]] = []
    cursor = None
    for turn in range(1000):
        where = {"first": size, "after": cursor} if forward else {"last": size, "before": cursor}
        answer = await page(database, query, **where)
        info = answer["pageInfo"]
        ids = [edge["node"]["id"] for edge in answer["edges"]]
        assert ids == [node["id"] for node in answer["nodes"]]
        pages.append(ids)
        more, back = ("hasNextPage", "hasPreviousPage")[:: 1 if forward else -1]
        assert info[back] == (turn > 0)
        cursor = info["endCursor" if forward else "startCursor"]
        if not info[more]:
            break
        assert len(ids) == size
    return [id_ for ids in (pages if forward else pages[::-1]) for id_ in ids]


async def seed(database: Database, minutes: list[int]) -> list[str]:
    """Put purchases at these minutes; return their ids, the latest first."""
    rows = [
        purchase(1, id_, created_at=T0 + timedelta(minutes=minute))
        for id_, minute in enumerate(minutes, 1)
    ]
    await put(database, account(1), *rows)
    ordered = sorted(rows, key=lambda row: (row.created_at, row.id), reverse=True)
    return purchase_ids(*(row.id for row in ordered))


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("size", [1, 3, 7, 8, 100])
async def test_following_cursors_gives_every_row_once_also_with_equal_instants(
    database: Database, size: int, forward: bool
) -> None:
    expected = await seed(database, [5, 1, 1, 1, 9, 5, 5, 2])
    assert await follow(database, size, forward=forward) == expected


@pytest.mark.parametrize("forward", [True, False])
async def test_deployments_are_paged_alike(database: Database, forward: bool) -> None:
    rows = [deployment(1, id_, started_at=T0 + timedelta(days=id_ // 3)) for id_ in range(1, 9)]
    await put(database, account(1), *rows)
    expected = [encode_global_id("Deployment", 1, id_) for id_ in range(8, 0, -1)]
    assert await follow(database, 3, forward=forward, query=DEPLOYMENTS) == expected


@pytest.mark.parametrize("forward", [True, False])
async def test_accounts_are_paged_the_oldest_first(database: Database, forward: bool) -> None:
    await put(database, *(account(id_) for id_ in (5, 1, 4, 2, 3)))
    expected = [encode_global_id("Account", id_) for id_ in range(1, 6)]
    assert await follow(database, 2, forward=forward, query=ACCOUNTS) == expected


@pytest.mark.parametrize("forward", [True, False])
async def test_rows_inserted_meanwhile_neither_repeat_nor_hide_others(
    database: Database, forward: bool
) -> None:
    expected = await seed(database, [1, 2, 2, 3])
    first = await page(database, PURCHASES, **({"first": 2} if forward else {"last": 2}))
    await put(
        database,
        *(purchase(1, id_, created_at=T0 + timedelta(minutes=m)) for id_, m in ((9, 0), (10, 4))),
    )
    info = first["pageInfo"]
    if forward:
        rest = await page(database, first=2, after=info["endCursor"])
        assert first["nodes"] + rest["nodes"] == [{"id": id_} for id_ in expected]
        assert rest["pageInfo"]["hasNextPage"]
    else:
        rest = await page(database, last=2, before=info["startCursor"])
        assert rest["nodes"] + first["nodes"] == [{"id": id_} for id_ in expected]
        assert rest["pageInfo"]["hasPreviousPage"]


@settings(max_examples=25)
@given(
    first=st.booleans(),
    size=st.integers(1, 7),
    after=st.none() | st.integers(0, 5),
    before=st.none() | st.integers(0, 5),
)
async def test_any_slice_is_the_slice_of_the_list(
    sliced: tuple[Database, list[str], list[str]],
    first: bool,
    size: int,
    after: int | None,
    before: int | None,
) -> None:
    database, ids, cursors = sliced
    start = 0 if after is None else after + 1
    stop = len(ids) if before is None else max(before, start)
    start, stop = (start, min(stop, start + size)) if first else (max(start, stop - size), stop)
    answer = await page(
        database,
        PURCHASES,
        after=None if after is None else cursors[after],
        before=None if before is None else cursors[before],
        **({"first": size} if first else {"last": size}),
    )
    assert [node["id"] for node in answer["nodes"]] == ids[start:stop]
    if start < stop:
        assert answer["pageInfo"] == {
            "hasNextPage": stop < len(ids),
            "hasPreviousPage": start > 0,
            "startCursor": cursors[start],
            "endCursor": cursors[stop - 1],
        }


@pytest.fixture
async def sliced(database: Database) -> tuple[Database, list[str], list[str]]:
    """Six purchases, their ids and their cursors."""
    ids = await seed(database, [1, 1, 2, 3, 3, 3])
    answer = await page(database)
    return database, ids, [edge["cursor"] for edge in answer["edges"]]


async def test_an_empty_page_has_no_cursors(database: Database) -> None:
    await put(database, account(1))
    assert await page(database) == {
        "edges": [],
        "nodes": [],
        "pageInfo": {
            "hasNextPage": False,
            "hasPreviousPage": False,
            "startCursor": None,
            "endCursor": None,
        },
    }


@pytest.mark.parametrize(
    ("paging", "argument"),
    [
        (Paging(first=0), "first"),
        (Paging(first=101), "first"),
        (Paging(first=-1), "first"),
        (Paging(last=0), "last"),
        (Paging(last=101), "last"),
        (Paging(first=1, last=1), "last"),
    ],
)
def test_a_size_out_of_bounds_is_refused_and_never_clamped(paging: Paging, argument: str) -> None:
    with pytest.raises(BadUserInput) as caught:
        paging.size()
    assert caught.value.extensions == {"code": "BAD_USER_INPUT", "argument": argument}


def test_the_default_size_is_20_and_the_bounds_are_allowed() -> None:
    assert [Paging().size(), Paging(first=1).size(), Paging(last=100).size()] == [20, 1, 100]


async def test_a_page_without_arguments_has_20(database: Database) -> None:
    await put(database, account(1), *(purchase(1, id_) for id_ in range(1, 23)))
    answer = await page(database)
    assert [node["id"] for node in answer["nodes"]] == purchase_ids(*range(22, 2, -1))


async def _refused(
    database: Database,
    cursor: str,
    query: str = PURCHASES,
    principal: Principal = PLATFORM,
    **variables: Any,
) -> None:
    for name in ("after", "before"):
        reply = await ask(database, principal, query, {"id": ONE, name: cursor, **variables})
        assert [code for _, code, _ in reply.errors] == ["BAD_CURSOR"], cursor


async def test_a_cursor_holds_in_its_own_connection_only(database: Database) -> None:
    await put(
        database,
        account(1),
        account(2),
        member(1, "ada"),
        *(purchase(id_, 1) for id_ in (1, 2)),
        *(deployment(id_, 1) for id_ in (1, 2)),
    )
    cursor = (await page(database))["pageInfo"]["endCursor"]
    assert len(cursor) <= 512
    await _refused(database, cursor, id=encode_global_id("Account", 2))
    await _refused(database, cursor, DEPLOYMENTS)
    await _refused(database, cursor, filter={"status": ["SUCCEEDED"]})
    await _refused(database, cursor, filter={"from": "2026-01-01"})
    of_deployment = (await page(database, DEPLOYMENTS))["pageInfo"]["endCursor"]
    await _refused(database, of_deployment)
    of_account = (await page(database, ACCOUNTS))["pageInfo"]["endCursor"]
    await _refused(database, of_account)
    await _refused(database, of_account, ACCOUNTS, ADA)


async def test_a_changed_cursor_is_refused(database: Database) -> None:
    await seed(database, [1, 2])
    cursor = (await page(database))["pageInfo"]["startCursor"]
    raw = bytearray(urlsafe_b64decode(cursor))
    for index in (0, 1, 8, 9, 16, 17, 32):
        changed = bytearray(raw)
        changed[index] ^= 1
        await _refused(database, urlsafe_b64encode(changed).decode())


@pytest.mark.parametrize(
    "text", ["", "abc", "MTA=", "\x00", "é" * 44, "\ud800", "A" * 44, "A" * 45, "A" * 10_000]
)
async def test_text_that_is_no_cursor_is_refused(database: Database, text: str) -> None:
    await put(database, account(1))
    await _refused(database, text)
    assert BadCursor.code == "BAD_CURSOR"


async def test_a_filter_that_is_spelled_otherwise_is_the_same_filter(database: Database) -> None:
    await seed(database, [1, 2, 3])
    given = {"status": ["SUCCEEDED", "FAILED", "FAILED"], "timeZone": "UTC"}
    cursor = (await page(database, filter=given, first=1))["pageInfo"]["endCursor"]
    same = {"status": ["FAILED", "SUCCEEDED"]}
    answer = await page(database, filter=same, after=cursor)
    assert [node["id"] for node in answer["nodes"]] == purchase_ids(2, 1)
