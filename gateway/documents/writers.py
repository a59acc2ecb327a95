"""Which formats there are: a format that has no writer here is not offered."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from gateway.documents import export_csv, export_focus, export_jsonl
from gateway.documents.export import (
    Export,
    ExportFormat,
    PurchasesSubject,
    Subject,
    UsageSubject,
)
from gateway.errors import BadUserInput

S = TypeVar("S", bound=Subject)

PURCHASE_WRITERS: Final[Mapping[ExportFormat, Callable[[PurchasesSubject], Export]]] = {
    ExportFormat.CSV: export_csv.write_purchases,
    ExportFormat.JSONL: export_jsonl.write_purchases,
    ExportFormat.FOCUS: export_focus.write_purchases,
}
USAGE_WRITERS: Final[Mapping[ExportFormat, Callable[[UsageSubject], Export]]] = {
    ExportFormat.CSV: export_csv.write_usage,
    ExportFormat.JSONL: export_jsonl.write_usage,
    ExportFormat.FOCUS: export_focus.write_usage,
}


def check_offered(format_: ExportFormat) -> None:
    """Raise BadUserInput for a format that nothing is written in."""
    if format_ not in PURCHASE_WRITERS or format_ not in USAGE_WRITERS:
        raise BadUserInput(f"The format {format_} is not offered here.", argument="format")
