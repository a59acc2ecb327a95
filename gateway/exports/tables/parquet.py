"""Parquet, for analysis: a column of its own type for each fact, amounts as decimal128(38, 9)."""

import importlib
import importlib.util
from contextlib import suppress
from typing import IO, Any, ClassVar, Final

from gateway.exports.tables.columns import Kind, Table
from gateway.exports.tables.writer import TableWriter
from gateway.money import exact_decimal
from gateway.store.engine.stream import ColumnChunk

GROUP_ROWS: Final = 50_000
"""Rows of a row group, which are in memory until it is written."""


def is_installed() -> bool:
    """Return whether the optional dependencies `parquet` are there."""
    return importlib.util.find_spec("pyarrow") is not None


class ParquetWriter(TableWriter):
    """Writes a file with row groups of GROUP_ROWS. The library is loaded with the first file: it
    takes 0.3 s and some 60 MB.
    """

    media_type: ClassVar = "application/vnd.apache.parquet"
    extension: ClassVar = "parquet"
    slice_rows: ClassVar = 500

    _writer: Any = None

    def open(self, file: IO[bytes]) -> None:
        self._arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
        self._schema = _schema(self._arrow, self.table)
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._batches: list[Any] = []
        self._rows = 0

    def write(self, rows: ColumnChunk) -> None:
        arrays = [
            self._arrow.array(_cells(column.kind, column.values(rows)), field.type)
            for column, field in zip(self.table.columns, self._schema, strict=True)
        ]
        self._batches.append(self._arrow.RecordBatch.from_arrays(arrays, schema=self._schema))
        self._rows += len(rows)
        if self._rows >= GROUP_ROWS:
            self._write_group()

    def _write_group(self) -> None:
        group = self._arrow.Table.from_batches(self._batches, self._schema)
        self._batches, self._rows = [], 0
        self._writer.write_table(group, row_group_size=GROUP_ROWS)

    def finish(self) -> None:
        self._write_group()
        self._writer.close()

    def release(self) -> None:
        if self._writer is not None:
            with suppress(Exception):  # a file that is not whole is dropped
                self._writer.close()


def _schema(arrow: Any, table: Table) -> Any:
    types = {
        Kind.TEXT: arrow.string(),
        Kind.INSTANT: arrow.timestamp("us", tz="UTC"),
        Kind.DAY: arrow.date32(),
        Kind.DECIMAL: arrow.decimal128(38, 9),
        Kind.INTEGER: arrow.int64(),
        Kind.BOOLEAN: arrow.bool_(),
    }
    return arrow.schema([(column.name, types[column.kind]) for column in table.columns])


def _cells(kind: Kind, values: Any) -> Any:
    if kind is Kind.DECIMAL:
        return [None if nanos is None else exact_decimal(nanos) for nanos in values]
    return values
