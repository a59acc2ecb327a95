"""The audit log as a file: CSV or JSONL, oldest first."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final

import orjson

from gateway.audit.listing import answer_fields, event_id
from gateway.errors import BadUserInput
from gateway.exports.csv import BOM, text_cell
from gateway.exports.export import ExportFormat, FilePart
from gateway.exports.open import Opened
from gateway.principal import Principal
from gateway.store import audit_events
from gateway.store.audit_events import AuditEventRow, AuditFilter
from gateway.store.engine.stream import Stream

ROWS: Final = 500
"""Rows of a part."""
COLUMNS: Final = (
    *("id", "at", "actorKind", "actor", "account", "deed", "target", "result", "requestId"),
    "details",
)
_MEDIA_TYPES: Final[Mapping[ExportFormat, str]] = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.JSONL: "application/jsonl; charset=utf-8",
}


async def open_audit_events(
    stream: Stream, principal: Principal, wanted: AuditFilter, format_: ExportFormat
) -> Opened:
    """Begin an export of the events that the principal may see. Raises BadUserInput."""
    if format_ not in _MEDIA_TYPES:
        raise BadUserInput("`format` must be CSV or JSONL.", argument="format")
    return Opened(
        name=f"audit-events.{format_.lower()}",
        rows=await audit_events.count(stream, principal, wanted),
        media_type=_MEDIA_TYPES[format_],
        parts=partial(_parts, stream, principal, wanted, format_),
    )


async def _parts(
    stream: Stream, principal: Principal, wanted: AuditFilter, format_: ExportFormat
) -> AsyncGenerator[FilePart]:
    is_csv = format_ is ExportFormat.CSV
    yield FilePart(BOM + _line(COLUMNS) if is_csv else b"", 0)
    async with aclosing(audit_events.chunks(stream, principal, wanted, ROWS)) as chunks:
        async for chunk in chunks:
            cells = map(_cells, chunk.rows())
            lines = map(_csv, cells) if is_csv else map(_json, cells)
            yield FilePart(b"".join(lines), len(chunk))


def _cells(row: AuditEventRow) -> Sequence[object]:
    fields = answer_fields(row)
    return (
        event_id(row["id"]),
        fields.at,
        fields.actor_kind.value,
        row["actor"],
        row["external_id"],
        row["deed"],
        row["target"],
        row["result"],
        row["request_id"],
        fields.details,
    )


def _csv(cells: Sequence[object]) -> bytes:
    *texts, details = cells
    shown = None if details is None else orjson.dumps(details).decode()
    return _line([*("" if text is None else str(text) for text in texts), shown or ""])


def _line(texts: Sequence[str]) -> bytes:
    return (",".join(map(text_cell, texts)) + "\r\n").encode()


def _json(cells: Sequence[object]) -> bytes:
    return orjson.dumps(dict(zip(COLUMNS, cells, strict=True))) + b"\n"
