"""Files of tables, opened by another library than wrote them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import duckdb
from openpyxl import load_workbook

from gateway.exports.export import ExportFormat


def _sheets(path: Path) -> Sequence[int]:
    with path.open("rb") as file:
        book = load_workbook(file, read_only=True)
        # Of each sheet's rows, one is the header.
        return [sum(1 for _ in sheet.iter_rows(values_only=True)) - 1 for sheet in book.worksheets]


def _file(path: Path) -> Sequence[int]:
    with duckdb.connect() as connection:
        # Every cell is read: a count alone is in the file's last bytes.
        relation = connection.execute(
            "SELECT COLUMNS(*)::VARCHAR FROM read_parquet(?)", [str(path)]
        )
        rows = 0
        while batch := relation.fetchmany(10_000):
            rows += len(batch)
        return [rows]


TABLE_ROWS: Final[Mapping[ExportFormat, Callable[[Path], Sequence[int]]]] = {
    ExportFormat.XLSX: _sheets,
    ExportFormat.PARQUET: _file,
}
"""How the rows of a file are read: those of each sheet of a workbook, or of the whole file."""
