"""Maps formats to their writers; a format without a writer is refused."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, TypeAlias, TypeVar

from gateway.errors import BadUserInput
from gateway.exports import csv, jsonl
from gateway.exports.export import (
    Export,
    ExportFormat,
    LedgerSubject,
    PurchasesSubject,
    Subject,
    UsageSubject,
)
from gateway.exports.focus import writer as focus
from gateway.exports.request import UsageRows
from gateway.exports.tables import parquet
from gateway.exports.tables.columns import Table
from gateway.exports.tables.parquet import ParquetWriter
from gateway.exports.tables.writer import TableWriter
from gateway.exports.tables.xlsx import XlsxWriter
from gateway.exports.usage_rows import AggregatedUsage
from gateway.store.engine.statement import R
from gateway.store.exported_usage import ExportedUsage
from gateway.store.exports import ExportedPurchase
from gateway.store.rows import LedgerRow

S = TypeVar("S", bound=Subject)
Writers: TypeAlias = Mapping[ExportFormat, Callable[[S], Export[R]]]


PURCHASE_WRITERS: Final[Writers[PurchasesSubject, ExportedPurchase]] = {
    ExportFormat.CSV: csv.write_purchases,
    ExportFormat.JSONL: jsonl.write_purchases,
    ExportFormat.FOCUS: focus.write_purchases,
}
USAGE_WRITERS: Final[Writers[UsageSubject, ExportedUsage]] = {
    ExportFormat.CSV: csv.write_usage,
    ExportFormat.JSONL: jsonl.write_usage,
    ExportFormat.FOCUS: focus.write_usage,
}
AGGREGATE_WRITERS: Final[Writers[UsageSubject, AggregatedUsage]] = {
    ExportFormat.CSV: csv.write_aggregates,
    ExportFormat.JSONL: jsonl.write_aggregates,
}
"""FOCUS has charges, not sums of them."""
LEDGER_WRITERS: Final[Writers[LedgerSubject, LedgerRow]] = {
    ExportFormat.CSV: csv.write_ledger,
    ExportFormat.JSONL: jsonl.write_ledger,
}
"""FOCUS has charges, not changes of a balance."""
TABLE_WRITERS: Final[Mapping[ExportFormat, type[TableWriter]]] = {
    ExportFormat.XLSX: XlsxWriter,
    ExportFormat.PARQUET: ParquetWriter,
}
"""The writers of every export that has a table."""


def make_writer(
    format_: ExportFormat, subject: S, writers: Writers[S, R], table: Callable[[S], Table]
) -> Export[R] | TableWriter:
    """Return the writer of a file. Raises BadUserInput for a format that is not offered."""
    check_offered(format_, writers)
    if format_ in TABLE_WRITERS:
        return TABLE_WRITERS[format_](table(subject))
    return writers[format_](subject)


def usage_formats(rows: UsageRows) -> Collection[ExportFormat]:
    """Return the formats of an export of usage with these rows."""
    return USAGE_WRITERS if rows is UsageRows.CHARGES else AGGREGATE_WRITERS


def written_formats() -> Sequence[ExportFormat]:
    """Return the formats that this process writes: those of an extra only where it is installed."""
    return [each for each in ExportFormat if _is_installed(each)]


def _is_installed(format_: ExportFormat) -> bool:
    return format_ is not ExportFormat.PARQUET or parquet.is_installed()


def check_offered(format_: ExportFormat, writers: Collection[ExportFormat]) -> None:
    """Raise BadUserInput for a format that has no writer among these or for tables, or that is not
    installed.
    """
    if format_ not in writers and format_ not in TABLE_WRITERS:
        offered = ", ".join(
            each for each in written_formats() if each in {*writers, *TABLE_WRITERS}
        )
        raise BadUserInput(
            f"The format {format_} is not available for this export; use one of {offered}.",
            argument="format",
        )
    if not _is_installed(format_):
        raise BadUserInput(
            f"The format {format_} is not available: this gateway was installed without its extra "
            "`parquet`.",
            argument="format",
        )
