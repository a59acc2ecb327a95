"""Audit events as tests compare them."""

import json
from typing import Any, NamedTuple

from gateway.store import Database
from tests.support.tables import table_rows


class Written(NamedTuple):
    """The content of an event of the audit log."""

    deed: str
    target: str | None
    details: Any
    result: str = "DONE"


async def written(database: Database) -> list[Written]:
    """Return the stored events, oldest first."""
    return [
        Written(row["deed"], row["target"], json.loads(row["details"] or "null"), row["result"])
        for row in await table_rows(database, "audit_event")
    ]
