"""The figures in files of usage of every format, read by other libraries than wrote them."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from fractions import Fraction
from io import StringIO
from typing import Any

from gateway.exports.export import ExportFormat
from gateway.exports.request import UsageRows
from tests.support.table_files import Rows, read_table

OF_PEOPLE = {
    "start": "Start",
    "deployment": "Deployment",
    "provider": "Provider",
    "gpu_model": "GPU model",
    "project": "Project",
    "resource": "Resource",
    "unit": "Unit",
    "quantity": "Quantity",
    "amount": "Amount",
    "spend": "Spend",
    "deployments": "Deployments",
    "group": "Group",
    "key": "Key",
    "then_group": "Then group",
    "then_key": "Then key",
}
OF_PROGRAMS = {
    **{name: name for name in OF_PEOPLE},
    "deployment": "deploymentExternalId",
    "gpu_model": "gpuModel",
    "then_group": "thenGroup",
    "then_key": "thenKey",
}
OF_FOCUS = {
    "start": "ChargePeriodStart",
    "deployment": "ResourceId",
    "provider": "x_ComputeProvider",
    "gpu_model": "x_GpuModel",
    "project": "x_Project",
    "resource": "x_Resource",
    "unit": "x_Unit",
    "quantity": "ConsumedQuantity",
    "amount": "EffectiveCost",
}
NAMES: Mapping[ExportFormat, Mapping[str, str]] = {
    ExportFormat.CSV: OF_PEOPLE,
    ExportFormat.XLSX: OF_PEOPLE,
    ExportFormat.JSONL: OF_PROGRAMS,
    ExportFormat.PARQUET: OF_PROGRAMS,
    ExportFormat.FOCUS: OF_FOCUS,
}
COLUMNS = {
    UsageRows.CHARGES: (
        *("start", "deployment", "provider", "gpu_model", "project", "resource", "unit"),
        *("quantity", "amount"),
    ),
    UsageRows.BUCKETS: ("start", "spend", "deployments"),
    UsageRows.SERIES: (
        *("start", "group", "key", "then_group", "then_key", "spend", "deployments"),
    ),
}


def figures_of(format_: ExportFormat, rows: UsageRows, content: bytes) -> Counter[tuple[Any, ...]]:
    """Return the rows of a file, each as the cells of COLUMNS: instants, texts, and exact nanos."""
    names = [NAMES[format_][name] for name in COLUMNS[rows]]
    read: list[Callable[[Any], Any]] = [_READ.get(name, _text) for name in COLUMNS[rows]]
    return Counter(
        tuple(to(row[name]) for name, to in zip(names, read, strict=True))
        for row in file_rows(format_, content)
    )


def file_rows(format_: ExportFormat, content: bytes) -> Rows:
    """Return the rows of a file of any format, by the names of the columns without their units."""
    if format_ in {ExportFormat.XLSX, ExportFormat.PARQUET}:
        rows = read_table(format_, content)
    elif format_ is ExportFormat.JSONL:
        rows = [json.loads(line) for line in content.decode().splitlines()]
    else:
        rows = list(csv.DictReader(StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    return [{name.partition(" (")[0]: cell for name, cell in row.items()} for row in rows]


def _instant(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def _text(value: Any) -> str | None:
    return value or None


def _nanos(value: Any) -> int:
    # A number of a workbook has 15 digits.
    exact = Fraction(f"{value:.15g}" if isinstance(value, float) else str(value))
    nanos = exact * 10**9
    assert nanos.denominator == 1
    return nanos.numerator


_READ: Mapping[str, Callable[[Any], Any]] = {
    "start": _instant,
    "quantity": _nanos,
    "amount": _nanos,
    "spend": _nanos,
    "deployments": int,
}
