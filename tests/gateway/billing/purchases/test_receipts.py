"""Receipts: numbered without gaps, frozen when they are issued, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.clock import SystemClock
from gateway.errors import BadUserInput
from gateway.receipts.seller import Seller, keep_seller
from gateway.store.engine.stored_json import loads
from tests.gateway.billing.reconciliation.test_accounts import found_in
from tests.support.books import ACTOR, Books, usd
from tests.support.facts import (
    PROVIDER,
    day,
    purchase,
    refund,
    rows_of,
    save,
    save_together,
)
from tests.support.invariants import check_books

LAST_EVENING = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)


async def numbers(books: Books, account_id: int) -> list[str]:
    """Return years and sequences in the order of the rows' dates."""
    rows = await rows_of(books.database, "receipt", account_id)
    rows.sort(key=lambda row: (row["issued_at"], row["sequence"]))
    return [row["number"][9:] for row in rows]


async def test_numbers_count_up_within_the_accounts_own_year(books: Books) -> None:
    berlin = await books.account("berlin", time_zone="Europe/Berlin")
    new_york = await books.account("new-york", time_zone="America/New_York")
    for account_id in (berlin, new_york):
        for number, hours in enumerate((-2, -1, 0, 1, 6)):
            at = LAST_EVENING + timedelta(hours=hours)
            await save(
                books,
                account_id,
                purchase(account_id, reference=f"pi_{number}", created_at=at, succeeded_at=at),
            )
    assert await numbers(books, berlin) == [
        "2026-000001",
        "2026-000002",
        "2027-000001",
        "2027-000002",
        "2027-000003",
    ]
    assert await numbers(books, new_york) == [
        "2026-000001",
        "2026-000002",
        "2026-000003",
        "2026-000004",
        "2027-000001",
    ]
    await check_books(books.database)


async def test_prefixes_differ_and_name_the_account(books: Books) -> None:
    found = set()
    for name in ("one", "two"):
        account_id = await books.account(name)
        await save(books, account_id, purchase(account_id, succeeded_at=day(1)))
        (row,) = await rows_of(books.database, "receipt", account_id)
        found.add(row["number"][:9])
    assert len(found) == 2
    assert all(len(prefix) == 9 and prefix.endswith("-") for prefix in found)


async def test_a_refused_purchase_takes_no_number(books: Books) -> None:
    account_id = await books.account("acme")
    settled = purchase(account_id, succeeded_at=day(1))
    with pytest.raises(BadUserInput):
        await save_together(books, account_id, settled, refund("re_1", "100.01"))
    assert await rows_of(books.database, "receipt_sequence", account_id) == []
    await save(books, account_id, settled)
    assert await numbers(books, account_id) == ["2026-000001"]


async def test_a_credit_note_is_negative_and_carries_its_share_of_the_tax(books: Books) -> None:
    account_id = await books.account("acme")
    await save(
        books,
        account_id,
        purchase(account_id, succeeded_at=day(1)),
        refund("re_1", "30", reason="requested_by_customer"),
    )
    receipt, note = sorted(
        await rows_of(books.database, "receipt", account_id), key=lambda row: row["sequence"]
    )
    assert (receipt["total_nanos"], receipt["tax_nanos"]) == (usd("119"), usd("19"))
    assert (note["total_nanos"], note["tax_nanos"]) == (-usd("35.70"), -usd("5.70"))
    data = loads(note["data"])
    assert (data["net"], data["tax"], data["total"]) == ("-30.00", "-5.70", "-35.70")
    assert data["lines"] == [{"kind": "refund", "amount": "-30.00"}]
    assert data["refund"] == {
        "createdAt": day(3).isoformat(),
        "reason": "requested_by_customer",
    }
    assert note["issued_at"] == day(3)


async def test_the_credit_note_of_the_last_money_takes_the_bonus_back(books: Books) -> None:
    account_id = await books.account("acme")
    await save(
        books,
        account_id,
        purchase(account_id, succeeded_at=day(1)),
        refund("re_1", "30"),
        refund("re_2", "70"),
    )
    rows = sorted(
        await rows_of(books.database, "receipt", account_id), key=lambda row: row["sequence"]
    )
    assert [loads(row["data"])["lines"] for row in rows[1:]] == [
        [{"kind": "refund", "amount": "-30.00"}],
        [{"kind": "refund", "amount": "-70.00"}, {"kind": "bonus", "amount": "-10.00"}],
    ]
    assert sum(row["total_nanos"] for row in rows) == 0


async def test_what_was_issued_stays_when_the_account_is_renamed(books: Books) -> None:
    account_id = await books.account("acme", name="Acme Ltd")
    await save(books, account_id, purchase(account_id, succeeded_at=day(1)))
    before = await rows_of(books.database, "receipt", account_id)
    await books.account("acme", name="Acme GmbH", time_zone="Europe/Berlin")
    await save(books, account_id, refund("re_1", "30"))
    rows = await rows_of(books.database, "receipt", account_id)
    assert [row for row in rows if row["total_nanos"] > 0] == before
    buyers = {row["total_nanos"] > 0: loads(row["data"])["buyer"]["name"] for row in rows}
    assert buyers == {True: "Acme Ltd", False: "Acme GmbH"}


async def test_one_transaction_numbers_everything_that_it_settles(books: Books) -> None:
    account_id = await books.account("acme")
    names = [f"pi_{number}" for number in range(2, 5)]
    await save_together(
        books,
        account_id,
        *(purchase(account_id, reference=name, succeeded_at=day(1)) for name in names),
        purchase(account_id, succeeded_at=day(1)),
        refund("re_1", "30"),
    )
    assert await numbers(books, account_id) == [f"2026-{number:06}" for number in range(1, 6)]
    rows = await rows_of(books.database, "credit_purchase", account_id)
    assert {row["provider"] for row in rows} == {PROVIDER}
    await check_books(books.database)


async def receipts_are(books: Books, *, on: bool) -> None:
    seller = Seller(details='{"name":"Northwind"}', issues_receipts=on)
    await keep_seller(books.database, seller, SystemClock(), actor=ACTOR)


async def test_no_receipt_is_issued_where_receipts_are_off(books: Books) -> None:
    account_id = await books.account("acme")
    await receipts_are(books, on=False)
    await save(books, account_id, purchase(account_id, succeeded_at=day(1)), refund("re_1", "30"))
    assert await rows_of(books.database, "receipt", account_id) == []
    assert await rows_of(books.database, "receipt_sequence", account_id) == []
    # A purchase without a receipt has no credit notes either, once receipts are on.
    await receipts_are(books, on=True)
    await save(books, account_id, purchase(account_id, succeeded_at=day(1)), refund("re_2", "20"))
    assert await rows_of(books.database, "receipt", account_id) == []
    assert await check_books(books.database) == [usd("60")]
    await save(books, account_id, purchase(account_id, reference="pi_2", succeeded_at=day(2)))
    assert await numbers(books, account_id) == ["2026-000001"]
    await check_books(books.database)
    assert await found_in(books.database) == []


async def test_a_receipt_keeps_getting_credit_notes(books: Books) -> None:
    account_id = await books.account("acme")
    await save(books, account_id, purchase(account_id, succeeded_at=day(1)))
    await receipts_are(books, on=False)
    await save(books, account_id, purchase(account_id, succeeded_at=day(1)), refund("re_1", "30"))
    assert await numbers(books, account_id) == ["2026-000001", "2026-000002"]
    await check_books(books.database)
    assert await found_in(books.database) == []
