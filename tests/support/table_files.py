"""Files of tables, read back by other libraries than wrote them."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell

from gateway.exports.export import ExportFormat

Rows = list[dict[str, Any]]


def book_of(content: bytes) -> Workbook:
    return load_workbook(BytesIO(content))


def cells_of(content: bytes) -> Iterator[dict[str, Cell]]:
    """Yield the cells of each row of all sheets, by their titles."""
    for sheet in book_of(content).worksheets:
        head, *rows = sheet.iter_rows()
        for row in rows:
            yield {str(title.value): cell for title, cell in zip(head, row, strict=True)}


def read_parquet(content: bytes, query: str = "SELECT * FROM '{}'") -> Rows:
    """Return the rows of a query over a Parquet file."""
    with TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder, "file.parquet")
        path.write_bytes(content)
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute(query.format(path))
        names = [name for name, *_ in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def read_table(format_: ExportFormat, content: bytes) -> Rows:
    """Return the rows of an XLSX file, or of a Parquet file."""
    if format_ is ExportFormat.PARQUET:
        return read_parquet(content)
    return [{name: cell.value for name, cell in row.items()} for row in cells_of(content)]
