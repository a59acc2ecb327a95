"""Order, misses, chunks, and nothing left behind."""

import asyncio
import gc
import weakref
from collections.abc import Sequence
from typing import cast

import pytest

from gateway.principal import Principal
from gateway.store import Database, Listing, Page, Selection, Snapshot
from gateway.store.account_listing import ACCOUNT_BY_ID
from gateway.store.purchase_listing import CREDIT_PURCHASES
from gateway.store.purchase_relations import RECEIPT_BY_PURCHASE
from gateway.store.relation import by_position
from gateway.store.rows import Counted, CreditPurchaseRow, VisibleAccount
from loaders import batch
from loaders.batch import Loader, bind
from loaders.operation import Loaders
from tests.support.books import ACTOR
from tests.support.graph import ADA, PLATFORM
from tests.support.rows import T0, account, member, purchase, put, receipt, refund

EARLY, LATE = (T0.replace(year=2000), -1), (T0.replace(year=2100), -1)


async def test_rows_stand_in_the_order_of_the_keys_and_misses_are_none(
    database: Database,
) -> None:
    await put(database, account(1), account(2), account(3), member(1, "ada"), member(3, "ada"))
    async with Snapshot(database, ACTOR) as snapshot:
        loader = bind(ACCOUNT_BY_ID.fetch, snapshot, ADA)
        rows = await asyncio.gather(*map(loader.load, [(3,), (2,), (9,), (1,), (3,)]))
        again = await loader.load((1,))
    assert [row and row["account_id"] for row in rows] == [3, None, None, 1, 3]
    assert again is rows[3]
    assert snapshot.statements == 1
    assert rows[0] is not None
    assert rows[0]["role"] == "OWNER"


async def test_keys_of_several_parts_are_matched_as_a_whole(database: Database) -> None:
    await put(
        database,
        *(account(1), account(2), purchase(1, 1), purchase(1, 2), purchase(2, 1)),
        refund(1, 5, 1),
        *(receipt(1, 1, 1), receipt(1, 2, 1, refund_id=5), receipt(2, 3, 1)),
    )
    async with Snapshot(database, ACTOR) as snapshot:
        loader = bind(RECEIPT_BY_PURCHASE.fetch, snapshot, PLATFORM)
        rows = await asyncio.gather(*map(loader.load, [(2, 1), (1, 2), (1, 1), (2, 2)]))
    assert [row and row["id"] for row in rows] == [3, None, 1, None]
    assert rows[0] is not None
    assert "data" not in dict(rows[0])


async def test_a_key_is_loaded_once(database: Database) -> None:
    await put(database, account(1), account(2), account(3))
    async with Snapshot(database, ACTOR) as snapshot:
        loader = bind(ACCOUNT_BY_ID.fetch, snapshot, PLATFORM)
        first, second = loader.load_all([(2,), (9,), (2,)]), loader.load_all([(1,), (2,)])
        found = cast("list[VisibleAccount | None]", [*await first, *await second])
        assert snapshot.statements == 1
        again = await loader.load((1,))
        alone = await loader.load((3,))
        beside = await loader.load_all([(3,), (1,)])
        assert snapshot.statements == 2
    assert [row and row["account_id"] for row in found] == [2, None, 2, 1, 2]
    assert again is found[3]
    assert beside[0] is alone
    assert beside[1] is again


async def test_a_failed_batch_fails_its_keys_alone() -> None:
    async def fetch(keys: list[int]) -> list[str]:
        if 2_000 in keys:
            raise ValueError("no")
        return [str(key) for key in keys]

    loader = Loader(fetch)
    found = await loader.load_all(range(2 * batch.MAX_KEYS + 5))
    assert found[:2] == ["0", "1"]
    assert {type(each) for each in found[2 * batch.MAX_KEYS :]} == {ValueError}
    assert {type(each) for each in found[: 2 * batch.MAX_KEYS]} == {str}
    with pytest.raises(ValueError, match="no"):
        await loader.load(2_001)


async def test_a_cancelled_caller_ends_its_own_wait_alone() -> None:
    released = asyncio.Event()

    async def fetch(keys: list[int]) -> list[int]:
        await released.wait()
        return keys

    loader = Loader(fetch)
    column = asyncio.ensure_future(loader.load_all([1, 2]))
    one = [asyncio.ensure_future(loader.load(key)) for key in (2, 3, 3)]
    await asyncio.sleep(0)
    one[0].cancel()
    one[1].cancel()
    await asyncio.sleep(0)
    released.set()
    assert await column == [1, 2]
    assert await one[2] == 3
    assert await loader.load_all([2, 4]) == [2, 4]


async def test_many_keys_are_loaded_in_chunks(database: Database) -> None:
    await put(database, *(account(id_) for id_ in range(1, 4)))
    async with Snapshot(database, ACTOR) as snapshot:
        loader = bind(ACCOUNT_BY_ID.fetch, snapshot, PLATFORM)
        rows = await asyncio.gather(
            *map(loader.load, [(id_,) for id_ in range(batch.MAX_KEYS + 3, 0, -1)])
        )
    assert [row["account_id"] for row in rows if row] == [3, 2, 1]
    assert [row is None for row in rows[:-3]] == [True] * batch.MAX_KEYS
    async with Snapshot(database, ACTOR) as snapshot:
        column = bind(ACCOUNT_BY_ID.fetch, snapshot, PLATFORM)
        keys = [(id_,) for id_ in range(batch.MAX_KEYS + 3, 0, -1)]
        assert await column.load_all(keys) == rows
    assert snapshot.statements == 2


def selection(account_id: int, *conditions: tuple[str, tuple[str, ...]]) -> Selection:
    return Selection(scope=(account_id,), lower=EARLY, upper=LATE, conditions=conditions)


def ids(rows: Sequence[CreditPurchaseRow]) -> list[int]:
    return [row["id"] for row in rows]


async def test_pages_of_one_shape_are_one_statement_whatever_their_bounds(
    database: Database,
) -> None:
    await put(
        database,
        *(account(1), account(2)),
        *(purchase(1, id_) for id_ in range(1, 6)),
        *(purchase(2, id_) for id_ in range(1, 3)),
    )
    tail = Selection(scope=(1,), lower=EARLY, upper=(T0.replace(minute=3), 3))
    async with Snapshot(database, ACTOR) as snapshot:
        loader = bind(CREDIT_PURCHASES.fetch_pages, snapshot, PLATFORM)
        pages = [
            Page(selection=each, ascending=False, limit=2)
            for each in (selection(2), tail, selection(9), selection(1))
        ]
        found = await asyncio.gather(*map(loader.load, pages))
        assert snapshot.statements == 1
        upwards = await loader.load(Page(selection=selection(1), ascending=True, limit=3))
    assert [ids(rows) for rows in found] == [[2, 1], [2, 1], [], [5, 4]]
    assert ids(upwards) == [1, 2, 3]


async def test_another_principal_gets_empty_pages_and_totals(database: Database) -> None:
    back = {"status": "PARTIALLY_REFUNDED", "refunded_nanos": 10**9}
    await put(database, account(1), purchase(1, 1, **back), refund(1, 1, 1), member(1, "ada"))
    page = Page(selection=selection(1), ascending=False, limit=2)
    for principal, expected in ((ADA, 1), (Principal(subject="eve"), 0)):
        async with Snapshot(database, ACTOR) as snapshot:
            loaders = Loaders(snapshot, principal)
            rows = await loaders.credit_purchases_by_page.load(page)
            totals = await loaders.credit_purchase_totals_by_selection.load(selection(1))
            refunds = await loaders.refund_totals_by_selection.load(selection(1))
        assert len(rows) == totals["total_count"] == expected
        assert totals["paid_nanos"] == expected * 10**10
        assert refunds["refund_nanos"] == expected * 10**9


async def test_totals_are_integers_and_one_statement_for_all_accounts(database: Database) -> None:
    await put(database, account(1), account(2), purchase(1, 1), purchase(1, 2), purchase(2, 1))
    failed = selection(1, ("status", ("FAILED",)))
    async with Snapshot(database, ACTOR) as snapshot:
        loader = bind(CREDIT_PURCHASES.fetch_totals, snapshot, PLATFORM)
        found = await asyncio.gather(*map(loader.load, [selection(2), selection(9), selection(1)]))
        assert snapshot.statements == 1
        none = await loader.load(failed)
    assert [row["total_count"] for row in found] == [1, 0, 2]
    assert [row["paid_nanos"] for row in (*found, none)] == [10**10, 0, 2 * 10**10, 0]
    assert {type(value) for row in found for value in row.values()} == {int}


async def test_statements_are_made_once_for_each_shape() -> None:
    listing = Listing[CreditPurchaseRow, Counted](
        CREDIT_PURCHASES._table, scope=("account_id",), order=("created_at", "id")
    )
    assert listing._page_statement(True, (), None, ()) is listing._page_statement(
        True, (), None, ()
    )
    assert listing._page_statement(True, (), None, ()) is not listing._page_statement(
        False, (), None, ()
    )


async def test_loaders_are_freed_without_the_collector(database: Database) -> None:
    await put(database, account(1), purchase(1, 1))
    gc.collect()
    gc.disable()
    try:
        async with Snapshot(database, ACTOR) as snapshot:
            loaders = Loaders(snapshot, PLATFORM)
            await loaders.account_by_id.load((1,))
            await loaders.credit_purchases_by_page.load(
                Page(selection=selection(1), ascending=False, limit=2)
            )
        watched = [
            weakref.ref(loader)
            for name in vars(Loaders)
            if isinstance(loader := getattr(loaders, name), Loader)
        ]
        del loaders, loader
        assert len(watched) > 10
        assert [reference() for reference in watched] == [None] * len(watched)
    finally:
        gc.enable()


def test_rows_are_grouped_by_their_position() -> None:
    rows = [{"n": 3, "x": 1}, {"n": 1, "x": 2}, {"n": 3, "x": 0}]
    assert by_position(rows, 3) == [[rows[1]], [], [rows[0], rows[2]]]
