"""Defines exports: an account's rows, in chunks, and a writer that makes a file of them.

CSV, JSONL and FOCUS are writers of the same rows, line by line; XLSX and Parquet are made whole
(`gateway.exports.tables`). A chunk holds the rows by column, oldest
first over the whole export; money and quantities are nanos, instants are UTC, and unknown values
are None.

- a **credit purchase** is a `store.exports.ExportedPurchase`, in the order of `created_at` and
  `id`;
- **usage** has a `store.exported_usage.ExportedUsage` for each event, in the order of `started_at`,
  `source` and `event_id`, its instants in microseconds since 1970;
- the **ledger** has the rows of `store.ledger_listing`, in their order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from gateway.exports.request import LedgerExportRequest, PurchaseExportRequest, UsageExportRequest
from gateway.store.engine.statement import R
from gateway.store.engine.stream import Chunk
from gateway.store.rows import AccountRow
from gateway.store.sellers import SellerFacts


class ExportFormat(StrEnum):
    """The format of a file."""

    CSV = "CSV"
    JSONL = "JSONL"
    FOCUS = "FOCUS"
    XLSX = "XLSX"
    PARQUET = "PARQUET"


class FilePart(NamedTuple):
    """A part of a file, and how many rows are in it."""

    content: bytes
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The owner of a file's rows: the account's row, and the seller's current details (empty where
    there are none).
    """

    account: AccountRow
    seller: SellerFacts

    @property
    def currency(self) -> str:
        return self.account["currency"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchasesSubject(Subject):
    """Credit purchases, by a filter; `sellers` are all versions of the seller's details, by key."""

    sellers: Mapping[int, SellerFacts]
    request: PurchaseExportRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSubject(Subject):
    """Usage, in a window with its buckets."""

    request: UsageExportRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSubject(Subject):
    """Rows of the ledger, by a filter."""

    request: LedgerExportRequest


class Export(Protocol[R]):
    """Writes one file: `begin`, then `write` for each chunk, then `end`.

    It is made for one export. What it returns, joined, is the file. It runs on the event loop and
    waits for nothing: a chunk is small.
    """

    @property
    def media_type(self) -> str:
        """The file's media type, with its parameters."""
        ...

    @property
    def extension(self) -> str:
        """The file's extension, without the dot."""
        ...

    def begin(self) -> bytes: ...

    def write(self, chunk: Chunk[R]) -> bytes: ...

    def end(self) -> bytes: ...
