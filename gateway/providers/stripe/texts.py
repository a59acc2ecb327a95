"""Reading Stripe's JSON: texts made fit to store, ids that may be expanded to their objects."""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, TypeAlias

from gateway.errors import BadUserInput
from gateway.instants import EARLIEST, LATEST
from gateway.text import is_identifier

Json: TypeAlias = Mapping[str, object]
NOTHING: Final[Json] = {}


def text_of(value: object, limit: int) -> str | None:
    """Return a text of at most `limit` characters without control characters, or None."""
    if not isinstance(value, str):
        return None
    kept = "".join(
        char for char in value if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs"}
    )
    return unicodedata.normalize("NFC", kept).strip()[:limit] or None


def identifier_of(value: object, limit: int) -> str | None:
    """Return an opaque identifier of at most `limit` characters as it was sent, or None."""
    if not isinstance(value, str) or not 0 < len(value) <= limit:
        return None
    return value if is_identifier(value) else None


def words(value: object) -> str | None:
    """Return one of Stripe's names as a person reads it: `requested_by_customer`."""
    text = text_of(value, 200)
    return text.replace("_", " ").capitalize() if text else None


def object_of(value: object) -> Json:
    """Return a JSON object, an empty one in place of anything else."""
    return value if isinstance(value, dict) else NOTHING


def items_of(value: object) -> list[Json]:
    """Return the objects of one of Stripe's lists that is part of an object."""
    data = object_of(value).get("data")
    return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []


def id_of(value: object) -> str | None:
    """Return an id, also of an object that stands in its place: 1 to 255 printable characters."""
    found = object_of(value).get("id") if isinstance(value, dict) else value
    if not isinstance(found, str) or not 0 < len(found) <= 255:
        return None
    return found if found.isascii() and found.isprintable() else None


def status_of(subject: Json) -> str:
    """Return an object's status, "" where it has none; raises BadUserInput for no text."""
    status = subject.get("status")
    if status is None:
        return ""
    if not isinstance(status, str):
        raise BadUserInput("A status must be a string.", argument="status")
    return status


def instant_of(seconds: object) -> datetime | None:
    """Return the instant of Stripe's seconds since 1970, or None outside this century."""
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        return None
    if not EARLIEST.timestamp() <= seconds < LATEST.timestamp():
        return None
    return datetime.fromtimestamp(seconds, UTC)


def reference_of(subject: Json) -> str:
    """Return an object's id; raises BadUserInput where it has none."""
    reference = id_of(subject.get("id"))
    if reference is None:
        raise BadUserInput("An object must have an id.", argument="id")
    return reference
