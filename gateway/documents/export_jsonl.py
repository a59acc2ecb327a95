"""JSONL: one object a line, with the API's names and spellings: decimals are strings, instants UTC.

A purchase holds its refunds. A usage line says where its bucket begins, as `buckets { start }`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, Final

import orjson

from gateway.documents.export import PurchasesSubject, UsageSubject
from gateway.documents.export_cells import (
    Memo,
    amounts,
    buckets_of,
    credited_nanos,
    global_ids,
    quantities,
    utc_instants,
    utc_text,
)
from gateway.store import Row
from gateway.store.stream import Chunk

Member = Callable[[Chunk], Iterable[Any]]
"""One member's values in a chunk."""

_METHOD: Final = ("type", "brand", "last4", "label")


class JsonlExport:
    """An `Export` of objects with these members, in their order."""

    media_type = "application/x-ndjson; charset=utf-8"
    extension = "jsonl"

    def __init__(self, members: Mapping[str, Member]) -> None:
        self._names = tuple(members)
        self._members = tuple(members.values())

    def begin(self) -> bytes:
        return b""

    def write(self, chunk: Chunk) -> bytes:
        names = self._names
        cells = zip(*(values(chunk) for values in self._members), strict=True)
        objects = (dict(zip(names, each, strict=True)) for each in cells)
        return b"".join(map(orjson.dumps, objects, repeat(None), repeat(orjson.OPT_APPEND_NEWLINE)))

    def end(self) -> bytes:
        return b""


def write_purchases(subject: PurchasesSubject) -> JsonlExport:
    """Return the writer of credit purchases."""
    account_id: int = subject.account["account_id"]
    instants, nanos = utc_instants(), amounts(subject.currency)
    write_refund = _refund_writer(account_id, instants, nanos)
    return JsonlExport(
        {
            "id": _converted(global_ids("CreditPurchase", account_id), "id"),
            "createdAt": _converted(instants, "created_at"),
            "settledAt": _converted(instants, "settled_at"),
            "kind": _plain("kind"),
            "status": _plain("status"),
            "description": _plain("description"),
            "currency": _plain("currency"),
            "amount": _converted(nanos, "amount_nanos"),
            "tax": _converted(nanos, "tax_nanos"),
            "bonus": _converted(nanos, "bonus_nanos"),
            "bonusReversed": _converted(nanos, "bonus_reversed_nanos"),
            "refunded": _converted(nanos, "refunded_nanos"),
            "credited": lambda chunk: nanos.of(credited_nanos(chunk)),
            "paymentMethod": _methods,
            "failureCode": _plain("failure_code"),
            "failureReason": _plain("failure_reason"),
            "provider": _plain("provider"),
            "providerReference": _plain("provider_reference"),
            "receiptNumber": _plain("receipt_number"),
            "receiptIssuedAt": _converted(instants, "receipt_issued_at"),
            "refunds": lambda chunk: [[*map(write_refund, each)] for each in chunk["refunds"]],
        }
    )


def write_usage(subject: UsageSubject) -> JsonlExport:
    """Return the writer of usage events."""
    instants, nanos, units = utc_instants(), amounts(subject.currency), quantities()
    starts = buckets_of(subject.asked, lambda bucket: utc_text(bucket.start))
    deployments = global_ids("Deployment", subject.account["account_id"])
    return JsonlExport(
        {
            "bucketStart": _converted(starts, "started_at"),
            "start": _converted(instants, "started_at"),
            "end": _converted(instants, "ended_at"),
            "deploymentId": _converted(deployments, "deployment_id"),
            "deploymentExternalId": _plain("deployment_external_id"),
            "deploymentName": _plain("deployment_name"),
            "provider": _plain("provider"),
            "gpuModel": _plain("gpu_model"),
            "region": _plain("region"),
            "service": _plain("service"),
            "sku": _plain("sku"),
            "resource": _plain("resource"),
            "quantity": _converted(units, "quantity_nanos"),
            "unit": _plain("unit"),
            "amount": _converted(nanos, "amount_nanos"),
            "currency": lambda chunk: repeat(subject.currency, len(chunk["amount_nanos"])),
            "correction": lambda chunk: map(bool, chunk["correction"]),
            "receivedAt": _converted(instants, "received_at"),
            "source": _plain("source"),
            "eventId": _plain("event_id"),
        }
    )


def _plain(name: str) -> Member:
    return lambda chunk: chunk[name]


def _converted(memo: Memo, name: str) -> Member:
    return lambda chunk: memo.of(chunk[name])


def _methods(chunk: Chunk) -> list[dict[str, Any] | None]:
    columns: list[Sequence[Any]] = [chunk[f"payment_method_{name}"] for name in _METHOD]
    return [
        None if each[0] is None else dict(zip(_METHOD, each, strict=True))
        for each in zip(*columns, strict=True)
    ]


def _refund_writer(account_id: int, instants: Memo, nanos: Memo) -> Callable[[Row], dict[str, Any]]:
    ids = global_ids("Refund", account_id)

    def write(refund: Row) -> dict[str, Any]:
        return {
            "id": ids[refund["id"]],
            "createdAt": instants[refund["created_at"]],
            "settledAt": instants[refund["settled_at"]],
            "status": refund["status"],
            "amount": nanos[refund["amount_nanos"]],
            "tax": nanos[refund["tax_nanos"]],
            "bonusReversed": nanos[refund["bonus_reversed_nanos"]],
            "reason": refund["reason"],
            "failureReason": refund["failure_reason"],
            "provider": refund["provider"],
            "providerReference": refund["provider_reference"],
            "receiptNumber": refund["receipt_number"],
        }

    return write
