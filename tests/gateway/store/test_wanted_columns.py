"""Relations that read only the wanted columns."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, combinations
from typing import Any

import pytest

from gateway.column_rows import column as cells
from gateway.store import Database, Page, Selection, Snapshot
from gateway.store.account_listing import ACCOUNT_BY_ID
from gateway.store.companions import MOST_BETWEEN, Beside, Keep
from gateway.store.purchase_listing import CREDIT_PURCHASES
from gateway.store.purchase_relations import DISPUTE_BY_ID, RECEIPT_BY_PURCHASE
from gateway.store.relation import STATEMENTS, Key, Keyed, Wanted
from gateway.store.rows import ReceiptRow
from gateway.store.selection import Conditions
from tests.support.books import ACTOR
from tests.support.graph import ADA, PLATFORM
from tests.support.rows import T0, account, member, purchase, put, receipt

ALL = Selection(scope=(1,), lower=(T0.replace(year=2000), -1), upper=(T0.replace(year=2100), -1))
TOTALS = ("paid_nanos", "tax_nanos", "bonus_nanos", "refunded_nanos")


@pytest.fixture
async def snapshot(database: Database) -> Snapshot:
    await put(
        database,
        *(account(1), account(2), member(1, "ada")),
        *(purchase(1, id_, settled_at=T0) for id_ in range(1, 6)),
        *(purchase(2, 6), receipt(1, 1, 1), receipt(1, 2, 2)),
    )
    return Snapshot(database, ACTOR)


@pytest.mark.parametrize("ascending", [True, False])
async def test_pages_have_the_wanted_columns_and_the_order(
    snapshot: Snapshot, ascending: bool
) -> None:
    page = Page(selection=ALL, ascending=ascending, limit=3)
    async with snapshot:
        (some,) = await CREDIT_PURCHASES.fetch_pages(
            snapshot, ADA, [page], frozenset({"status", "amount_nanos"})
        )
        (whole,) = await CREDIT_PURCHASES.fetch_pages(snapshot, ADA, [page])
    assert len(some) == 3
    names = {"created_at", "id", "status", "amount_nanos"}
    assert [dict(row).keys() - {"n"} for row in some] == [names] * 3
    wanted = [{name: dict(row)[name] for name in names} for row in whole]
    assert [{name: dict(row)[name] for name in names} for row in some] == wanted


@pytest.mark.parametrize("wanted", [None, frozenset({"number"})])
async def test_a_page_brings_along_the_receipts_of_its_rows(
    snapshot: Snapshot, wanted: Wanted
) -> None:
    found: dict[Key, ReceiptRow | None] = {}

    def keep(keys: Sequence[Key], receipts: Sequence[ReceiptRow | None]) -> None:
        found.update(zip(keys, receipts, strict=True))

    pages = [Page(selection=ALL, ascending=ascending, limit=3) for ascending in (True, False)]
    async with snapshot:
        for columns in (None, frozenset({"status"})):
            both = await CREDIT_PURCHASES.fetch_pages(
                snapshot, ADA, pages, columns, beside={Beside("receipt", wanted): keep}
            )
            assert [[row["id"] for row in rows] for rows in both] == [[1, 2, 3], [5, 4, 3]]
        alone = await RECEIPT_BY_PURCHASE.fetch(snapshot, ADA, [*found], wanted)
    assert [*found] == [(1, id_) for id_ in (1, 2, 3, 5, 4)]
    names = {"id", "number", "issued_at"} if wanted is None else {"number"}
    for mine, other in zip(found.values(), alone, strict=True):
        assert (mine is None) is (other is None)
        assert mine is None or {n: dict(mine).get(n) for n in names} == {
            n: dict(other or {}).get(n) for n in names
        }
    assert [key for key, receipt in found.items() if receipt] == [(1, 1), (1, 2)]


@pytest.mark.parametrize("conditions", [(), (("status", ("SUCCEEDED",)),)])
async def test_a_page_brings_along_no_receipts_of_other_pages(
    database: Database, conditions: Conditions
) -> None:
    """Also where a purchase is known long after its time, and its key is not among its page's."""
    await put(
        database,
        *(account(1), account(2), member(1, "ada")),
        *(purchase(1, id_) for id_ in range(1, 6)),
        *(purchase(1, 9, created_at=T0), purchase(2, 4)),
        *(receipt(1, id_, id_) for id_ in (1, 3, 4, 9)),
        receipt(2, 5, 4),
    )
    page = Page(selection=replace(ALL, conditions=conditions), ascending=True, limit=3)
    empty = replace(page, selection=replace(page.selection, upper=page.selection.lower))
    others = replace(page, selection=replace(page.selection, scope=(2,)))
    found: dict[Key, str | None] = {}

    def keep(keys: Sequence[Key], receipts: Sequence[ReceiptRow | None]) -> None:
        numbers = (receipt and receipt["number"] for receipt in receipts)
        found.update(zip(keys, numbers, strict=True))

    beside = {Beside("receipt", frozenset({"number"})): keep}
    async with Snapshot(database, ACTOR) as snapshot:
        for each, ids in ((page, [9, 1, 2]), (empty, []), (others, [])):
            (rows,) = await CREDIT_PURCHASES.fetch_pages(snapshot, ADA, [each], None, beside)
            assert [row["id"] for row in rows] == [*cells(rows, "id")] == ids
    assert found == {
        (1, 9): "00000001-2026-000009",
        (1, 1): "00000001-2026-000001",
        (1, 2): None,
    }


async def test_totals_are_the_wanted_ones(snapshot: Snapshot) -> None:
    async with snapshot:
        (whole,) = await CREDIT_PURCHASES.fetch_totals(snapshot, ADA, [ALL])
        assert whole["total_count"] == 5
        for count in range(len(TOTALS) + 1):
            for names in combinations(TOTALS, count):
                (some,) = await CREDIT_PURCHASES.fetch_totals(
                    snapshot, ADA, [ALL], frozenset({"total_count", *names})
                )
                wanted = {name: dict(whole)[name] for name in ("total_count", *names)}
                assert dict(some).items() - {("n", 1)} == wanted.items()


async def test_receipts_far_apart_are_left_to_their_own_statement(database: Database) -> None:
    """On Postgres, where those between would be read too: a thousand and more."""
    many = MOST_BETWEEN + 1
    await put(
        database,
        *(account(1), member(1, "ada")),
        *(purchase(1, id_) for id_ in range(1, many)),
        purchase(1, many, created_at=T0),
        *(receipt(1, id_, id_) for id_ in range(1, many + 1)),
    )
    found: list[Key] = []
    beside: dict[Beside, Keep] = {Beside("receipt", None): lambda keys, _: found.extend(keys)}
    pages = [Page(selection=ALL, ascending=ascending, limit=3) for ascending in (True, False)]
    async with Snapshot(database, ACTOR) as snapshot:
        for page, ids in zip(pages, ([many, 1, 2], [many - 1, many - 2, many - 3]), strict=True):
            (rows,) = await CREDIT_PURCHASES.fetch_pages(snapshot, ADA, [page], None, beside)
            assert [row["id"] for row in rows] == ids
            kept = [] if snapshot.dialect == "postgresql" and many in ids else ids
            assert found == [(1, id_) for id_ in kept]
            found.clear()


async def test_rows_by_key_have_the_wanted_columns(snapshot: Snapshot) -> None:
    keys = [(1, 2), (1, 9), (1, 1)]
    async with snapshot:
        rows = await RECEIPT_BY_PURCHASE.fetch(snapshot, ADA, keys, frozenset({"number"}))
        whole = await RECEIPT_BY_PURCHASE.fetch(snapshot, ADA, keys)
    assert [row and dict(row).keys() for row in rows] == [{"number", "n"}, None, {"number", "n"}]
    assert [row and row["number"] for row in rows] == [row and row["number"] for row in whole]


async def test_rows_without_a_wanted_column_are_still_found(snapshot: Snapshot) -> None:
    async with snapshot:
        for keys in ([(1, 1)], [(1, 9)], [(1, 1), (1, 9)]):
            rows = await RECEIPT_BY_PURCHASE.fetch(snapshot, ADA, keys, frozenset())
            assert [row is not None for row in rows] == [key == (1, 1) for key in keys]


async def test_one_key_is_read_like_one_of_many(snapshot: Snapshot) -> None:
    async def read(*account_ids: int) -> list[list[Any]]:
        """Return an account's purchases, their totals and its row, for each account."""
        every = [replace(ALL, scope=(each,)) for each in account_ids]
        pages = [Page(selection=each, ascending=True, limit=9) for each in every]
        found = (
            await CREDIT_PURCHASES.fetch_pages(snapshot, ADA, pages),
            [[row] for row in await CREDIT_PURCHASES.fetch_totals(snapshot, ADA, every)],
            [
                [row]
                for row in await ACCOUNT_BY_ID.fetch(
                    snapshot, ADA, [(each,) for each in account_ids]
                )
            ],
        )
        return [
            [{**row, "n": None} if row else None for row in chain(*each)]
            for each in zip(*found, strict=True)
        ]

    async with snapshot:
        (mine,), (others,) = await read(1), await read(2)
        assert await read(1, 2) == [mine, others]
    assert [row and row.get("id") for row in mine] == [1, 2, 3, 4, 5, None, None]
    count, account_row = others
    assert (count["total_count"], account_row) == (0, None)


async def test_a_column_that_there_is_not_is_an_error(snapshot: Snapshot) -> None:
    async with snapshot:
        for relation in (RECEIPT_BY_PURCHASE, DISPUTE_BY_ID):
            with pytest.raises(KeyError, match="data"):
                await relation.fetch(snapshot, PLATFORM, [(1, 1)], frozenset({"data", "id"}))
        with pytest.raises(KeyError, match="data"):
            await CREDIT_PURCHASES.fetch_totals(snapshot, PLATFORM, [ALL], frozenset({"data"}))


def test_statements_are_kept_and_bounded() -> None:
    relation = Keyed[object](RECEIPT_BY_PURCHASE.table, "account_id", "purchase_id")
    for number in range(STATEMENTS + 5):
        wanted = frozenset({f"column_{number}"})
        assert relation._statement(wanted) is relation._statement(wanted)
    assert relation._statement.cache_info().currsize == STATEMENTS
