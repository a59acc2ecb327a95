"""`gateway export`: whole files, or none."""

import asyncio
import csv
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.main import app
from gateway.errors import BadUserInput, NotFound
from gateway.exports.export import ExportFormat
from gateway.exports.lines import LinesExport
from gateway.store import Database
from tests.support.rows import T0, UNIT, account, entry, purchase, put
from tests.support.table_files import read_table
from tests.support.usage_rows import Event, Facts, insert_facts

Run = Callable[..., Awaitable[Result]]
NAME = "customer-1-usage-2026-11-01_2026-11-02-by-day.csv"
DATES = ("--from", "2026-11-01", "--to", "2026-11-02")


@pytest.fixture
async def run(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `gateway export` on accounts 1, with usage in Kathmandu, and 2, with purchases."""
    events = [Event(at=T0, nanos=UNIT), Event(at=T0, nanos=800, deployment=1)]
    await insert_facts(database, Facts(account_id=1, events=events, time_zone="Asia/Kathmandu"))
    await put(
        database,
        account(2),
        purchase(2, 11),
        purchase(2, 12, kind="COUPON"),
        purchase(2, 13, status="FAILED", settled_at=None),
        entry(2, 1, purchase_id=11),
        entry(2, 2, cause="ADJUSTMENT", amount_nanos=800, description="Rounding"),
    )
    monkeypatch.setenv("GATEWAY_DATABASE_URL", database_url)

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["export", *arguments])

    return run


async def test_usage_is_printed(run: Run) -> None:
    done = await run("usage", "--account", "customer-1", *DATES)
    assert done.exit_code == 0
    found = list(csv.DictReader(StringIO(done.stdout_bytes.decode("utf-8-sig"), newline="")))
    assert [row["Start (Asia/Kathmandu)"] for row in found] == ["2026-11-01T05:45:00+05:45"] * 2
    assert [row["Amount"] for row in found] == ["1.00", "0.0000008"]


async def test_purchases_are_selected_as_by_the_filter(run: Run) -> None:
    done = await run(
        *("credit-purchases", "--account", "customer-2", "--format", "JSONL"),
        *("--kind", "CARD", "--kind", "COUPON", "--status", "SUCCEEDED"),
    )
    found = [json.loads(line) for line in done.stdout_bytes.splitlines()]
    assert [(row["kind"], row["status"]) for row in found] == [
        ("CARD", "SUCCEEDED"),
        ("COUPON", "SUCCEEDED"),
    ]


async def test_the_ledger_is_selected_as_by_the_filter(run: Run) -> None:
    for causes, expected in (
        ((), [("PURCHASE", "10.00", None), ("ADJUSTMENT", "0.0000008", "Rounding")]),
        (("--cause", "ADJUSTMENT"), [("ADJUSTMENT", "0.0000008", "Rounding")]),
    ):
        done = await run("ledger", "--account", "customer-2", "--format", "JSONL", *causes)
        found = [json.loads(line) for line in done.stdout_bytes.splitlines()]
        assert [(row["cause"], row["amount"], row["description"]) for row in found] == expected


async def test_a_folder_gets_a_file_of_the_usual_name(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    done = await run("usage", "--account", "customer-1", *DATES, "--output", str(folder))
    assert (done.exit_code, done.stdout) == (0, "")
    assert [path.name for path in folder.iterdir()] == [NAME]
    printed = await run("usage", "--account", "customer-1", *DATES)
    assert (folder / NAME).read_bytes() == printed.stdout_bytes


@pytest.mark.parametrize("format_", [ExportFormat.XLSX, ExportFormat.PARQUET])
async def test_a_table_is_written_to_a_file(
    run: Run, tmp_path: Path, format_: ExportFormat
) -> None:
    arguments = ("usage", "--account", "customer-1", *DATES, "--format", format_.value)
    done = await run(*arguments, "--output", str(tmp_path))
    assert (done.exit_code, done.stdout) == (0, "")
    path = tmp_path / NAME.replace("csv", format_.lower())
    rows = read_table(format_, path.read_bytes())
    amount = "Amount" if format_ is ExportFormat.XLSX else "amount"
    assert [Decimal(str(row[amount])) for row in rows] == [Decimal(1), Decimal("0.0000008")]


async def test_sums_of_filtered_usage_are_exported(run: Run) -> None:
    sums = ("usage", "--account", "customer-1", *DATES, "--format", "JSONL", "--rows")
    series = ("SERIES", "--by", "DEPLOYMENT", "--then", "RESOURCE")
    for arguments, expected in (
        (("BUCKETS",), [("1.0000008", 1), ("0.00", 0)]),
        (("BUCKETS", "--deployment", "external-1"), [("0.0000008", 1), ("0.00", 0)]),
        (("BUCKETS", "--deployment", ""), [("1.00", 0), ("0.00", 0)]),
        (("BUCKETS", "--resource", "CPU", "--project", "a", "--project", ""), [("0.00", 0)] * 2),
        ((*series, "--provider", "", "--gpu-model", ""), [("0.0000008", 1), ("1.00", 0)]),
    ):
        done = await run(*sums, *arguments)
        found = [json.loads(line) for line in done.stdout_bytes.splitlines()]
        assert sorted((row["spend"], row["deployments"]) for row in found) == sorted(expected)


async def test_a_long_name_is_cut_between_characters(
    run: Run, database: Database, tmp_path: Path
) -> None:
    await put(database, account(3, external_id="株" * 200))
    folder = tmp_path / "files"
    folder.mkdir()
    done = await run("usage", "--account", "株" * 200, *DATES, "--output", str(folder))
    assert done.exit_code == 0
    assert [path.name for path in folder.iterdir()] == [NAME.replace("customer-1", "株" * 46)]


async def test_a_failure_leaves_what_was_there(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "usage.csv").write_text("before")

    def fail(_: LinesExport) -> bytes:
        raise OSError("no room")

    monkeypatch.setattr(LinesExport, "end", fail)
    output = ("--output", str(folder / "usage.csv"))
    done = await run("usage", "--account", "customer-1", *DATES, *output)
    assert done.exit_code == 1
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("usage.csv", "before")]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("usage", "--account", "nobody"), NotFound),
        (("usage", "--account", "customer-1", "--from", "2026-13-01"), BadUserInput),
        (("usage", "--account", "customer-1", "--time-zone", "Mars"), BadUserInput),
        (("usage", "--account", "customer-1", "--rows", "SERIES"), BadUserInput),
        (("usage", "--account", "customer-1", "--by", "PROJECT"), BadUserInput),
        (("usage", "--account", "customer-1", "--deployment", "none"), NotFound),
        (("credit-purchases", "--account", "customer-1", "--to", "yesterday"), BadUserInput),
        (("ledger", "--account", "customer-2", "--format", "FOCUS"), BadUserInput),
    ],
)
async def test_what_cannot_be_exported_makes_no_file(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], error: type[Exception]
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    done = await run(*arguments, "--output", str(folder))
    assert isinstance(done.exception, error)
    assert list(folder.iterdir()) == []
