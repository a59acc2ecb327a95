"""The bar says what a figure has to reach."""

import pytest

from tests.bench import bar
from tests.bench.__main__ import COMMANDS, NAMES, commands, parse_arguments
from tests.bench.servers import ROOT
from tests.bench.works import WORKS

FIGURES = {
    "page/gateway/1/rate": 130.0,
    "page/mercurius/1/rate": 100.0,
    "page/gateway/16/rate": 90.0,
    "page/mercurius/16/rate": 100.0,
    "page/gateway/16/others": 0.1,
    "page/mercurius/16/others": 0.4,
    "push/gateway/kB": 20.0,
}


def cells_of(title: str, works: list[str]) -> list[str]:
    (line,) = (line for line in bar.table(works, FIGURES) if line.startswith(f"| {title}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_row_says_whether_the_bar_is_reached() -> None:
    one = cells_of("`ConsolePage`, Postgres, c=1, ×", ["page"])
    assert one[1:] == ["≥ 1.2 ×", "1.3 ×", "yes", "0.17", "0.4"]
    sixteen = cells_of("`ConsolePage`, Postgres, c=16, ×", ["page"])
    assert sixteen[1:] == ["≥ 1.5 ×", "0.9 ×", "**no**", "0.14", "0.4"]
    memory = cells_of("memory of a subscriber", ["push"])
    assert memory[1:4] == ["≤ 25 kB", "20 kB", "yes"]


def test_a_missing_figure_is_no_success() -> None:
    assert cells_of("`ConsolePage`, Postgres, c=64,", ["page"])[2:4] == ["not measured", "–"]


def test_only_the_chosen_works_are_rows() -> None:
    assert not [line for line in bar.table(["push"], FIGURES) if "ConsolePage" in line]


@pytest.mark.parametrize("arguments", [[], ["--quick"]])
def test_each_row_of_the_bar_has_a_command(arguments: list[str]) -> None:
    found = [name for name, _ in commands(parse_arguments(arguments))]
    assert found == list(COMMANDS)
    assert {row.work for row in bar.ROWS} == {*WORKS, *found} - {"operations"}


@pytest.mark.parametrize("name", NAMES)
def test_each_work_runs_alone(name: str) -> None:
    (command,) = commands(parse_arguments(["--works", name]))
    assert command[0] == ("operations" if name in WORKS else name)


def test_the_document_has_every_row() -> None:
    page = (ROOT / "docs" / "performance.md").read_text("utf-8")
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("| ")]
    shown = {cells[0].strip(): cells[1].strip() for cells in rows}
    assert {row.title: row.bar for row in bar.ROWS}.items() <= shown.items()
