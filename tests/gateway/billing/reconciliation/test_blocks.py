"""What `gateway doctor` finds in blocks: nothing in those that are right, and each damaged cell."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from gateway.billing.usage.packing import pack
from gateway.clock import FixedClock
from gateway.models.rollup_block import DAYS
from gateway.store import Database, block_writes
from gateway.store.usage_lanes import Cells, WeekCells, part_of, place_of
from tests.gateway.billing.reconciliation.test_accounts import found_in
from tests.gateway.billing.usage.test_packing import make_account
from tests.support.books import ACTOR, NOW, Books

AT = datetime(2026, 11, 3, 6, 40, tzinfo=UTC)
"""In Berlin 7:40 on a Tuesday."""
PLACE = place_of(AT.date())
HOURS = part_of(PLACE.weekday)


def add_to_day(cells: Cells) -> None:
    nanos, active = cells.day(PLACE.lane)
    cells.set_day(PLACE.lane, nanos + 1, active=active)


def empty_day(cells: Cells) -> None:
    cells.set_day(PLACE.lane, 0, active=False)


def put_on_another_day(cells: Cells) -> None:
    cells.set_day(PLACE.lane + 1, 9, active=False)


def add_to_hour(cells: Cells) -> None:
    nanos, *marks = cells.week(PLACE.week)
    cells.set_week(PLACE.week, WeekCells([*nanos[:9], nanos[9] + 2, *nanos[10:]], *marks))


def move_first_event(cells: Cells) -> None:
    cells.set_week(PLACE.week, cells.week(PLACE.week)._replace(first=3))


def mark_one_hour(cells: Cells) -> None:
    cells.active[4 * 20] ^= 1 << PLACE.week


DAMAGES: list[tuple[int, Callable[[Cells], None], list[tuple[str, object, object]]]] = [
    (DAYS, add_to_day, [("2026-11-03 … spent_nanos", 601, 600)]),
    (
        DAYS,
        empty_day,
        [
            ("2026-11-03 … spent_nanos", 0, 600),
            ("2026-11-03 … active", False, True),
        ],
    ),
    (DAYS, put_on_another_day, [("2026-11-04 … spent_nanos", 9, 0)]),
    (HOURS, add_to_hour, [("2026-11-03 … spent_nanos of 10 h 0 min", 502, 500)]),
    (
        HOURS,
        move_first_event,
        [("2026-11-03 … with 0 min first row with events", 3, 7)],
    ),
    (
        HOURS,
        mark_one_hour,
        [("2026-11-03 … with 0 min first row with events", -1, 7)],
    ),
    (
        part_of(PLACE.weekday, 3),
        add_to_hour,
        [("2026-11-03 … spent_nanos of 9 h 45 min", 502, 500)],
    ),
]


async def damage(
    database: Database, account_id: int, part: int, change: Callable[[Cells], None]
) -> None:
    async with database.writing(ACTOR) as transaction:
        rows = await block_writes.blocks_of(transaction, account_id, [(part, PLACE.block)])
        ((_, cells),) = rows[part, PLACE.block].items()
        change(cells)
        await block_writes.save(transaction, account_id, rows, [], ())


async def test_a_damaged_block_is_found_and_named(database: Database) -> None:
    books = Books(database)
    accounts = [await make_account(books, str(number)) for number in range(len(DAMAGES))]
    for account in accounts:
        # One each half hour, from 7:40 to 10:10.
        await account.record(*(AT + n * timedelta(minutes=30) for n in range(6)), amount=100)
    await pack(database, FixedClock(NOW), quartered_from=0)
    assert await found_in(database) == []
    for account, (part, change, _) in zip(accounts, DAMAGES, strict=True):
        await damage(database, account.key, part, change)
    found = [
        (each.account, re.sub(r" \d+ / .* / ", " …", str(each.place)), each.found, each.expected)
        for each in await found_in(database)
        if each.what == "block of"
    ]
    assert found == [
        (str(account), *difference)
        for account, (_, _, differences) in enumerate(DAMAGES)
        for difference in differences
    ]


async def test_a_day_that_is_not_read_from_blocks_is_left_out(database: Database) -> None:
    books = Books(database)
    account = await make_account(books)
    await account.record(AT, amount=600)
    await pack(database, FixedClock(NOW))
    await damage(database, account.key, DAYS, add_to_day)
    assert len(await found_in(database)) == 1
    await account.record(AT)
    assert await found_in(database) == []
