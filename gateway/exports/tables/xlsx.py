"""XLSX, for spreadsheets: a bold header on each sheet, exact amounts, texts that are only texts.

A spreadsheet keeps 15 digits of a number, so an amount with more is a text cell. Instants are texts
with the zone's offset, as in the CSV: a spreadsheet has no zones. Memory does not grow with the
rows: `xlsxwriter` keeps them in files of its own until the end.
"""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from io import SEEK_SET, RawIOBase
from typing import IO, Any, ClassVar, Final, TypeAlias

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from gateway.errors import BadUserInput
from gateway.exports.cells import local_text, of_microseconds
from gateway.exports.tables.columns import Column, Kind
from gateway.exports.tables.scratch import Scratch
from gateway.exports.tables.writer import TableWriter
from gateway.money import exact_decimal, format_nanos, significant_digits
from gateway.store.engine.stream import ColumnChunk

MOST_ROWS: Final = 1_048_575
"""Most rows of a sheet beside its header."""
MOST_DIGITS: Final = 15
MOST_CHARACTERS: Final = 32_767
"""Of a cell."""
_WIDTH: Final = 18

_Cells: TypeAlias = Callable[[Sequence[Any]], Sequence[str | Decimal | date | int | bool | None]]


class _Output(RawIOBase):
    """A file as an archive writes to it. After `end` only positions are counted: an archive that
    is not whole writes once more when it is freed.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file: IO[bytes] | None = file
        self._at = 0

    def end(self) -> None:
        self._file = None

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        if self._file is not None:
            self._file.write(data)
        self._at += size
        return size

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        at = offset if whence == SEEK_SET else self._at + offset
        self._at = at if self._file is None else self._file.seek(at)
        return self._at

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()


class XlsxWriter(TableWriter):
    """Writes a workbook."""

    media_type: ClassVar = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    extension: ClassVar = "xlsx"
    slice_rows: ClassVar = 50

    _scratch: Scratch | None = None
    _output: _Output | None = None
    _book: Any = None

    def open(self, file: IO[bytes]) -> None:
        self._scratch = Scratch()
        self._output = _Output(file)
        self._book = Workbook(
            self._output,
            {"constant_memory": True, "tmpdir": str(self._scratch.path), "use_zip64": True},
        )
        self._bold = self._book.add_format({"bold": True})
        instant = of_microseconds(local_text(self.table.zone))
        self._columns = [(_cells(column, instant), self._style(column)) for column in self._listed]
        self._sheets = 0
        self._add_sheet()

    @property
    def _listed(self) -> Sequence[Column]:
        return self.table.columns

    def _style(self, column: Column) -> Format | None:
        """Return how numbers and days of a column look."""
        if column.kind is Kind.DAY:
            return self._book.add_format({"num_format": "yyyy-mm-dd"})
        if column.kind is Kind.DECIMAL and column.digits:
            decimals = "0" * column.digits + "#" * (9 - column.digits)
            return self._book.add_format({"num_format": f"0.{decimals}"})
        return None

    def _add_sheet(self) -> None:
        self._sheets += 1
        name = self.table.title if self._sheets == 1 else f"{self.table.title} {self._sheets}"
        self._sheet: Worksheet = self._book.add_worksheet(name)
        self._sheet.set_column(0, len(self._listed) - 1, _WIDTH)
        self._sheet.freeze_panes(1, 0)
        for index, column in enumerate(self._listed):
            self._sheet.write_string(0, index, column.title, self._bold)
        self._row = 0

    def write(self, rows: ColumnChunk) -> None:
        cells = [
            write(column.values(rows))
            for column, (write, _) in zip(self._listed, self._columns, strict=True)
        ]
        styles = [style for _, style in self._columns]
        for row in zip(*cells, strict=True):
            if self._row == MOST_ROWS:
                self._add_sheet()
            self._row += 1
            for index, value in enumerate(row):
                if value is not None:
                    self._put(index, value, styles[index])

    def _put(
        self, column: int, value: str | Decimal | date | int | bool, style: Format | None
    ) -> None:
        if isinstance(value, str):
            # Never `write`, which takes some texts for formulas, links and numbers.
            if len(value) > MOST_CHARACTERS:
                raise BadUserInput("A text is too long for a spreadsheet; use another format.")
            self._sheet.write_string(self._row, column, value)
        elif isinstance(value, bool):
            self._sheet.write_boolean(self._row, column, value)
        elif isinstance(value, date):
            self._sheet.write_datetime(self._row, column, value, style)
        else:
            self._sheet.write_number(self._row, column, value, style)

    def finish(self) -> None:
        self._book.close()

    def release(self) -> None:
        if self._output is not None:
            self._output.end()
        if self._book is not None:
            self._book.fileclosed = True  # else it warns that it was never closed
            for sheet in self._book.worksheets():
                sheet.row_data_fh.close()
        if self._scratch is not None:
            self._scratch.remove()


def _cells(column: Column, instant: Callable[[int], str]) -> _Cells:
    if column.kind is Kind.INSTANT:
        return lambda values: [None if each is None else instant(each) for each in values]
    if column.kind is Kind.DECIMAL:
        return lambda values: [_amount(each, column.digits) for each in values]
    return lambda values: values


def _amount(nanos: int | None, digits: int) -> str | Decimal | None:
    if nanos is None:
        return None
    if significant_digits(nanos) > MOST_DIGITS:
        return format_nanos(nanos, digits)
    return exact_decimal(nanos)
