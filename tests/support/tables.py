"""Whole tables, for comparing what is stored."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from gateway.models import metadata
from gateway.store import Database, Snapshot, Statement
from tests.support.books import ACTOR


async def table_rows(database: Database, name: str) -> list[dict[str, Any]]:
    """Return a table's rows in the order of its primary key."""
    table = metadata.tables[name]
    statement = Statement[Mapping[str, Any]](select(table).order_by(*table.primary_key.columns))
    async with Snapshot(database, ACTOR) as snapshot:
        return [dict(row) for row in await snapshot.fetch(statement)]


async def all_rows(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Return every table."""
    return {name: await table_rows(database, name) for name in sorted(metadata.tables)}
