"""Opens exports: reads an account's requested rows in one snapshot and writes them as bytes."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from gateway.exports import usage_rows
from gateway.exports.export import (
    Export,
    ExportFormat,
    LedgerSubject,
    PurchasesSubject,
    UsageSubject,
)
from gateway.exports.file_names import ledger_name, purchases_name, usage_name
from gateway.exports.request import (
    LedgerExportRequest,
    PurchaseExportRequest,
    UsageExportRequest,
    UsageRows,
)
from gateway.exports.writers import (
    AGGREGATE_WRITERS,
    LEDGER_WRITERS,
    PURCHASE_WRITERS,
    USAGE_WRITERS,
    check_offered,
    usage_formats,
)
from gateway.principal import Principal
from gateway.store import exported_usage, exports, sellers, usage_tables
from gateway.store.engine.statement import R
from gateway.store.engine.stream import Chunk, Stream
from gateway.store.ledger_listing import LEDGER
from gateway.store.rows import AccountRow
from gateway.store.sellers import SellerFacts, parse_details

LEDGER_ROWS: Final = 500
"""Rows of a chunk; see `store.exports`."""


class FilePart(NamedTuple):
    """A part of a file, and how many rows are in it."""

    content: bytes
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An export that has begun: `rows` is how many purchases, usage events or rows of the ledger
    it holds, and `parts` yields the file.
    """

    name: str
    rows: int
    media_type: str
    parts: Callable[[], AsyncGenerator[FilePart]]


async def _parts(writer: Export[R], rows: AsyncGenerator[Chunk[R]]) -> AsyncGenerator[FilePart]:
    """Yield a file. While one chunk is written, the database makes the next one."""
    yield FilePart(writer.begin(), 0)
    async with aclosing(_ahead(rows)) as chunks:
        async for chunk in chunks:
            yield FilePart(writer.write(chunk), len(chunk))
    yield FilePart(writer.end(), 0)


async def open_purchases(
    stream: Stream,
    principal: Principal,
    account: AccountRow,
    request: PurchaseExportRequest,
    format_: ExportFormat,
) -> Opened:
    """Begin an export of credit purchases. The principal's role must see them."""
    check_offered(format_, PURCHASE_WRITERS)
    selection = request.selection(account["account_id"])
    known = await _sellers(stream)
    subject = PurchasesSubject(
        account=account, seller=_in_force(known), sellers=known, request=request
    )
    writer = PURCHASE_WRITERS[format_](subject)
    return Opened(
        name=purchases_name(account["external_id"], request, writer.extension),
        rows=await exports.count_purchases(stream, principal, selection),
        media_type=writer.media_type,
        parts=partial(_parts, writer, exports.purchases(stream, principal, selection)),
    )


async def open_usage(
    stream: Stream,
    principal: Principal,
    account: AccountRow,
    request: UsageExportRequest,
    format_: ExportFormat,
) -> Opened:
    """Begin an export of usage: its charges, or sums of them."""
    check_offered(format_, usage_formats(request.rows))
    if request.rows is not UsageRows.CHARGES:
        return await _open_aggregates(stream, principal, account, request, format_)
    window = request.window
    selected = exported_usage.UsageSelection(
        account["account_id"], window.start, window.end, request.filter
    )
    seller = _in_force(await _sellers(stream))
    subject = UsageSubject(account=account, seller=seller, request=request)
    writer = USAGE_WRITERS[format_](subject)
    return Opened(
        name=usage_name(account["external_id"], request, writer.extension),
        rows=await exported_usage.count_usage(stream, principal, selected),
        media_type=writer.media_type,
        parts=partial(_parts, writer, exported_usage.usage(stream, principal, selected)),
    )


async def _open_aggregates(
    stream: Stream,
    principal: Principal,
    account: AccountRow,
    request: UsageExportRequest,
    format_: ExportFormat,
) -> Opened:
    subject = UsageSubject(account=account, seller={}, request=request)
    writer = AGGREGATE_WRITERS[format_](subject)
    if request.rows is UsageRows.BUCKETS:
        read, count = usage_rows.buckets, len(request.window.buckets(request.interval))
    else:
        key = usage_rows.table_key(account, request)
        read, count = usage_rows.series, await usage_tables.count_rows(stream, principal, key)
    return Opened(
        name=usage_name(account["external_id"], request, writer.extension),
        rows=count,
        media_type=writer.media_type,
        parts=partial(_parts, writer, read(stream, principal, account, request)),
    )


async def open_ledger(
    stream: Stream,
    principal: Principal,
    account: AccountRow,
    request: LedgerExportRequest,
    format_: ExportFormat,
) -> Opened:
    """Begin an export of the ledger. The principal's role must see purchases."""
    check_offered(format_, LEDGER_WRITERS)
    selection = request.selection(account["account_id"])
    seller = _in_force(await _sellers(stream))
    writer = LEDGER_WRITERS[format_](LedgerSubject(account=account, seller=seller, request=request))
    (totals,) = await LEDGER.fetch_totals(stream, principal, [selection])
    return Opened(
        name=ledger_name(account["external_id"], request, writer.extension),
        rows=totals["total_count"],
        media_type=writer.media_type,
        parts=partial(_parts, writer, LEDGER.chunks(stream, principal, selection, LEDGER_ROWS)),
    )


async def _sellers(stream: Stream) -> Mapping[int, SellerFacts]:
    versions = await sellers.all_details(stream)
    return {each["id"]: parse_details(each["details"]) for each in versions}


def _in_force(known: Mapping[int, SellerFacts]) -> SellerFacts:
    return known[max(known)] if known else {}


async def _ahead(chunks: AsyncGenerator[Chunk[R]]) -> AsyncGenerator[Chunk[R]]:
    """Yield the chunks; each is fetched while the previous one is in use."""
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
