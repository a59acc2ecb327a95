"""JSONL: one object a line, with the API's names and spellings: decimals are strings, instants UTC.

A purchase holds its refunds. A usage line says where its bucket begins, as `buckets { start }`.
"""

from collections.abc import Callable, Mapping, Sequence

import orjson

from gateway.exports.cells import (
    METHOD_COLUMNS,
    K,
    Memo,
    Method,
    bucket_values,
    charged_column,
    credited_nanos,
    id_text,
    numbers,
    of_microseconds,
    refunded_tax,
    refunded_total,
    utc_text,
)
from gateway.exports.export import LedgerSubject, PurchasesSubject, UsageSubject
from gateway.exports.lines import Cells, LinesExport
from gateway.ids import encode_global_id
from gateway.money import format_nanos, minor_digits
from gateway.payment_methods import display_name, method_label
from gateway.store.engine.stream import ColumnChunk
from gateway.store.exports import ExportedRefund


def write_purchases(subject: PurchasesSubject) -> LinesExport:
    """Return the writer of credit purchases."""
    account_id: int = subject.account["account_id"]
    digits = minor_digits(subject.currency)
    return _jsonl(
        _converted("id", "id", id_text("CreditPurchase", account_id)),
        _converted("createdAt", "created_at", utc_text),
        _converted("settledAt", "settled_at", utc_text),
        _plain("kind", "kind"),
        _plain("status", "status"),
        _plain("description", "description"),
        _plain("currency", "currency"),
        _number("amount", "amount_nanos", digits),
        _number("tax", "tax_nanos", digits),
        _summed("charged", charged_column, digits),
        _number("bonus", "bonus_nanos", digits),
        _number("bonusReversed", "bonus_reversed_nanos", digits),
        _number("refunded", "refunded_nanos", digits),
        _summed("refundedTax", refunded_tax, digits),
        _summed("refundedTotal", refunded_total, digits),
        _summed("credited", credited_nanos, digits),
        _methods(),
        _plain("failureCode", "failure_code"),
        _plain("failureReason", "failure_reason"),
        _plain("provider", "provider"),
        _plain("providerReference", "provider_reference"),
        _plain("receiptNumber", "receipt_number"),
        _converted("receiptIssuedAt", "receipt_issued_at", utc_text),
        _refunds(account_id, digits),
    )


def write_usage(subject: UsageSubject) -> LinesExport:
    """Return the writer of usage events."""
    account_id: int = subject.account["account_id"]
    currency = _fragment("currency", subject.currency)
    instant = of_microseconds(utc_text)
    starts = bucket_values(
        subject.request, lambda bucket: _fragment("bucketStart", utc_text(bucket.start))
    )
    return _jsonl(
        lambda chunk: starts(chunk.column("started_at")),
        _converted("start", "started_at", instant),
        _converted("end", "ended_at", instant),
        _converted("deploymentId", "deployment_id", id_text("Deployment", account_id)),
        _plain("deploymentExternalId", "deployment_external_id"),
        _plain("deploymentName", "deployment_name"),
        _plain("provider", "provider"),
        _plain("gpuModel", "gpu_model"),
        _plain("region", "region"),
        _plain("service", "service"),
        _plain("sku", "sku"),
        _plain("project", "project"),
        _plain("resource", "resource"),
        _number("quantity", "quantity_nanos", 0),
        _plain("unit", "unit"),
        _number("amount", "amount_nanos", minor_digits(subject.currency)),
        lambda _: currency,
        _plain("correction", "correction"),
        _converted("receivedAt", "received_at", instant),
        _plain("source", "source"),
        _distinct("eventId", "event_id"),
    )


def write_aggregates(subject: UsageSubject) -> LinesExport:
    """Return the writer of sums of usage: a bucket, or a value in a bucket, each."""
    request, currency = subject.request, _fragment("currency", subject.currency)
    members = [
        _converted("start", "start", utc_text),
        _converted("end", "end", utc_text),
        _number("spend", "spent_nanos", minor_digits(subject.currency)),
        lambda _: currency,
        _plain("deployments", "deployments"),
    ]
    if request.by is not None:
        members += [_plain(name, name) for name in ("group", "key", "label")]
    if request.then is not None:
        names = {"thenGroup": "then_group", "thenKey": "then_key", "thenLabel": "then_label"}
        members += [_plain(name, column) for name, column in names.items()]
    return _jsonl(*members)


def write_ledger(subject: LedgerSubject) -> LinesExport:
    """Return the writer of the ledger's rows."""
    account_id: int = subject.account["account_id"]
    digits = minor_digits(subject.currency)

    def ids(name: str, column: str, typename: str) -> Cells:
        return _converted(name, column, id_text(typename, account_id))

    return _jsonl(
        ids("id", "key", "LedgerRow"),
        _converted("at", "recorded_at", utc_text),
        _plain("cause", "cause"),
        _converted("day", "day", str),
        _number("amount", "amount_nanos", digits),
        _number("balance", "balance_nanos", digits),
        _plain("currency", "currency"),
        _plain("description", "description"),
        ids("purchaseId", "purchase_id", "CreditPurchase"),
        ids("refundId", "refund_id", "Refund"),
        ids("disputeId", "dispute_id", "Dispute"),
    )


def _jsonl(*members: Cells) -> LinesExport:
    return LinesExport(
        members,
        media_type="application/x-ndjson; charset=utf-8",
        extension="jsonl",
        begin="{",
        end="}\n",
    )


def _fragment(name: str, value: object) -> str:
    """Return a member of an object, as JSON."""
    return f'"{name}":{orjson.dumps(value).decode()}'


def _quoted(name: str, text: Callable[[K], str]) -> Callable[[K], str]:
    """Return a function that writes a member with a value that needs no escaping."""
    return lambda value: f'"{name}":"{text(value)}"'


def _number(name: str, column: str, digits: int) -> Cells:
    return lambda chunk: _numbers(name, chunk.column(column), digits)


def _summed(name: str, nanos: Callable[[ColumnChunk], Sequence[int]], digits: int) -> Cells:
    return lambda chunk: _numbers(name, nanos(chunk), digits)


def _numbers(name: str, values: Sequence[int], digits: int) -> list[str]:
    return [f'"{name}":"{text}"' for text in numbers(values, digits)]


def _converted(name: str, column: str, text: Callable[[K], str]) -> Cells:
    memo = Memo(_quoted(name, text), f'"{name}":null')
    return lambda chunk: memo.of_column(chunk.column(column))


def _plain(name: str, column: str) -> Cells:
    memo: Memo[object, str] = Memo(lambda value: _fragment(name, value), f'"{name}":null')
    return lambda chunk: memo.of_column(chunk.column(column))


def _distinct(name: str, column: str) -> Cells:
    """Return the members of mostly distinct texts."""

    def cells(chunk: ColumnChunk) -> list[str]:
        texts = chunk.column(column)
        whole = "".join(texts)
        if not whole.isprintable() or '"' in whole or "\\" in whole:
            return [_fragment(name, text) for text in texts]
        return [f'"{name}":"{text}"' for text in texts]

    return cells


def _methods() -> Cells:
    def write(method: Method) -> str:
        kind, name, brand, last4, label = method
        fields = {
            "type": kind,
            "brand": brand,
            "last4": last4,
            "label": method_label(name, label),
            "displayName": display_name(*method),
        }
        return _fragment("paymentMethod", fields)

    memo, none = Memo(write), _fragment("paymentMethod", None)

    def cells(chunk: ColumnChunk) -> list[str]:
        methods = chunk.zip(*METHOD_COLUMNS)
        return [none if method[0] is None else memo[method] for method in methods]

    return cells


def _refunds(account_id: int, digits: int) -> Cells:
    def write(refund: ExportedRefund) -> Mapping[str, object]:
        settled_at = refund["settled_at"]
        return {
            "id": encode_global_id("Refund", account_id, refund["id"]),
            "createdAt": utc_text(refund["created_at"]),
            "settledAt": None if settled_at is None else utc_text(settled_at),
            "status": refund["status"],
            "amount": format_nanos(refund["amount_nanos"], digits),
            "tax": format_nanos(refund["tax_nanos"], digits),
            "total": format_nanos(refund["amount_nanos"] + refund["tax_nanos"], digits),
            "bonusReversed": format_nanos(refund["bonus_reversed_nanos"], digits),
            "reason": refund["reason"],
            "failureReason": refund["failure_reason"],
            "provider": refund["provider"],
            "providerReference": refund["provider_reference"],
            "receiptNumber": refund["receipt_number"],
            "cancellationNumber": refund["cancellation_number"],
        }

    none = _fragment("refunds", [])
    return lambda chunk: [
        _fragment("refunds", [*map(write, each)]) if each else none
        for each in chunk.column("refunds")
    ]
