"""CSV: RFC 4180 in UTF-8 with a byte order mark, instants with the zone's offset, exact decimals.

A text that a spreadsheet would read as a formula gets an apostrophe before it; numbers stay
numbers.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Final

from gateway.exports.cells import (
    METHOD_COLUMNS,
    K,
    Memo,
    Method,
    bucket_values,
    charged_column,
    credited_nanos,
    id_text,
    local_text,
    numbers,
    of_microseconds,
    refunded_tax,
    refunded_total,
)
from gateway.exports.export import LedgerSubject, PurchasesSubject, UsageSubject
from gateway.exports.lines import Cells, LinesExport, quoted
from gateway.money import minor_digits
from gateway.payment_methods import display_name
from gateway.store.engine.stream import ColumnChunk
from gateway.windows import Interval

BOM: Final = b"\xef\xbb\xbf"
FORMULAS: Final = frozenset("=+-@\t\r\n＝＋－＠")
"""First characters of cells that spreadsheets read as formulas."""
_CELL_OF_OTHERS: Final = re.compile(r"(?<=[;\t\r\n])(?=[=+\-@＝＋－＠])")
"""Beginnings of formulas for a spreadsheet that separates cells by semicolons or tabs."""
_CAREFUL: Final = '",;\t\r\n'
"""Characters of texts that are not written as they are."""
_FIRST: Final = itemgetter(0)

_BUCKETS: Final = {
    Interval.DAY: "Day",
    Interval.WEEK: "Week",
    Interval.MONTH: "Month",
    Interval.YEAR: "Year",
}


def write_purchases(subject: PurchasesSubject) -> LinesExport:
    """Return the writer of credit purchases: one line each, refunds summed up in it.

    Over the lines that have settled the amounts add up to the connection's `totals`.
    """
    zone, account_id = subject.request.zone.key, subject.account["account_id"]
    instant = local_text(subject.request.zone)
    digits = minor_digits(subject.currency)
    return _csv(
        {
            f"Created at ({zone})": _each("created_at", instant),
            f"Settled at ({zone})": _each("settled_at", instant),
            "Purchase": _each("id", id_text("CreditPurchase", account_id)),
            "Kind": _text("kind"),
            "Status": _text("status"),
            "Description": _text("description"),
            "Currency": _text("currency"),
            "Amount": _number("amount_nanos", digits),
            "Tax": _number("tax_nanos", digits),
            "Charged": _summed(charged_column, digits),
            "Bonus": _number("bonus_nanos", digits),
            "Bonus reversed": _number("bonus_reversed_nanos", digits),
            "Refunded": _number("refunded_nanos", digits),
            "Refunded tax": _summed(refunded_tax, digits),
            "Refunded total": _summed(refunded_total, digits),
            "Credited": _summed(credited_nanos, digits),
            "Payment method": _methods(),
            "Failure reason": _text("failure_reason"),
            "Receipt": _distinct("receipt_number"),
            "Credit notes": _documents("receipt_number"),
            "Cancellations": _documents("cancellation_number"),
            "Provider": _text("provider"),
            "Provider reference": _distinct("provider_reference"),
        }
    )


def write_usage(subject: UsageSubject) -> LinesExport:
    """Return the writer of usage: one line for each event."""
    request = subject.request
    zone, instant = request.window.time_zone, of_microseconds(local_text(request.window.zone))
    days = bucket_values(request, lambda bucket: str(bucket.first_day))
    return _csv(
        {
            f"{_BUCKETS[request.interval]} ({zone})": lambda chunk: days(
                chunk.column("started_at")
            ),
            f"Start ({zone})": _converted("started_at", instant),
            f"End ({zone})": _converted("ended_at", instant),
            "Deployment": _text("deployment_external_id"),
            "Deployment name": _text("deployment_name"),
            "Provider": _text("provider"),
            "GPU model": _text("gpu_model"),
            "Region": _text("region"),
            "Service": _text("service"),
            "SKU": _text("sku"),
            "Project": _text("project"),
            "Resource": _text("resource"),
            "Quantity": _number("quantity_nanos", 0),
            "Unit": _text("unit"),
            "Amount": _number("amount_nanos", minor_digits(subject.currency)),
            "Currency": lambda _: subject.currency,
            "Correction": _converted("correction", lambda correction: "yes" if correction else ""),
            f"Received at ({zone})": _converted("received_at", instant),
            "Source": _text("source"),
            "Event": _distinct("event_id"),
        }
    )


def write_aggregates(subject: UsageSubject) -> LinesExport:
    """Return the writer of sums of usage: one line for each bucket, or value and bucket."""
    request = subject.request
    zone, instant = request.window.time_zone, local_text(request.window.zone)
    columns: dict[str, Cells] = {
        f"Start ({zone})": _converted("start", instant),
        f"End ({zone})": _converted("end", instant),
        "Spend": _number("spent_nanos", minor_digits(subject.currency)),
        "Currency": lambda _: subject.currency,
        "Deployments": _converted("deployments", str),
    }
    for title, prefix, by in (("", "", request.by), ("Then ", "then_", request.then)):
        if by is not None:
            names = ("group", "key", "label")
            columns |= {f"{title}{name}".capitalize(): _text(f"{prefix}{name}") for name in names}
    return _csv(columns)


def write_ledger(subject: LedgerSubject) -> LinesExport:
    """Return the writer of the ledger: one line for each row."""
    zone, account_id = subject.request.zone.key, subject.account["account_id"]
    digits = minor_digits(subject.currency)

    def ids(name: str, typename: str) -> Cells:
        return _each(name, id_text(typename, account_id))

    return _csv(
        {
            f"Recorded at ({zone})": _each("recorded_at", local_text(subject.request.zone)),
            "Cause": _text("cause"),
            f"Usage of ({subject.account['time_zone']})": _each("day", str),
            "Amount": _number("amount_nanos", digits),
            "Balance": _number("balance_nanos", digits),
            "Currency": _text("currency"),
            "Description": _text("description"),
            "Purchase": ids("purchase_id", "CreditPurchase"),
            "Refund": ids("refund_id", "Refund"),
            "Dispute": ids("dispute_id", "Dispute"),
            "Row": ids("key", "LedgerRow"),
        }
    )


def text_cell(text: str) -> str:
    """Return the cell of untrusted text."""
    if text[:1] in FORMULAS and text:
        text = f"'{text}"
    return quoted(_CELL_OF_OTHERS.sub("'", text))


def _csv(columns: Mapping[str, Cells]) -> LinesExport:
    head = ",".join(map(text_cell, columns))
    return LinesExport(
        tuple(columns.values()),
        media_type="text/csv; charset=utf-8; header=present",
        extension="csv",
        head=BOM + f"{head}\r\n".encode(),
        end="\r\n",
    )


def _number(name: str, digits: int) -> Cells:
    return lambda chunk: numbers(chunk.column(name), digits)


def _summed(nanos: Callable[[ColumnChunk], Sequence[int]], digits: int) -> Cells:
    return lambda chunk: numbers(nanos(chunk), digits)


def _converted(name: str, convert: Callable[[K], str]) -> Cells:
    """Return the cells of a column with many equal values; None is an empty cell."""
    memo = Memo(convert, "")
    return lambda chunk: memo.of_column(chunk.column(name))


def _text(name: str) -> Cells:
    return _converted(name, text_cell)


def _each(name: str, convert: Callable[[K], str]) -> Cells:
    """Return the cells of a column with mostly distinct values; None is an empty cell."""
    return lambda chunk: ["" if value is None else convert(value) for value in chunk.column(name)]


def _distinct(name: str) -> Cells:
    """Return the cells of a column with mostly distinct texts."""

    def cells(chunk: ColumnChunk) -> Sequence[str]:
        texts: Sequence[str] = chunk.column(name)
        if not all(texts):
            texts = [text or "" for text in texts]
        whole = "".join(texts)
        # A search for one character takes a tenth of the time of a pattern.
        if any(each in whole for each in _CAREFUL) or FORMULAS.intersection(
            map(_FIRST, filter(None, texts))
        ):
            return [*map(text_cell, texts)]
        return texts

    return cells


def _documents(name: str) -> Cells:
    """Return the numbers of documents of each purchase's refunds, the oldest first, with spaces
    between.
    """

    def cells(chunk: ColumnChunk) -> list[str]:
        numbers_of = ((each[name] for each in refunds) for refunds in chunk.column("refunds"))
        return [text_cell(" ".join(filter(None, each))) for each in numbers_of]

    return cells


def _methods() -> Cells:
    def write(method: Method) -> str:
        return text_cell(display_name(*method))

    memo = Memo(write)

    def cells(chunk: ColumnChunk) -> list[str]:
        methods = chunk.zip(*METHOD_COLUMNS)
        return ["" if method[0] is None else memo[method] for method in methods]

    return cells
