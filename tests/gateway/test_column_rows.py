"""Rows by the column are the rows that they would be one by one."""

from typing import Final, NamedTuple

import pytest

from gateway.column_rows import ColumnRows, SparseRows, attribute, column, present, split

DICTS: Final[list[dict[str, object]]] = [
    {"n": 1, "name": "a"},
    {"n": 2, "name": None},
    {"n": 3, "name": "c"},
]


class Named(NamedTuple):
    """A row with attributes."""

    day: complex
    name: str


def by_column() -> ColumnRows[dict[str, object]]:
    return ColumnRows({"n": [1, 2, 3], "name": ["a", None, "c"]})


def test_rows_by_the_column_are_rows() -> None:
    assert len(by_column()) == 3
    assert list(by_column()) == DICTS
    assert by_column()[1] == DICTS[1]
    assert list(by_column()[1:]) == DICTS[1:]
    assert list(by_column()[::-1]) == DICTS[::-1]
    assert list(by_column().take([2, 0])) == [DICTS[2], DICTS[0]]
    looked_at = by_column()
    assert list(looked_at)[2] is looked_at[2]
    assert column(by_column()[:2], "n") == column(DICTS[:2], "n") == [1, 2]


def test_rows_are_of_the_kind_that_is_made() -> None:
    rows = ColumnRows({"day": [1 + 2j, 3 + 4j], "name": ["a", "b"]}, Named)
    assert list(rows) == [Named(1 + 2j, "a"), Named(3 + 4j, "b")]
    assert rows[-1] == rows[1:][0] == Named(3 + 4j, "b")
    for each in (rows, list(rows)):
        assert attribute(each, "name") == ["a", "b"]
        assert attribute(each, "day.imag") == [2, 4]


def test_rows_without_columns_are_none() -> None:
    assert not ColumnRows[object]({})
    assert list(ColumnRows[object]({})) == []


def test_a_column_is_converted_once() -> None:
    rows = by_column()
    doubled = rows.converted("n", lambda cells: [2 * cell for cell in cells])
    assert doubled == [2, 4, 6]
    assert rows.converted("n", lambda _: pytest.fail("twice")) is doubled


@pytest.mark.parametrize(
    "place", [slice(0, 3), slice(0, 2), slice(1, 2), slice(None, None, -1), slice(3, 3)]
)
def test_places_without_a_row_stay_where_they_are(place: slice) -> None:
    rows = present(by_column(), ["x", None, "y"])
    whole = [DICTS[0], None, DICTS[2]]
    assert isinstance(rows, SparseRows)
    assert list(rows) == [rows[0], rows[1], rows[2]] == whole
    part = rows[place]
    assert isinstance(part, SparseRows)
    assert list(part) == whole[place]
    assert len(part) == len(whole[place])


def test_rows_that_are_all_present_are_not_copied() -> None:
    rows = by_column()
    assert present(rows, [0, False, ""]) is rows


@pytest.mark.parametrize("rows", [by_column(), DICTS])
def test_columns_with_a_prefix_are_rows_of_their_own(rows: list[dict[str, object]]) -> None:
    rest, part = split(rows, "na")
    assert list(part) == [{"me": each["name"]} for each in DICTS]
    assert column(rest, "n") == [1, 2, 3]
