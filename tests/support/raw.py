"""SQL sent to a database directly, without the product's own code."""

import sqlite3
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import asyncpg

REFUSALS = (sqlite3.Error, asyncpg.PostgresError)
"""What a driver raises when the database says no."""


EVERY_ACCOUNT = {"app.accounts": "*"}
"""The setting of a session with which the role that serves sees all rows."""


async def execute(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements in one transaction and return the last one's rows."""
    if url.startswith("sqlite"):
        return execute_on_sqlite(url, statements)
    connection = await asyncpg.connect(url, server_settings=EVERY_ACCOUNT)
    try:
        async with connection.transaction():
            for statement in statements[:-1]:
                await connection.execute(statement)
            return [tuple(row) for row in await connection.fetch(statements[-1])]
    finally:
        await connection.close()


def execute_on_sqlite(url: str, statements: tuple[str, ...]) -> list[tuple[Any, ...]]:
    path = url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements[:-1]:
            connection.execute(statement)
        rows = connection.execute(statements[-1]).fetchall()
        connection.execute("COMMIT")
        return rows


def same_database(owner_url: str, url: str) -> str:
    """Return the owner's URL of the database at `url`."""
    return urlsplit(owner_url)._replace(path=urlsplit(url).path).geturl()
