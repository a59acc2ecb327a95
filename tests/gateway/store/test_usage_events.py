"""Which usage events are known."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import OutOfRange
from gateway.store import Database, Snapshot, usage_events
from gateway.store.engine.load import PART
from gateway.store.engine.write import PIECE
from gateway.store.usage_events import UsageEventCells
from tests.support.books import ACTOR

AT = datetime(2026, 11, 1, tzinfo=UTC)
ODD = 'quote " backslash \\ é 🙂 [1]'


def cells(account_id: int, source: str, event_id: str) -> UsageEventCells:
    said = ("CPU", "cpu-hour", 1, None, 1, None, False, None, None, None, None, None)
    hours = timedelta(hours=account_id)
    key = (account_id, source, event_id, event_id.encode()[:16])
    return UsageEventCells._make((*key, None, *said, AT + hours, AT + hours, None, AT, 1))


async def test_only_those_asked_for_are_found_each_of_its_meter(database: Database) -> None:
    stored = [(1, "a", "x"), (1, "a", ODD), (1, "b", "y"), (2, "a", "y"), (2, "a", "z")]
    asked = [
        (1, "a", "y"),
        (1, "b", "y"),
        (2, "a", "x"),
        (1, "a", ODD),
        (2, "a", "y"),
        (3, "a", "x"),
    ]
    async with database.writing(ACTOR) as transaction:
        await usage_events.append(transaction, iter([cells(*key) for key in stored]))
        found = await usage_events.known(transaction, asked)
    assert found == {
        (1, "b", "y"): b"y",
        (2, "a", "y"): b"y",
        (1, "a", ODD): ODD.encode()[:16],
    }


async def test_others_have_their_turn_while_many_rows_are_written(database: Database) -> None:
    loops_thread = threading.get_ident()
    in_a_row = longest = 0

    def rows() -> Iterator[UsageEventCells]:
        nonlocal in_a_row, longest
        for number in range(10 * PIECE):
            if threading.get_ident() == loops_thread:
                in_a_row += 1
                longest = max(longest, in_a_row)
            yield cells(1, "a", f"{number}")

    async with database.writing(ACTOR) as transaction:
        writing = asyncio.create_task(usage_events.append(transaction, rows()))
        while not writing.done():
            in_a_row = 0
            await asyncio.sleep(0)
        await writing
    assert longest <= PIECE


async def test_rows_that_end_in_an_error_write_nothing(database: Database) -> None:
    async def write(count: int) -> None:
        async with database.writing(ACTOR) as transaction:
            await usage_events.append(transaction, rows(count))

    def rows(count: int) -> Iterator[UsageEventCells]:
        for number in range(3 * PART):
            if number == count:
                raise OutOfRange("too much")
            yield cells(1, "a", f"{number}")

    for count in (PIECE + 1, 2 * PART + 1):  # nothing is written yet, or a part is being inserted
        with pytest.raises(OutOfRange):
            await write(count)
    keys = [(1, "a", f"{number}") for number in range(3 * PART)]
    async with database.writing(ACTOR) as transaction:
        assert not await usage_events.known(transaction, keys)
    await write(3 * PART)
    async with database.writing(ACTOR) as transaction:
        assert len(await usage_events.known(transaction, keys)) == 3 * PART


async def test_last_usage_is_that_of_the_account_and_the_source(database: Database) -> None:
    async with database.writing(ACTOR) as transaction:
        await usage_events.append(transaction, iter([cells(1, "a", "x"), cells(2, "a", "x")]))
    async with Snapshot(database, ACTOR) as snapshot:
        assert await usage_events.latest(snapshot, 1, "a") == AT + timedelta(hours=1)
        assert await usage_events.latest(snapshot, 3, "a") is None
        assert await usage_events.latest(snapshot, 1, "b") is None
