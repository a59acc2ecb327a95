"""CSV: RFC 4180 in UTF-8 with a byte order mark, instants with the zone's offset, exact decimals.

A text that a spreadsheet would read as a formula gets an apostrophe before it; numbers stay
numbers.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from typing import Any, Final, TypeAlias

from gateway.documents.export import PurchasesSubject, UsageSubject
from gateway.documents.export_cells import (
    Memo,
    amounts,
    buckets_of,
    credited_nanos,
    global_ids,
    instants_in,
    quantities,
)
from gateway.documents.payment_method import describe_method
from gateway.store.stream import Chunk
from gateway.windows import Interval

BOM: Final = b"\xef\xbb\xbf"
FORMULAS: Final = frozenset("=+-@\t\r\n＝＋－＠")
"""What a cell that is read as a formula begins with, in one spreadsheet or another."""

Column: TypeAlias = tuple[str, Callable[[Chunk], Iterable[Any]]]
"""A column's heading, and its cells in a chunk: texts, or None for an empty one."""

_BUCKETS: Final = {
    Interval.DAY: "Day",
    Interval.WEEK: "Week",
    Interval.MONTH: "Month",
    Interval.YEAR: "Year",
}


class CsvExport:
    """An `Export` of columns, with one line for each row below the headings."""

    media_type = "text/csv; charset=utf-8; header=present"
    extension = "csv"

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns

    def begin(self) -> bytes:
        return BOM + _lines([[heading for heading, _ in self._columns]])

    def write(self, chunk: Chunk) -> bytes:
        return _lines(zip(*(cells(chunk) for _, cells in self._columns), strict=True))

    def end(self) -> bytes:
        return b""


def inert(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in FORMULAS and text else text


def write_purchases(subject: PurchasesSubject) -> CsvExport:
    """Return the writer of credit purchases: one line each, refunds summed up in it."""
    local = subject.asked.zone
    zone, instants, nanos = local.key, instants_in(local), amounts(subject.currency)
    return CsvExport(
        [
            (f"Created at ({zone})", _converted(instants, "created_at")),
            (f"Settled at ({zone})", _converted(instants, "settled_at")),
            (
                "Purchase",
                _converted(global_ids("CreditPurchase", subject.account["account_id"]), "id"),
            ),
            ("Kind", _plain("kind")),
            ("Status", _plain("status")),
            ("Description", _text("description")),
            ("Currency", _plain("currency")),
            ("Amount", _converted(nanos, "amount_nanos")),
            ("Tax", _converted(nanos, "tax_nanos")),
            ("Bonus", _converted(nanos, "bonus_nanos")),
            ("Bonus reversed", _converted(nanos, "bonus_reversed_nanos")),
            ("Refunded", _converted(nanos, "refunded_nanos")),
            ("Credited", lambda chunk: nanos.of(credited_nanos(chunk))),
            ("Payment method", _methods),
            ("Failure reason", _text("failure_reason")),
            ("Receipt", _plain("receipt_number")),
            ("Provider", _text("provider")),
            ("Provider reference", _text("provider_reference")),
        ]
    )


def write_usage(subject: UsageSubject) -> CsvExport:
    """Return the writer of usage: one line for each event."""
    asked = subject.asked
    zone, instants = asked.window.time_zone, instants_in(asked.window.zone)
    nanos, units = amounts(subject.currency), quantities()
    days = buckets_of(asked, lambda bucket: str(bucket.first_day))
    return CsvExport(
        [
            (f"{_BUCKETS[asked.interval]} ({zone})", _converted(days, "started_at")),
            (f"Start ({zone})", _converted(instants, "started_at")),
            (f"End ({zone})", _converted(instants, "ended_at")),
            ("Deployment", _text("deployment_external_id")),
            ("Deployment name", _text("deployment_name")),
            ("Provider", _text("provider")),
            ("GPU model", _text("gpu_model")),
            ("Region", _text("region")),
            ("Service", _text("service")),
            ("SKU", _text("sku")),
            ("Resource", _plain("resource")),
            ("Quantity", _converted(units, "quantity_nanos")),
            ("Unit", _text("unit")),
            ("Amount", _converted(nanos, "amount_nanos")),
            ("Currency", lambda chunk: [subject.currency] * len(chunk["amount_nanos"])),
            ("Correction", lambda chunk: ["yes" if each else "" for each in chunk["correction"]]),
            (f"Received at ({zone})", _converted(instants, "received_at")),
            ("Source", _text("source")),
            ("Event", _text("event_id")),
        ]
    )


def _plain(name: str) -> Callable[[Chunk], Sequence[Any]]:
    """Return the cells of a column of our own words."""
    return lambda chunk: chunk[name]


def _converted(memo: Memo, name: str) -> Callable[[Chunk], list[Any]]:
    return lambda chunk: memo.of(chunk[name])


def _text(name: str) -> Callable[[Chunk], list[Any]]:
    """Return the cells of a column of others' words."""
    return _converted(Memo(inert), name)


def _methods(chunk: Chunk) -> list[str]:
    columns = ("payment_method_brand", "payment_method_last4", "payment_method_label")
    cells = zip(*(chunk[name] for name in columns), strict=True)
    return [inert(describe_method(*each)) for each in cells]


def _lines(rows: Iterable[Iterable[Any]]) -> bytes:
    text = StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
