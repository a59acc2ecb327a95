"""Inserts many rows into a table of Postgres by way of a temporary table of the connection: COPY is
refused where a table has row-level security. Postgres inserts one part while the next is made.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator
from itertools import islice
from typing import Final

from gateway.store.engine.binary_rows import BinaryRows, RowEncoder
from gateway.store.engine.postgres_pool import Connection
from gateway.store.engine.write import PIECE, Insert, W

PART: Final = 16 * PIECE
"""Most rows that are inserted at once."""


class Loads:
    """The loads of a transaction. A statement without an answer after `timeout_seconds` ends it."""

    def __init__(self, connection: Connection, timeout_seconds: float | None) -> None:
        self._connection = connection
        self._timeout = timeout_seconds
        self._filled: set[str] = set()
        """The temporary tables with rows of this transaction."""

    async def load(self, statement: Insert[W], records: Iterable[W]) -> None:
        """Insert rows, which are read while earlier ones are inserted."""
        encoder, rows = RowEncoder(statement.kinds), iter(records)
        inserting: asyncio.Task[None] | None = None
        try:
            while part := await _next_part(rows):
                encoded = await encoder.encode(part)
                if inserting is not None:
                    await inserting
                inserting = asyncio.create_task(self._insert(statement, encoded))
            if inserting is not None:
                await inserting
        finally:
            if inserting is not None and not inserting.done():
                inserting.cancel()
                await asyncio.wait([inserting])

    async def _insert(self, statement: Insert[W], part: BinaryRows) -> None:
        table, names = statement.table.name, ", ".join(statement.columns)
        staged = f"loading_{table}"
        if staged in self._filled:
            await self._execute(f"TRUNCATE {staged}")
        else:
            await self._execute(
                f"CREATE TEMPORARY TABLE IF NOT EXISTS {staged} ON COMMIT DELETE ROWS "
                f"AS SELECT {names} FROM {table} WITH NO DATA"
            )
        self._filled.add(staged)
        await self._connection.copy_to_table(
            staged,
            columns=part.columns,
            source=_whole(part.data),
            format="binary",
            timeout=self._timeout,
        )
        await self._execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {staged}")

    async def _execute(self, text: str) -> None:
        await self._connection.execute(text, timeout=self._timeout)


async def _next_part(rows: Iterator[W]) -> list[W]:
    """Return the next rows. Others have their turn after each piece."""
    part: list[W] = []
    while len(part) < PART and (piece := [*islice(rows, PIECE)]):
        part += piece
        await asyncio.sleep(0)
    return part


async def _whole(data: bytes) -> AsyncGenerator[bytes]:
    yield data
