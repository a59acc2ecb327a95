"""Opens exports: reads an account's requested rows in one snapshot and writes them as bytes."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Final

from gateway.exports import usage_rows
from gateway.exports.export import (
    Export,
    ExportFormat,
    FilePart,
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
from gateway.exports.tables.content import (
    aggregates_table,
    ledger_table,
    purchases_table,
    usage_table,
)
from gateway.exports.tables.whole import WholeFile
from gateway.exports.tables.writer import TableWriter
from gateway.exports.writers import (
    AGGREGATE_WRITERS,
    LEDGER_WRITERS,
    PURCHASE_WRITERS,
    USAGE_WRITERS,
    make_writer,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An export that has begun: `rows` is how many purchases, usage events or rows of the ledger
    it holds, and `parts` yields the file. A `whole` file has a size before its first content.
    """

    name: str
    rows: int
    media_type: str
    parts: Callable[[], AsyncGenerator[FilePart]]
    whole: WholeFile | None = None


def _opened(
    writer: Export[R] | TableWriter, *, name: str, rows: int, chunks: AsyncGenerator[Chunk[R]]
) -> Opened:
    whole: WholeFile | None = None
    if isinstance(writer, TableWriter):
        whole = WholeFile(writer)
        parts = partial(whole.parts, _ahead(chunks))
    else:
        parts = partial(_parts, writer, chunks)
    return Opened(name=name, rows=rows, media_type=writer.media_type, parts=parts, whole=whole)


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
    selection = request.selection(account["account_id"])
    known = await _sellers(stream)
    subject = PurchasesSubject(
        account=account, seller=_in_force(known), sellers=known, request=request
    )
    writer = make_writer(format_, subject, PURCHASE_WRITERS, purchases_table)
    return _opened(
        writer,
        name=purchases_name(account["external_id"], request, writer.extension),
        rows=await exports.count_purchases(stream, principal, selection),
        chunks=exports.purchases(stream, principal, selection),
    )


async def open_usage(
    stream: Stream,
    principal: Principal,
    account: AccountRow,
    request: UsageExportRequest,
    format_: ExportFormat,
) -> Opened:
    """Begin an export of usage: its charges, or sums of them."""
    if request.rows is not UsageRows.CHARGES:
        return await _open_aggregates(stream, principal, account, request, format_)
    window = request.window
    selected = exported_usage.UsageSelection(
        account["account_id"], window.start, window.end, request.filter
    )
    seller = _in_force(await _sellers(stream))
    subject = UsageSubject(account=account, seller=seller, request=request)
    writer = make_writer(format_, subject, USAGE_WRITERS, usage_table)
    return _opened(
        writer,
        name=usage_name(account["external_id"], request, writer.extension),
        rows=await exported_usage.count_usage(stream, principal, selected),
        chunks=exported_usage.usage(stream, principal, selected),
    )


async def _open_aggregates(
    stream: Stream,
    principal: Principal,
    account: AccountRow,
    request: UsageExportRequest,
    format_: ExportFormat,
) -> Opened:
    subject = UsageSubject(account=account, seller={}, request=request)
    writer = make_writer(format_, subject, AGGREGATE_WRITERS, aggregates_table)
    if request.rows is UsageRows.BUCKETS:
        read, count = usage_rows.buckets, len(request.window.buckets(request.interval))
    else:
        key = usage_rows.table_key(account, request)
        read, count = usage_rows.series, await usage_tables.count_rows(stream, principal, key)
    return _opened(
        writer,
        name=usage_name(account["external_id"], request, writer.extension),
        rows=count,
        chunks=read(stream, principal, account, request),
    )


async def open_ledger(
    stream: Stream,
    principal: Principal,
    account: AccountRow,
    request: LedgerExportRequest,
    format_: ExportFormat,
) -> Opened:
    """Begin an export of the ledger. The principal's role must see purchases."""
    selection = request.selection(account["account_id"])
    seller = _in_force(await _sellers(stream))
    subject = LedgerSubject(account=account, seller=seller, request=request)
    writer = make_writer(format_, subject, LEDGER_WRITERS, ledger_table)
    (totals,) = await LEDGER.fetch_totals(stream, principal, [selection])
    return _opened(
        writer,
        name=ledger_name(account["external_id"], request, writer.extension),
        rows=totals["total_count"],
        chunks=LEDGER.chunks(stream, principal, selection, LEDGER_ROWS),
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
