"""FOCUS files of accounts, as the exports write them, and their parsed rows."""

import csv
import io
from collections.abc import AsyncGenerator, Mapping
from datetime import date
from typing import Any, Final, TypeAlias

from gateway.exports.export import ExportFormat
from gateway.exports.open import Opened, open_purchases, open_usage
from gateway.exports.request import PurchaseExportRequest, UsageExportRequest
from gateway.instants import EARLIEST, LATEST
from gateway.money import parse_exact_nanos
from gateway.principal import Role, view_of
from gateway.store import Database
from gateway.windows import Interval, Window, zone
from tests.support.books import ACTOR

Charge: TypeAlias = Mapping[str, str]

CLAIMED: Final = frozenset(
    {
        "ACCOUNT_NAMING_SUPPORTED",
        "BILLING_BASED_ON_PROVISIONED_RESOURCES_SUPPORTED",
        "MULTIPLE_PRICING_CATEGORIES_SUPPORTED",
        "NEGOTIATED_PRICING_SUPPORTED",
        "PRICING_BILLING_CURRENCY_DIFFERENCES_SUPPORTED",
        "PUBLIC_PRICE_LIST_SUPPORTED",
        "REGION_SUPPORTED",
        "RESOURCE_TYPE_ASSIGNMENT_SUPPORTED",
        "UNIT_PRICING_SUPPORTED",
        "USAGE_MEASUREMENT_SUPPORTED",
        "VIRTUAL_CURRENCY_SUPPORTED",
    }
)
"""What our files can be held to: all of the model's criteria but those for sub-accounts, kinds of
billing accounts, availability zones, commitments, capacity reservations and tags.
"""


async def usage_file(
    database: Database, account: Any, *, window: Window | None = None
) -> tuple[str, int]:
    """Return the file of an account's usage, all of it or a window's, and how many rows it says."""
    content, rows = await usage_content(database, account, ExportFormat.FOCUS, window=window)
    return content.decode(), rows


async def usage_content(
    database: Database, account: Any, format_: ExportFormat, *, window: Window | None = None
) -> tuple[bytes, int]:
    """Return the bytes of `usage_file` in any format, and how many rows it says."""
    whole = Window(from_=EARLIEST.date(), to=date(LATEST.year - 1, 12, 31), zone=zone("UTC"))
    request = UsageExportRequest(window=window or whole, interval=Interval.YEAR)
    principal = view_of(account["account_id"], Role.OWNER)
    async with database.exporting(ACTOR) as stream:
        return await _content(await open_usage(stream, principal, account, request, format_))


async def purchases_file(
    database: Database, account: Any, *, request: PurchaseExportRequest | None = None
) -> tuple[str, int]:
    """Return the file of an account's purchases, all or some, and how many purchases it says."""
    principal = view_of(account["account_id"], Role.OWNER)
    request = request or PurchaseExportRequest(zone=zone("UTC"))
    async with database.exporting(ACTOR) as stream:
        opened = await open_purchases(stream, principal, account, request, ExportFormat.FOCUS)
        content, rows = await _content(opened)
    return content.decode(), rows


async def _content(opened: Opened) -> tuple[bytes, int]:
    parts: AsyncGenerator[tuple[bytes, int]] = opened.parts()
    return b"".join([part async for part, _ in parts]), opened.rows


def charges(text: str) -> list[Charge]:
    """Return a file's rows."""
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def nanos(rows: list[Charge], column: str, **where: str) -> int:
    """Return the sum of a column over the rows that have these values."""
    return sum(
        parse_exact_nanos(row[column])
        for row in rows
        if all(row[name] == value for name, value in where.items())
    )
