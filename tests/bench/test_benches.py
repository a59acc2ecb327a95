"""The measurements run: each at a small size, as the documents print its command."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import bar, figures
from tests.browser.conftest import find_browser

ROOT = Path(__file__).parents[2]
SMALL = ("--accounts", "5", "--seconds", "0.1", "--rounds", "1", "--connections", "16")
LOAD = {"ingestion/postgresql/load": 1.0}
"""What the ratio of ingestion over HTTP is to, which another command measures."""

MEGABYTES = 60
"""Most that overload adds to a server's memory; 1,000 requests that wait would be far beyond."""


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
    if "Permission Denied" in done.stderr and module.endswith("shares"):
        pytest.skip("this machine lets no process look at another")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_operations_are_measured_beside_peers() -> None:
    output = printed("tests.bench", *SMALL, "--works", "page", "name")
    lines = output.splitlines()
    page = lines.index("ConsolePage; ratios to Mercurius, JIT")
    assert [line[:26].strip() for line in lines[page + 2 : page + 10]] == [
        "Strawberry + SQLAlchemy",
        "gateway",
        "gateway, no row security",
        "gateway, compressed",
        "gateway on SQLite",
        "Mercurius, JIT",
        "GraphQL Yoga",
        "PostGraphile 5",
    ]
    assert output.count("leaves; the same answer from every server.") == 2
    rows = [line for line in lines if line.startswith("| ") and "c=16," in line]
    assert len(rows) == 5
    assert not [row for row in rows if "not measured" in row]


@pytest.mark.parametrize(
    ("work", "module", "arguments", "expected"),
    [
        (
            "exports",
            "exports",
            ("--rows", "20000", "--formats", "CSV"),
            r"sqlite usage CSV: 20,000 rows",
        ),
        ("ingestion", "ingest", ("--rounds", "1", "--events", "50"), r"sqlite +50 +1 +[\d,]+"),
        (
            "ingestion-http",
            "ingest_http",
            ("--clients", "1", "--batches", "1", "--events", "50", "--databases", "postgresql"),
            r"postgresql the same batches again: 50 duplicates, no change",
        ),
        ("push", "subscribers", ("--subscribers", "10", "--changes", "1"), r"gateway +[\d.]+ +\d+"),
        (
            "stored-events",
            "stored_events",
            ("--fewest", "50", "--most", "500", "--requests", "4"),
            r"sqlite Asia/Kathmandu +[\d.]+ +[\d.]+",
        ),
        (
            "usage",
            "usage",
            ("--fewest", "50", "--events", "500", "--requests", "2", "--migrate"),
            r"packing +[\d.]+ s[^\n]* 0 failed\n[\s\S]*sqlite request, 500 events +[\d.]+",
        ),
    ],
)
def test_a_row_of_the_bar_is_measured(
    work: str, module: str, arguments: tuple[str, ...], expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "figures.json"
    assert re.search(expected, printed(f"tests.bench.{module}", *arguments, "--figures", str(path)))
    found = {**LOAD, **figures.read(path)}
    assert [row.value(found) > 0 for row in bar.ROWS if row.work == work]


def test_idle_sockets_let_requests_be_served(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    arguments = ("--sockets", "150", "--seconds", "1", "--rounds", "1", "--accounts", "5")
    output = printed("tests.bench.sockets", *arguments, "--figures", str(path))
    assert "/readyz answers 200" in output
    assert re.search(r"^150 sockets, opened \d+ times$", output, re.MULTILINE)
    found = figures.read(path)
    assert found["sockets/alone/errors"] == found["sockets/beside/errors"] == 0
    assert found["sockets/beside/p99"] > 0


def test_overload_is_refused_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    arguments = ("--seconds", "1", "--factor", "6", "--accounts", "5", "--figures", str(path))
    assert re.search(
        r"90 % of the peak again after [\d.]+ s", printed("tests.bench.overload", *arguments)
    )
    found = figures.read(path)
    assert found["overload/goodput"] > 0
    # All others have a 503 with Retry-After.
    assert found["overload/refused"] == 1
    assert found["overload/refusal"] > 0
    assert found["overload/memory"] <= MEGABYTES


@pytest.mark.parametrize(
    ("module", "arguments", "expected"),
    [
        (
            "shares",
            ("--works", "page", "--servers", "gateway", "--seconds", "1", "--accounts", "5"),
            r"\| driver \| \d+% \|",
        ),
        (
            "round_trips",
            ("--accounts", "5", "--servers", "mercurius"),
            r"\| ManyAccounts \| \d+ / \d+ \|[\s\S]*\| ConsolePage \| 5 / 5 \|",
        ),
        ("forecasts", ("--days", "110"), r"demo: .+ [\d.]+%"),
        ("receipts", ("--count", "2"), r"credit-note: [\d.]+ ms each"),
        (
            "usage",
            ("--fewest", "500", "--events", "1000", "--requests", "1", "--databases", "sqlite"),
            r"sqlite request UTC: most to fewest [\d.]+",
        ),
        (
            "exports",
            ("--rows", "500", "--formats", "XLSX", "PARQUET", "--databases", "sqlite"),
            r"usage XLSX: 500 rows, [\s\S]* usage PARQUET: 500 rows, ",
        ),
        ("replicas", ("--webhooks", "2"), r"another gateway +p50 +[\d.]+ ms"),
    ],
)
def test_a_measurement_runs(module: str, arguments: tuple[str, ...], expected: str) -> None:
    assert re.search(expected, printed(f"tests.bench.{module}", *arguments))


def test_the_bytes_of_the_open_page_are_counted() -> None:
    find_browser()
    sizes = ("--minutes", "0.1", "--idle-minutes", "0.1", "--days", "30")
    lines = printed("tests.bench.page_bytes", *sizes)
    assert re.search(r"Usage: first view .*\n  Files of the page +\d+ +[\d.]+ +\d+\n", lines)
    assert re.search(r"Billing: an hour of the demo's meter ", lines)
    assert re.search(r"  for each balance update +\d+\n$", lines)
