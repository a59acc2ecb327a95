"""The tables of exports: the columns of the CSV, with types."""

from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any

from gateway.exports.cells import (
    METHOD_COLUMNS,
    bucket_values,
    charged_column,
    credited_nanos,
    id_text,
    refunded_tax,
    refunded_total,
)
from gateway.exports.export import LedgerSubject, PurchasesSubject, UsageSubject
from gateway.exports.tables.columns import Column, Kind, Table, Values
from gateway.models.base import microseconds_from_instant
from gateway.money import minor_digits
from gateway.payment_methods import display_name
from gateway.store.engine.stream import ColumnChunk


def purchases_table(subject: PurchasesSubject) -> Table:
    """Return the table of credit purchases: a row each, refunds summed up in it."""
    zone, account_id = subject.request.zone, subject.account["account_id"]
    digits = minor_digits(subject.currency)

    def money(title: str, name: str, values: str | Values) -> Column:
        return _decimal(title, name, values, digits)

    return Table(
        title="Credit purchases",
        zone=zone,
        columns=(
            _instant(f"Created at ({zone.key})", "createdAt", "created_at"),
            _instant(f"Settled at ({zone.key})", "settledAt", "settled_at"),
            _id("Purchase", "id", "id", "CreditPurchase", account_id),
            _text("Kind", "kind", "kind"),
            _text("Status", "status", "status"),
            _text("Description", "description", "description"),
            _text("Currency", "currency", "currency"),
            money("Amount", "amount", "amount_nanos"),
            money("Tax", "tax", "tax_nanos"),
            money("Charged", "charged", charged_column),
            money("Bonus", "bonus", "bonus_nanos"),
            money("Bonus reversed", "bonusReversed", "bonus_reversed_nanos"),
            money("Refunded", "refunded", "refunded_nanos"),
            money("Refunded tax", "refundedTax", refunded_tax),
            money("Refunded total", "refundedTotal", refunded_total),
            money("Credited", "credited", credited_nanos),
            _text("Payment method", "paymentMethod", _methods),
            _text("Failure reason", "failureReason", "failure_reason"),
            _text("Receipt", "receiptNumber", "receipt_number"),
            _text("Credit notes", "creditNotes", _documents("receipt_number")),
            _text("Cancellations", "cancellations", _documents("cancellation_number")),
            _text("Provider", "provider", "provider"),
            _text("Provider reference", "providerReference", "provider_reference"),
        ),
    )


def usage_table(subject: UsageSubject) -> Table:
    """Return the table of usage: a row for each event."""
    request = subject.request
    zone, digits = request.window.zone, minor_digits(subject.currency)
    days = bucket_values(request, lambda bucket: bucket.first_day)
    bucket = f"{request.interval.capitalize()} ({zone.key})"
    return Table(
        title="Usage",
        zone=zone,
        columns=(
            _column(bucket, "bucketDay", Kind.DAY, lambda chunk: days(chunk.column("started_at"))),
            _column(f"Start ({zone.key})", "start", Kind.INSTANT, "started_at"),
            _column(f"End ({zone.key})", "end", Kind.INSTANT, "ended_at"),
            _text("Deployment", "deploymentExternalId", "deployment_external_id"),
            _text("Deployment name", "deploymentName", "deployment_name"),
            _text("Provider", "provider", "provider"),
            _text("GPU model", "gpuModel", "gpu_model"),
            _text("Region", "region", "region"),
            _text("Service", "service", "service"),
            _text("SKU", "sku", "sku"),
            _text("Project", "project", "project"),
            _text("Resource", "resource", "resource"),
            _decimal("Quantity", "quantity", "quantity_nanos", 0),
            _text("Unit", "unit", "unit"),
            _decimal("Amount", "amount", "amount_nanos", digits),
            _currency(subject.currency),
            _column("Correction", "correction", Kind.BOOLEAN, "correction"),
            _column(f"Received at ({zone.key})", "receivedAt", Kind.INSTANT, "received_at"),
            _text("Source", "source", "source"),
            _text("Event", "eventId", "event_id"),
        ),
    )


def aggregates_table(subject: UsageSubject) -> Table:
    """Return the table of sums of usage: a row for each bucket, or value and bucket."""
    request, zone = subject.request, subject.request.window.zone
    columns = [
        _instant(f"Start ({zone.key})", "start", "start"),
        _instant(f"End ({zone.key})", "end", "end"),
        _decimal("Spend", "spend", "spent_nanos", minor_digits(subject.currency)),
        _currency(subject.currency),
        _column("Deployments", "deployments", Kind.INTEGER, "deployments"),
    ]
    names = ("group", "key", "label")
    if request.by is not None:
        columns += [_text(name.capitalize(), name, name) for name in names]
    if request.then is not None:
        columns += [
            _text(f"Then {name}", f"then{name.capitalize()}", f"then_{name}") for name in names
        ]
    return Table(title=f"Usage {request.rows.lower()}", zone=zone, columns=columns)


def ledger_table(subject: LedgerSubject) -> Table:
    """Return the table of the ledger's rows."""
    zone, account_id = subject.request.zone, subject.account["account_id"]
    digits, own_zone = minor_digits(subject.currency), subject.account["time_zone"]
    return Table(
        title="Ledger",
        zone=zone,
        columns=(
            _instant(f"Recorded at ({zone.key})", "at", "recorded_at"),
            _text("Cause", "cause", "cause"),
            _column(f"Usage of ({own_zone})", "day", Kind.DAY, "day"),
            _decimal("Amount", "amount", "amount_nanos", digits),
            _decimal("Balance", "balance", "balance_nanos", digits),
            _text("Currency", "currency", "currency"),
            _text("Description", "description", "description"),
            _id("Purchase", "purchaseId", "purchase_id", "CreditPurchase", account_id),
            _id("Refund", "refundId", "refund_id", "Refund", account_id),
            _id("Dispute", "disputeId", "dispute_id", "Dispute", account_id),
            _id("Row", "id", "key", "LedgerRow", account_id),
        ),
    )


def _column(title: str, name: str, kind: Kind, values: str | Values) -> Column:
    return Column(title=title, name=name, kind=kind, values=_values(values))


def _values(values: str | Values) -> Values:
    return (lambda chunk: chunk.column(values)) if isinstance(values, str) else values


def _text(title: str, name: str, values: str | Values) -> Column:
    return _column(title, name, Kind.TEXT, values)


def _decimal(title: str, name: str, values: str | Values, digits: int) -> Column:
    return Column(title=title, name=name, kind=Kind.DECIMAL, values=_values(values), digits=digits)


def _instant(title: str, name: str, source: str) -> Column:
    return _column(title, name, Kind.INSTANT, _each(source, microseconds_from_instant))


def _id(title: str, name: str, source: str, typename: str, account_id: int) -> Column:
    return _text(title, name, _each(source, id_text(typename, account_id)))


def _each(source: str, convert: Callable[[Any], object]) -> Values:
    return lambda chunk: [
        None if value is None else convert(value) for value in chunk.column(source)
    ]


def _currency(currency: str) -> Column:
    return _text("Currency", "currency", lambda chunk: [*repeat(currency, len(chunk))])


def _methods(chunk: ColumnChunk) -> Sequence[str | None]:
    return [
        None if method[0] is None else display_name(*method)
        for method in chunk.zip(*METHOD_COLUMNS)
    ]


def _documents(name: str) -> Values:
    """Return the numbers of documents of each purchase's refunds, with spaces between."""

    def values(chunk: ColumnChunk) -> Sequence[str | None]:
        numbers_of = ((each[name] for each in refunds) for refunds in chunk.column("refunds"))
        return [" ".join(filter(None, each)) or None for each in numbers_of]

    return values
