"""Defines exports: an account's rows, in chunks, and a writer that makes a file of them.

CSV, JSONL and FOCUS are three writers of the same rows. A chunk holds the rows by column, oldest
first over the whole export; money and quantities are nanos, instants are UTC, and unknown values
are None.

A **credit purchase** has the columns of the table `credit_purchase` (`account_id id kind status
currency amount_nanos tax_nanos bonus_nanos refunded_nanos bonus_reversed_nanos description
failure_code failure_reason payment_method_type payment_method_name payment_method_brand
payment_method_last4 payment_method_label provider provider_reference created_at failed_at
settled_at`…), in the order of `created_at` and `id`, and

- `receipt_number` and `receipt_issued_at`, both None until it has settled, and
  `receipt_seller_id`, the version of the seller's details that it names, if any;
- `refunds`: a list, empty where nothing was taken back, oldest first, of rows with the keys `id
  status amount_nanos tax_nanos bonus_reversed_nanos reason failure_reason provider
  provider_reference created_at settled_at`, of its credit note `receipt_number receipt_issued_at
  receipt_seller_id receipt_data`, and of the document that cancels that, as the refund failed,
  `cancellation_number` and so on. Also those that are not SUCCEEDED; `…_data` is what a document is
  printed from;
- `disputes`: likewise, with the columns of the table `dispute` and `movements`, the rows of the
  table `dispute_movement`.

**Usage** has a row for each event, with the columns `source event_id deployment_id resource unit
quantity_nanos amount_nanos correction provider gpu_model region service sku started_at ended_at
received_at` of the table `usage_event`, in the order of `started_at`, `source` and `event_id`, its
instants in microseconds since 1970, and

- `deployment_external_id` and `deployment_name`, None where the usage names no deployment; a
  deployment need not have a name.

The **ledger** has the rows of `store.ledger_listing`, in their order: `account_id key version
recorded_at cause day amount_nanos balance_nanos description purchase_id refund_id dispute_id
currency`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from gateway.exports.request import LedgerExportRequest, PurchaseExportRequest, UsageExportRequest
from gateway.store import Row
from gateway.store.engine.stream import Chunk


class ExportFormat(StrEnum):
    """The format of a file."""

    CSV = "CSV"
    JSONL = "JSONL"
    FOCUS = "FOCUS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The owner of a file's rows: the account's row, and the seller's current details (`name
    address taxId email accent`; empty where there are none).
    """

    account: Row
    seller: Mapping[str, Any]

    @property
    def currency(self) -> str:
        currency: str = self.account["currency"]
        return currency


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchasesSubject(Subject):
    """Credit purchases, by a filter; `sellers` are all versions of the seller's details, by key."""

    sellers: Mapping[int, Mapping[str, Any]]
    request: PurchaseExportRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSubject(Subject):
    """Usage, in a window with its buckets."""

    request: UsageExportRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSubject(Subject):
    """Rows of the ledger, by a filter."""

    request: LedgerExportRequest


class Export(Protocol):
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

    def write(self, chunk: Chunk) -> bytes: ...

    def end(self) -> bytes: ...
