"""All usage of an account, in order, however many events share an instant."""

from datetime import UTC, datetime, timedelta
from itertools import chain, repeat

import pytest

from gateway.models.base import microseconds_from_instant
from gateway.principal import Permission, Principal
from gateway.store import Database, exported_usage, usage_events
from gateway.store.exported_usage import UsageSelection
from gateway.store.usage_events import UsageEventCells
from tests.support.books import ACTOR

MICROSECOND = timedelta(microseconds=1)
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
AT = datetime(2026, 11, 1, 12, 0, 0, 999_999, tzinfo=UTC)
LAST = datetime(2100, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
READER = Principal(subject="key", key_id="1", scopes=frozenset({Permission.BILLING_READ}))
ODD = 'quote " backslash \\ é 🙂 [1]\n'
LARGE = 10**37 + 1
"""Nanos of a quantity that needs more than 64 bits."""


def cells(number: int, at: datetime, source: str = "meter") -> UsageEventCells:
    said = ("CPU", ODD, LARGE, None, number, None, number % 2 == 1, None, "", ODD, None, None)
    key = (1, source, f"{number:03}", b"0123456789abcdef", None)
    return UsageEventCells._make((*key, *said, at, at + MICROSECOND, None, at, 1))


async def exported(database: Database, start: datetime, end: datetime) -> list[tuple[object, ...]]:
    """Return the exported start, id, quantity, amount, correction and texts of each event."""
    columns = ("started_at", "event_id", "quantity_nanos", "amount_nanos", "correction")
    found: list[tuple[object, ...]] = []
    async with database.exporting(ACTOR) as stream:
        async for chunk in exported_usage.usage(stream, READER, UsageSelection(1, start, end)):
            assert len(chunk) <= exported_usage.EVENTS
            found += chunk.zip(*columns, "unit", "provider", "gpu_model", "region")
    return found


@pytest.mark.parametrize(
    "sizes",
    [
        [1, 1, 1, 1, 1],
        [3],
        [3, 3, 1],
        [2, 2, 2],
        [1, 20, 1],
        [2, 7, 3, 1, 1, 30, 2],
    ],
    ids=str,
)
async def test_events_of_one_instant_all_come_once_in_order(
    database: Database, monkeypatch: pytest.MonkeyPatch, sizes: list[int]
) -> None:
    monkeypatch.setattr(exported_usage, "EVENTS", 3)
    monkeypatch.setattr(exported_usage, "MOST_EVENTS", 8)
    instants = [AT + index * MICROSECOND for index in range(len(sizes))]
    starts = [*chain.from_iterable(map(repeat, instants, sizes))]
    outside = [cells(900, AT - MICROSECOND), cells(901, AT + len(sizes) * MICROSECOND)]
    async with database.writing(ACTOR) as transaction:
        stored = [cells(number, at) for number, at in enumerate(starts)]
        await usage_events.append(transaction, iter([*reversed(stored), *outside]))
    assert await exported(database, AT, AT + len(sizes) * MICROSECOND) == [
        (
            *(microseconds_from_instant(at), f"{number:03}", LARGE, number, number % 2 == 1),
            *(ODD, None, "", ODD),
        )
        for number, at in enumerate(starts)
    ]
    assert await exported(database, AT - MICROSECOND, AT - MICROSECOND) == []


async def test_microseconds_are_exact_in_all_years(database: Database) -> None:
    instants = [FIRST, FIRST + MICROSECOND, AT, AT + MICROSECOND, LAST - MICROSECOND, LAST]
    instants += [datetime(year, 7, 3, 5, 7, 11, 999_997, tzinfo=UTC) for year in range(2001, 2100)]
    instants.sort()
    async with database.writing(ACTOR) as transaction:
        stored = (cells(number, at) for number, at in enumerate(instants))
        await usage_events.append(transaction, stored)
    found = await exported(database, FIRST, LAST + MICROSECOND)
    assert [at for at, *_ in found] == [*map(microseconds_from_instant, instants)]
