"""XLSX and Parquet, read back by openpyxl and DuckDB."""

import asyncio
import csv
import errno
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import BadUserInput, StorageFull
from gateway.exports.export import ExportFormat, LedgerSubject
from gateway.exports.request import LedgerExportRequest
from gateway.exports.tables import whole, xlsx
from gateway.exports.tables.columns import Table
from gateway.exports.tables.content import ledger_table, purchases_table, usage_table
from gateway.exports.tables.scratch import Scratch
from gateway.exports.tables.whole import WholeFile
from gateway.exports.writers import TABLE_WRITERS, check_offered
from gateway.money import format_nanos
from gateway.store.engine.stream import Chunk
from tests.gateway.exports.test_writers import (
    ACCOUNT,
    BERLIN,
    EVENT,
    FAILED,
    PURCHASES,
    SETTLED,
    USAGE,
    file_of,
)
from tests.support.chunks import purchases_chunk, usage_chunk
from tests.support.table_files import book_of, cells_of, read_parquet, read_table

TABLES = [ExportFormat.XLSX, ExportFormat.PARQUET]
CORRECTION = EVENT | {"event_id": "2", "amount_nanos": -5_000_000_000, "correction": True}
LEDGER = {
    "recorded_at": SETTLED["created_at"],
    "cause": "USAGE",
    "day": date(2026, 3, 28),
    "amount_nanos": -1,
    "balance_nanos": 2**63 - 1,
    "currency": "USD",
    "description": None,
    "purchase_id": None,
    "refund_id": None,
    "dispute_id": None,
    "key": 1,
}


async def chunks(*found: Any) -> AsyncGenerator[Chunk[Any]]:
    for chunk in found:
        yield chunk


async def made(format_: ExportFormat, table: Table, *found: Any) -> bytes:
    """Return a whole file of chunks."""
    file = WholeFile(TABLE_WRITERS[format_](table))
    parts = [part async for part in file.parts(chunks(*found))]
    assert sum(part.rows for part in parts) == sum(map(len, found))
    content = b"".join(part.content for part in parts)
    assert file.size == len(content)
    return content


def shown(value: Any) -> str:
    """Return a cell of a table as a CSV has it, but for zeros at the end of an amount."""
    if value is None or value is False:
        return ""
    if value is True:
        return "yes"
    if isinstance(value, datetime):
        return str(value.date())
    return str(value)


def same(found: str, expected: str) -> bool:
    try:
        return Decimal(found) == Decimal(expected)
    except ArithmeticError:
        return found == expected


@pytest.mark.parametrize("kind", ["usage", "purchases"])
async def test_a_workbook_has_the_cells_of_the_csv(kind: str) -> None:
    of_usage = kind == "usage"
    rows = [EVENT, CORRECTION] if of_usage else [SETTLED, FAILED]
    text = file_of(ExportFormat.CSV, *rows).decode("utf-8-sig")
    expected = list(csv.DictReader(StringIO(text, newline="")))
    table = usage_table(USAGE) if of_usage else purchases_table(PURCHASES)
    found = map(usage_chunk if of_usage else purchases_chunk, rows)
    content = await made(ExportFormat.XLSX, table, *found)
    read = read_table(ExportFormat.XLSX, content)
    assert [[*row] for row in read] == [[*row] for row in expected]
    for row, line in zip(read, expected, strict=True):
        assert [name for name in row if not same(shown(row[name]), line[name])] == []


async def test_a_parquet_file_has_a_type_for_each_column() -> None:
    content = await made(
        ExportFormat.PARQUET, usage_table(USAGE), usage_chunk(EVENT), usage_chunk(CORRECTION)
    )
    first, second = read_parquet(content)
    assert first["start"] == EVENT["started_at"]
    assert (first["amount"], first["quantity"]) == (Decimal("0.000000800"), Decimal("1.5"))
    assert (first["deploymentExternalId"], first["correction"]) == ("18446744073709551615", False)
    assert first["region"] is None
    assert (second["amount"], second["correction"]) == (Decimal(-5), True)
    types = {
        each["column_name"]: each["column_type"]
        for each in read_parquet(content, "DESCRIBE SELECT * FROM '{}'")
    }
    assert {types[name] for name in ("amount", "quantity")} == {"DECIMAL(38,9)"}
    assert {types[name] for name in ("start", "receivedAt")} == {"TIMESTAMP WITH TIME ZONE"}
    assert (types["bucketDay"], types["correction"]) == ("DATE", "BOOLEAN")


async def test_the_ledger_keeps_the_largest_balance() -> None:
    request = LedgerExportRequest(zone=BERLIN)
    account = ACCOUNT | {"time_zone": "UTC"}
    table = ledger_table(LedgerSubject(account=account, seller={}, request=request))
    balance = format_nanos(2**63 - 1, 2)
    row = purchases_chunk(LEDGER)
    (found,) = read_parquet(await made(ExportFormat.PARQUET, table, row))
    assert (found["day"], found["amount"], found["balance"]) == (
        date(2026, 3, 28),
        Decimal("-1E-9"),
        Decimal(balance),
    )
    (cells,) = cells_of(await made(ExportFormat.XLSX, table, row))
    assert (cells["Balance"].data_type, cells["Balance"].value) == ("s", balance)
    assert (cells["Amount"].data_type, cells["Amount"].value) == ("n", -1e-9)
    assert cells["Usage of (UTC)"].value == datetime(2026, 3, 28)  # noqa: DTZ001 - a day's cell


NUMBERS = {
    999_999_999_999_999: "n",
    1_000_000_000_000_001: "s",
    -123_456_789_012_345_000: "n",
    10**37: "n",
    10**37 + 1: "s",
    0: "n",
}


@pytest.mark.parametrize("nanos", NUMBERS)
async def test_an_amount_of_more_digits_than_a_number_is_text(nanos: int) -> None:
    event = usage_chunk(EVENT | {"quantity_nanos": nanos})
    (cells,) = cells_of(await made(ExportFormat.XLSX, usage_table(USAGE), event))
    cell = cells["Quantity"]
    assert cell.data_type == NUMBERS[nanos]
    exact = Decimal(format_nanos(nanos, 0))
    # A float that is read has 15 digits at least.
    assert Decimal(cell.value if cell.data_type == "s" else f"{cell.value:.15g}") == exact
    (row,) = read_parquet(await made(ExportFormat.PARQUET, usage_table(USAGE), event))
    assert row["quantity"] == exact


TEXTS = [
    "=1+1",
    "+1",
    "@SUM(1)",
    "https://evil.example/",
    "mailto:a@b.c",
    "internal:Sheet1!A1",
    "0012",
    "1e5",
    "x" * 1_000,
    "ümläut 漢字 \U0001f600",
    " spaces ",
    "<b>&amp;</b>",
]


async def test_texts_are_neither_formulas_nor_links() -> None:
    found = [usage_chunk(EVENT | {"provider": text, "event_id": text}) for text in TEXTS]
    content = await made(ExportFormat.XLSX, usage_table(USAGE), *found)
    rows = list(cells_of(content))
    for name in ("Provider", "Event"):
        assert [row[name].value for row in rows] == TEXTS
        assert {row[name].data_type for row in rows} == {"s"}
        assert {row[name].hyperlink for row in rows} == {None}
    assert b"hyperlink" not in content
    parquet = read_parquet(await made(ExportFormat.PARQUET, usage_table(USAGE), *found))
    assert [row["provider"] for row in parquet] == TEXTS


async def test_a_text_beyond_a_cell_is_refused() -> None:
    event = usage_chunk(EVENT | {"provider": "x" * (xlsx.MOST_CHARACTERS + 1)})
    with pytest.raises(BadUserInput, match="too long for a spreadsheet"):
        await made(ExportFormat.XLSX, usage_table(USAGE), event)


async def test_a_full_sheet_is_followed_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    assert xlsx.MOST_ROWS == 2**20 - 1
    monkeypatch.setattr(xlsx, "MOST_ROWS", 3)
    found = [usage_chunk(EVENT | {"event_id": str(number)}) for number in range(7)]
    content = await made(ExportFormat.XLSX, usage_table(USAGE), *found)
    sheets = book_of(content).worksheets
    assert [(sheet.title, sheet.max_row) for sheet in sheets] == [
        ("Usage", 4),
        ("Usage 2", 4),
        ("Usage 3", 2),
    ]
    assert [row["Event"].value for row in cells_of(content)] == [str(n) for n in range(7)]


@pytest.mark.parametrize("format_", TABLES)
async def test_a_file_without_rows_has_its_columns(format_: ExportFormat) -> None:
    content = await made(format_, usage_table(USAGE))
    assert read_table(format_, content) == []
    if format_ is ExportFormat.XLSX:
        (sheet,) = book_of(content).worksheets
        assert (sheet.max_row, sheet["A1"].value) == (1, "Week (Europe/Berlin)")


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("format_", TABLES)
async def test_a_full_disk_has_an_error_of_its_own(
    format_: ExportFormat, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "TemporaryFile", partial(Path("/dev/full").open, "w+b"))
    with pytest.raises(StorageFull, match="no room for the temporary file"):
        await made(format_, usage_table(USAGE), usage_chunk(EVENT))
    assert names(folder) == []


async def test_a_full_disk_of_rows_is_found_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("xlsxwriter.worksheet.Worksheet._write_single_row", full)
    with pytest.raises(StorageFull):
        await made(ExportFormat.XLSX, usage_table(USAGE), usage_chunk(EVENT), usage_chunk(EVENT))
    assert names(folder) == []


@pytest.mark.parametrize("format_", TABLES)
async def test_a_file_that_nobody_waits_for_leaves_nothing(
    format_: ExportFormat, folder: Path
) -> None:
    file = WholeFile(TABLE_WRITERS[format_](usage_table(USAGE)))
    written = asyncio.Event()

    async def endless() -> AsyncGenerator[Chunk[Any]]:
        while True:
            yield usage_chunk(EVENT)
            written.set()

    async def read() -> None:
        async for _ in file.parts(endless()):
            pass

    reading = asyncio.create_task(read())
    await written.wait()
    assert len(names(folder)) == (1 if format_ is ExportFormat.XLSX else 0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert names(folder) == []
    assert file.size is None


WAITS = """
import sys
from gateway.exports.tables.scratch import Scratch
found = Scratch()
(found.path / "rows").write_text("secret")
print(found.path, flush=True)
sys.stdin.read()
"""


def test_what_a_killed_process_left_goes_with_the_next(folder: Path) -> None:
    environment = os.environ | {"TMPDIR": str(folder)}
    with subprocess.Popen(
        [sys.executable, "-c", WAITS], env=environment, stdin=-1, stdout=-1, text=True
    ) as process:
        assert process.stdout
        left = Path(process.stdout.readline().strip())
        mine = Scratch()
        assert left.exists()  # it lives
        process.send_signal(signal.SIGKILL)
        process.wait()
        other = Scratch()
        assert (left.exists(), mine.path.exists()) == (False, True)
    for each in (mine, other):
        each.remove()
    assert names(folder) == []


def test_parquet_is_not_offered_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    check_offered(ExportFormat.PARQUET, ())
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BadUserInput, match="without its extra `parquet`") as refused:
        check_offered(ExportFormat.PARQUET, ())
    assert refused.value.argument == "format"
    check_offered(ExportFormat.XLSX, ())
