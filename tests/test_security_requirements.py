"""The table of security requirements has each number once, and each test that it names exists."""

import ast
import re
from functools import cache
from itertools import chain
from typing import Final

import pytest

from tests.support.documents import ROOT

COUNTS: Final = {"SEC": 88, "REL": 29, "AUTH": 10}
ROWS: Final = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/security-requirements.md").read_text("utf-8").splitlines()
    if re.match(r"\| [A-Z]", line)
]
TESTS: Final = re.compile(r"(?:`tests/[\w/]+\.py::test_\w+`(?:, (?=`)|$))+")
OPEN: Final = re.compile(r"(?:Not yet|Does not apply): (?!.*::).+\.|Not yet\.")


@cache
def names_of(path: str) -> set[str]:
    """Return the names of a module's tests, which pytest collects."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_each_number_has_one_row_in_order() -> None:
    numbers = chain.from_iterable(
        (f"{part}-{number:02}" for number in range(1, count + 1)) for part, count in COUNTS.items()
    )
    assert [row[0] for row in ROWS] == list(numbers)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_names_tests_or_says_why_not(row: list[str]) -> None:
    _, requirement, tests, reason = row
    assert re.fullmatch(r"[^`].*\.", requirement)
    assert tests or reason
    assert not tests or TESTS.fullmatch(tests)
    assert not reason or OPEN.fullmatch(reason)
    named = re.findall(r"`([^`]+)::(\w+)`", tests)
    assert len(named) == len(set(named))
    assert [each for each in named if each[1] not in names_of(each[0])] == []
