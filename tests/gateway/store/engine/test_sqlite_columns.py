"""SQLite's columns as Python's values."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Boolean, Date, String

from gateway.models.base import Instant, Quantity
from gateway.store.engine.sql import DIALECTS, ColumnType
from gateway.store.engine.sqlite_columns import ConvertAll, column_converter

DAYS = [date(2024, 2, 1) + timedelta(days=place) for place in range(1_100)]
INSTANT = datetime(2026, 11, 1, 12, 30, 0, 123_456, tzinfo=UTC)


def converter(kind: ColumnType) -> ConvertAll:
    found = column_converter(kind, DIALECTS["sqlite"])
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("kind", "stored", "value"),
    [
        (Date(), "2024-02-29", date(2024, 2, 29)),
        (Instant(), 1_793_536_200_123_456, INSTANT),
        (Instant(), -1, datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        (Quantity(), str(10**37 + 1), 10**37 + 1),
        (Boolean(), 1, True),
    ],
)
@pytest.mark.parametrize("number", [1, 40])
def test_cells_are_converted_and_null_stays_null(
    kind: ColumnType, stored: object, value: object, number: int
) -> None:
    convert = converter(kind)
    assert [*convert([stored] * number)] == [value] * number
    assert [*convert([*[stored] * number, None])] == [*[value] * number, None]
    assert [*convert([])] == []


@pytest.mark.parametrize("number", [1, 31, 32, 366, 999, 1_000, 1_100])
def test_columns_of_days_that_differ_in_one_day_stay_apart(number: int) -> None:
    convert = converter(Date())
    for days in (DAYS[:number], [*DAYS[1:number], date(2030, 1, 1)], DAYS[:number]):
        assert [*convert(tuple(map(str, days)))] == days


def test_text_needs_no_converter() -> None:
    assert column_converter(String(), DIALECTS["sqlite"]) is None
