"""The audit log as it is listed and exported: filters and ids."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from gateway.audit.deeds import Deed
from gateway.errors import BadCursor, BadUserInput
from gateway.ids import MAX_KEY, first_key
from gateway.instants import parse_instant, serialize_instant
from gateway.principal import ActorKind
from gateway.store.audit_events import AuditEventRow, AuditFilter
from gateway.store.engine.stored_json import loads
from gateway.text import is_identifier

FILTERS: Final = ("account", "actor", "deed", "result", "requestId", "from", "to")
"""The parameters of a listing and of an export."""
_ID: Final = re.compile(r"audit_([0-9a-f]{16})", re.ASCII)
_TEXTS: Final = ("account", "actor", "result", "requestId")
_MOST: Final = 255


class AuditFields(NamedTuple):
    """Cells of an event as they are shown."""

    at: str
    actor_kind: ActorKind
    details: dict[str, object] | None


def answer_fields(row: AuditEventRow) -> AuditFields:
    """Return an event's cells that are shown otherwise than stored."""
    details = row["details"]
    return AuditFields(
        serialize_instant(row["occurred_at"]),
        ActorKind(row["actor_kind"]),
        None if details is None else loads(details),
    )


def event_id(key: int) -> str:
    """Return an event's id."""
    return f"audit_{key:016x}"


def key_of(after: str) -> int:
    """Return the key in an event's id. Raises BadCursor."""
    match = _ID.fullmatch(after)
    if match is None or int(match[1], 16) > MAX_KEY:
        raise BadCursor("`after` is the `next` of the page before.", argument="after")
    return int(match[1], 16)


def read_filter(parameters: Mapping[str, str], *, before: int = MAX_KEY) -> AuditFilter:
    """Return the filter that parameters describe, of events before a key. Raises BadUserInput."""
    for name in _TEXTS:
        text = parameters.get(name)
        if text is not None and not (0 < len(text) <= _MOST and is_identifier(text)):
            raise BadUserInput(
                f"`{name}` must have 1 to {_MOST} characters, none of them a control character.",
                argument=name,
            )
    deed = parameters.get("deed")
    if deed is not None and deed not in [*Deed]:
        raise BadUserInput(f"`deed` must be one of {', '.join(Deed)}.", argument="deed")
    start, end = (_instant(parameters, name) for name in ("from", "to"))
    return AuditFilter(
        lower=first_key(start) - 1 if start else -1,
        upper=min(before, first_key(end)) if end else before,
        account=parameters.get("account"),
        actor=parameters.get("actor"),
        deed=deed,
        result=parameters.get("result"),
        request_id=parameters.get("requestId"),
    )


def _instant(parameters: Mapping[str, str], name: str) -> datetime | None:
    text = parameters.get(name)
    try:
        return None if text is None else parse_instant(text)
    except BadUserInput as error:
        raise BadUserInput(error.message, argument=name) from None
