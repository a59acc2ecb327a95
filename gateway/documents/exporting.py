"""Exports from the database to bytes: what an account's rows are asked for, in one snapshot."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from gateway.documents.export import (
    Export,
    ExportFormat,
    LedgerSubject,
    PurchasesSubject,
    UsageSubject,
)
from gateway.documents.export_request import LedgerAsked, PurchasesAsked, UsageAsked
from gateway.documents.writers import (
    LEDGER_WRITERS,
    PURCHASE_WRITERS,
    USAGE_WRITERS,
    check_offered,
)
from gateway.principal import Principal
from gateway.store import Row, exports, sellers
from gateway.store.ledger_listing import LEDGER
from gateway.store.stream import Chunk, Stream

WHOSE_BYTES: Final = 140
"""A whole name is of 255 bytes at most on every usual file system, and copies' names get longer."""

LEDGER_ROWS: Final = 500
"""Rows of a chunk; see `store.exports`."""

_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An export that has begun: `rows` is how many purchases, usage events or rows of the ledger
    it holds.
    """

    name: str
    rows: int
    writer: Export
    chunks: AsyncGenerator[Chunk]

    async def parts(self) -> AsyncGenerator[tuple[bytes, int]]:
        """Yield the file, and with each part how many rows are in it.

        While one chunk is written, the database makes the next one.
        """
        yield self.writer.begin(), 0
        async with aclosing(_ahead(self.chunks)) as chunks:
            async for chunk in chunks:
                yield self.writer.write(chunk), len(next(iter(chunk.values())))
        yield self.writer.end(), 0


async def open_purchases(
    stream: Stream,
    principal: Principal,
    account: Row,
    asked: PurchasesAsked,
    format_: ExportFormat,
) -> Opened:
    """Begin an export of credit purchases. The principal's role must see them."""
    check_offered(format_, PURCHASE_WRITERS)
    selection = asked.selection(account["account_id"])
    known = await _sellers(stream)
    subject = PurchasesSubject(account=account, seller=_in_force(known), sellers=known, asked=asked)
    writer = PURCHASE_WRITERS[format_](subject)
    return Opened(
        name=_name(account, "credit-purchases", asked.from_, asked.to, writer),
        rows=await exports.count_purchases(stream, principal, selection),
        writer=writer,
        chunks=exports.purchases(stream, principal, selection),
    )


async def open_usage(
    stream: Stream, principal: Principal, account: Row, asked: UsageAsked, format_: ExportFormat
) -> Opened:
    """Begin an export of usage."""
    check_offered(format_, USAGE_WRITERS)
    window = asked.window
    span = (account["account_id"], window.start, window.end)
    seller = _in_force(await _sellers(stream))
    subject = UsageSubject(account=account, seller=seller, asked=asked)
    writer = USAGE_WRITERS[format_](subject)
    return Opened(
        name=_name(account, "usage", window.from_, window.to, writer),
        rows=await exports.count_usage(stream, principal, *span),
        writer=writer,
        chunks=exports.usage(stream, principal, *span),
    )


async def open_ledger(
    stream: Stream, principal: Principal, account: Row, asked: LedgerAsked, format_: ExportFormat
) -> Opened:
    """Begin an export of the ledger. The principal's role must see purchases."""
    check_offered(format_, LEDGER_WRITERS)
    selection = asked.selection(account["account_id"])
    seller = _in_force(await _sellers(stream))
    writer = LEDGER_WRITERS[format_](LedgerSubject(account=account, seller=seller, asked=asked))
    (totals,) = await LEDGER.fetch_totals(stream, principal, [selection])
    return Opened(
        name=_name(account, "ledger", asked.from_, asked.to, writer),
        rows=totals["total_count"],
        writer=writer,
        chunks=LEDGER.chunks(stream, principal, selection, LEDGER_ROWS),
    )


async def _sellers(stream: Stream) -> Mapping[int, Mapping[str, Any]]:
    return {row["id"]: json.loads(row["details"]) for row in await sellers.all_details(stream)}


def _in_force(known: Mapping[int, Mapping[str, Any]]) -> Mapping[str, Any]:
    return known[max(known)] if known else {}


def _name(account: Row, what: str, from_: date | None, to: date | None, writer: Export) -> str:
    """Return the file's name: whose it is, what it holds and of which days; at most 200 bytes."""
    whose = _UNSAFE.sub("_", account["external_id"]).encode()[:WHOSE_BYTES].decode(errors="ignore")
    days = [word for word in (from_ and f"from-{from_}", to and f"to-{to}") if word]
    return f"{'-'.join([whose, what, *days])}.{writer.extension}"


async def _ahead(chunks: AsyncGenerator[Chunk]) -> AsyncGenerator[Chunk]:
    """Yield the chunks; each is asked for before the one before it is used."""
    async with aclosing(chunks):
        coming = asyncio.ensure_future(anext(chunks, None))
        try:
            while (chunk := await coming) is not None:
                coming = asyncio.ensure_future(anext(chunks, None))
                await asyncio.sleep(0)  # so that the question is on its way
                yield chunk
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
