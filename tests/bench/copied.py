"""The measured data in SQLite: every row of a Postgres, copied table by table."""

import sqlite3
from pathlib import Path

import asyncpg
from sqlalchemy import Table
from sqlalchemy.dialects.sqlite import dialect

from gateway.migrations import migrate
from gateway.models import metadata

ROWS = 20_000


async def copy_to_sqlite(url: str, path: Path) -> None:
    """Make a migrated SQLite database with the rows of a Postgres; `url` is the owner's."""
    await migrate(f"sqlite:///{path}")
    source = await asyncpg.connect(url)
    target = sqlite3.connect(path)
    try:
        # Triggers add rows of their own, and delete some.
        triggers = target.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        kept = triggers.fetchall()
        for name, _ in kept:
            target.execute(f"DROP TRIGGER {name}")
        for table in metadata.sorted_tables:
            await _copy(source, target, table)
        for _, statement in kept:
            target.execute(statement)
        target.commit()
        target.execute("ANALYZE")
    finally:
        target.close()
        await source.close()


async def _copy(
    source: "asyncpg.Connection[asyncpg.Record]", target: sqlite3.Connection, table: Table
) -> None:
    columns = list(table.columns)
    names = ", ".join(column.name for column in columns)
    marks = ", ".join("?" for _ in columns)
    insert = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"
    target.execute(f"DELETE FROM {table.name}")  # rows of the migrations
    binders = [column.type.bind_processor(dialect()) for column in columns]
    async with source.transaction():
        cursor = await source.cursor(f"SELECT {names} FROM {table.name}")
        while rows := await cursor.fetch(ROWS):
            target.executemany(
                insert,
                (
                    tuple(
                        bind(value) if bind and value is not None else value
                        for bind, value in zip(binders, row, strict=True)
                    )
                    for row in rows
                ),
            )
