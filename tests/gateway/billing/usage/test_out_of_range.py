"""An event with which a sum would not fit is refused alone: its neighbours are booked."""

import asyncio
from collections import defaultdict
from collections.abc import Hashable, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from random import Random
from typing import Any

import pytest

from gateway.billing.credits.posting import adjust_balance
from gateway.billing.ledger.source_key import SourceKey
from gateway.billing.usage.ingestion import Ingested, ItemCode, MeteredItem
from gateway.billing.usage.usage_record import UsageRecord
from gateway.errors import OutOfRange
from gateway.money import MAX_NANOS, MAX_QUANTITY
from tests.gateway.billing.usage.test_recording import MIDNIGHT, event
from tests.support import metered
from tests.support.books import Books
from tests.support.invariants import check_books
from tests.support.tables import all_rows, table_rows

NUMBERS = count(1)
send = partial(metered.send, may_credit=True)


def item(position: int, account: str, amount: int, **changes: Any) -> MeteredItem:
    said = {"deployment": None, "amount": amount, "correction": amount < 0, "quantity": 1}
    name = changes.pop("event_id", f"e{next(NUMBERS)}")
    return MeteredItem(position, account, "USD", event(0, name, **said | changes), None)


def refused(result: Ingested) -> list[int]:
    assert {each.code for each in result.rejected} <= {ItemCode.OUT_OF_RANGE}
    return [each.position for each in result.rejected]


EDGE = MAX_NANOS - 10


async def sums_at_the_edge(books: Books, sign: int) -> None:
    """Let the account "full" have two sums of a breakdown that have room for 10 more nanos, while
    balance and day are even.
    """
    result = await send(
        books,
        [
            item(0, "full", sign * EDGE, resource="CPU", deployment="box"),
            item(1, "full", -sign * EDGE, resource="GPU", deployment="other"),
        ],
    )
    assert result.accepted == 2


@pytest.mark.parametrize("sign", [1, -1])
async def test_a_breakdown_or_a_deployment_that_would_not_fit_refuses_one_event(
    books: Books, sign: int
) -> None:
    for name in ("full", "empty"):
        await books.account(name)
    await sums_at_the_edge(books, sign)
    items = [
        item(0, "full", 5, resource="MEMORY"),
        item(1, "full", sign * 11, resource="CPU", deployment="box"),
        # Another day, so that the deployment's lifetime alone does not fit.
        item(
            2,
            "full",
            sign * 11,
            resource="IP",
            deployment="box",
            started_at=MIDNIGHT + timedelta(days=2),
        ),
        item(3, "empty", 7),
        item(4, "full", sign * 10, resource="CPU", deployment="box"),
        item(5, "full", sign, resource="CPU", deployment="box"),
    ]
    result = await send(books, items)
    assert (result.accepted, refused(result)) == (3, [1, 2, 5])
    assert await check_books(books.database)

    before = await all_rows(books.database)
    again = await send(books, items)
    assert (again.accepted, again.duplicates, refused(again)) == (0, 3, [1, 2, 5])
    assert await all_rows(books.database) == before


@pytest.mark.parametrize("sign", [1, -1])
async def test_a_balance_that_would_not_fit_refuses_one_event(books: Books, sign: int) -> None:
    for name in ("full", "empty"):
        await books.account(name)
    far = MIDNIGHT + timedelta(days=1)
    result = await send(
        books,
        [
            item(0, "full", sign * MAX_NANOS, resource="CPU"),
            item(1, "empty", 1),
            item(2, "full", sign, started_at=far),
            item(3, "full", -sign, started_at=far),
            item(4, "full", sign, started_at=far),
        ],
    )
    assert (result.accepted, refused(result)) == (4, [2])
    balances = {
        row["external_id"]: row["balance_nanos"]
        for row in await table_rows(books.database, "account")
    }
    assert balances == {"full": -sign * MAX_NANOS, "empty": -1}
    await check_books(books.database)


async def test_a_batch_that_fits_as_a_whole_is_booked_whole(books: Books) -> None:
    await books.account("acme")
    result = await send(
        books, [item(0, "acme", MAX_NANOS), item(1, "acme", 9), item(2, "acme", -9)]
    )
    assert (result.accepted, result.rejected) == (3, [])
    await check_books(books.database)


async def test_a_refused_event_sent_twice_in_a_batch_is_refused_twice(books: Books) -> None:
    await books.account("acme")
    large = item(1, "acme", 2, event_id="x")
    small = item(4, "acme", 1, event_id="x")
    items = [
        item(0, "acme", MAX_NANOS - 1, resource="CPU"),
        large,
        large._replace(position=2),
        item(3, "acme", 1, event_id="y"),
        small,
    ]
    result = await send(books, items)
    assert (result.accepted, result.duplicates, refused(result)) == (2, 0, [1, 2, 4])


async def test_a_day_of_recording_that_would_not_fit_refuses_one_event(books: Books) -> None:
    account_id = await books.account("acme")
    assert (await send(books, [item(0, "acme", MAX_NANOS)])).accepted == 1
    async with books.open([account_id]) as book:
        adjust_balance(
            book, account_id, MAX_NANOS, source=SourceKey.adjustment("a"), occurred_at=book.now
        )
    far = MIDNIGHT + timedelta(days=1)
    result = await send(
        books, [item(0, "acme", 1, started_at=far), item(1, "acme", -1, started_at=far)]
    )
    assert (result.accepted, result.rejected) == (2, [])
    result = await send(books, [item(0, "acme", 2, started_at=far), item(1, "acme", 0)])
    assert (result.accepted, refused(result)) == (1, [0])
    books.clock.instant += timedelta(days=1)
    assert (await send(books, [item(0, "acme", 2, started_at=far)])).accepted == 1
    await check_books(books.database)


async def test_a_refused_event_leaves_nothing_of_its_deployment(books: Books) -> None:
    await books.account("acme")
    result = await send(
        books, [item(0, "acme", MAX_NANOS), item(1, "acme", 1, deployment="refused")]
    )
    assert refused(result) == [1]
    assert await table_rows(books.database, "deployment") == []
    (account,) = await table_rows(books.database, "account")
    assert account["deployment_count"] == 0


async def test_a_day_of_more_than_38_digits_refuses_one_event(books: Books) -> None:
    await books.account("acme")
    hour = MIDNIGHT - timedelta(hours=1)
    result = await send(
        books,
        [
            item(0, "acme", 1, quantity=MAX_QUANTITY - 1),
            item(1, "acme", 1, quantity=1, started_at=hour),
            item(2, "acme", 1, quantity=1, started_at=hour),
            item(3, "acme", 1, quantity=1, unit="other"),
            item(4, "acme", 1, quantity=MAX_QUANTITY, started_at=MIDNIGHT + timedelta(days=1)),
        ],
    )
    assert (result.accepted, refused(result)) == (4, [2])
    await check_books(books.database)


async def test_an_adjustment_that_would_not_fit_changes_nothing(books: Books) -> None:
    account_id = await books.account("acme")
    async with books.open([account_id]) as book:
        adjust_balance(
            book, account_id, MAX_NANOS, source=SourceKey.adjustment("a"), occurred_at=book.now
        )
    before = await all_rows(books.database)
    with pytest.raises(OutOfRange):
        async with books.open([account_id]) as book:
            adjust_balance(
                book, account_id, 1, source=SourceKey.adjustment("b"), occurred_at=book.now
            )
    assert await all_rows(books.database) == before


def sums_of(records: Sequence[UsageRecord]) -> tuple[dict[Hashable, int], dict[Hashable, int]]:
    """Return every sum that events count in, by brute force, in UTC: nanos, and quantities."""
    nanos: dict[Hashable, int] = defaultdict(int)
    quantities: dict[Hashable, int] = defaultdict(int)
    for each in records:
        start = each.started_at
        slot = start.replace(minute=start.minute // 15 * 15)
        models = (each.deployment, each.resource, each.provider, each.gpu_model)
        for key in ("balance", slot, start.date(), (start.date(), models)):
            nanos[key] += each.amount
        if each.project:
            nanos[start.date(), models, each.project] += each.amount
        if each.deployment:
            nanos[each.deployment] += each.amount
        for period in (slot, start.date()):
            quantities[period, each.resource, each.unit] += each.quantity
    return nanos, quantities


def fits(records: Sequence[UsageRecord], batch: Sequence[UsageRecord]) -> bool:
    nanos, quantities = sums_of([*records, *batch])
    return (
        all(abs(each) <= MAX_NANOS for each in nanos.values())
        and all(abs(each) <= MAX_QUANTITY for each in quantities.values())
        and abs(sum(each.amount for each in batch)) <= MAX_NANOS
    )


def expected(booked: list[UsageRecord], batch: Sequence[MeteredItem]) -> list[int]:
    """Return which positions are refused, and add the others to what is booked."""
    records = [each.record for each in batch]
    if fits(booked, records):
        booked += records
        return []
    taken: list[UsageRecord] = []
    left = []
    for each in batch:
        if fits(booked, [*taken, each.record]):
            taken.append(each.record)
        else:
            left.append(each.position)
    booked += taken
    return left


def drawn(random: Random, position: int, account: str) -> MeteredItem:
    sizes = [MAX_NANOS, MAX_NANOS // 2, MAX_NANOS // 3, 1, 0, 10]
    amount = random.choice(sizes) * random.choice([1, 1, -1])
    started_at: datetime = MIDNIGHT + random.choice([0, 1, 24]) * timedelta(hours=1)
    return item(
        position,
        account,
        amount,
        quantity=random.choice([0, 1, MAX_QUANTITY, MAX_QUANTITY // 2, -MAX_QUANTITY]),
        deployment=random.choice([None, "a", "b"]),
        resource=random.choice(["CPU", "GPU"]),
        started_at=started_at,
    )


async def test_any_batches_are_booked_as_brute_force_says(books: Books) -> None:
    random = Random(7)
    total = 0
    for number in range(12):
        name = f"account-{number}"
        await books.account(name)
        booked: list[UsageRecord] = []
        for _ in range(4):
            batch = [drawn(random, position, name) for position in range(random.randrange(1, 9))]
            left = expected(booked, batch)
            result = await send(books, batch)
            assert refused(result) == left
            assert result.accepted == len(batch) - len(left)
            total += len(left)
    assert total > 50
    await check_books(books.database)


async def test_writers_at_once_book_what_fits_and_no_more(books: Books) -> None:
    await books.account("acme")
    large = MAX_NANOS // 2 - 2
    batches = [[item(0, "acme", large), item(1, "acme", 1)] for _ in range(6)]
    results = await asyncio.gather(*(send(books, batch) for batch in batches))
    # Two batches whole, then room for three nanos.
    assert sorted(map(refused, results)) == [[], [], [0], [0], [0], [0, 1]]
    assert await check_books(books.database) == [-MAX_NANOS]
