"""The measurements run: each at a small size, as the documents print its command."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.conftest import find_browser

ROOT = Path(__file__).parents[2]
PAGE = ("--accounts", "5", "--seconds", "0.2", "--rounds", "1", "--connections", "1")


def printed(module: str, *arguments: str) -> str:
    """Return what a measurement prints."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_operations_are_measured_beside_peers() -> None:
    works = ("page", "name")
    lines = printed("tests.bench", *PAGE, "--works", *works).splitlines()
    titles = [title for title in lines if "; ratios to " in title]
    assert titles[0] == "ConsolePage; ratios to Mercurius, JIT"
    assert len(titles) == len(works)
    page = lines.index(titles[0])
    assert [line[:26].strip() for line in lines[page + 2 : page + 8]] == [
        "Strawberry + SQLAlchemy",
        "gateway",
        "gateway, compressed",
        "gateway on SQLite",
        "Mercurius, JIT",
        "GraphQL Yoga",
    ]
    assert sum(line.endswith("the same answer from every server.") for line in lines) == 2


@pytest.mark.parametrize(
    ("module", "arguments", "expected"),
    [
        ("exports", ("--rows", "1000", "--formats", "CSV"), r"sqlite usage CSV: 1,000 rows"),
        ("ingest", ("--rounds", "1", "--events", "50"), r"sqlite +50 +1 +[\d,]+"),
        (
            "ingest_http",
            ("--clients", "1", "--batches", "1", "--events", "50", "--databases", "sqlite"),
            r"sqlite the same batches again: 50 duplicates, no change",
        ),
        ("subscribers", ("--subscribers", "10", "--changes", "1"), r"gateway +[\d.]+ +\d+"),
        ("receipts", ("--count", "2"), r"credit-note: [\d.]+ ms each"),
        ("replicas", ("--webhooks", "2"), r"another gateway +p50 +[\d.]+ ms"),
    ],
)
def test_a_measurement_runs(module: str, arguments: tuple[str, ...], expected: str) -> None:
    assert re.search(expected, printed(f"tests.bench.{module}", *arguments))


def test_the_bytes_of_the_open_page_are_counted() -> None:
    find_browser()
    lines = printed("tests.bench.page_bytes", "--minutes", "0.1", "--idle-minutes", "0.1")
    assert re.search(r"Usage: first view .*\n  Files of the page +\d+ +[\d.]+ +\d+\n", lines)
    assert re.search(r"Billing: an hour of the demo's meter ", lines)
    assert re.search(r"  for each balance update +\d+\n$", lines)
