"""A file's name says whose it is, what it holds, of which days and by what filter."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gateway.exports.file_names import (
    MAX_BYTES,
    ledger_name,
    purchases_name,
    usage_name,
)
from gateway.exports.request import (
    LedgerExportRequest,
    PurchaseExportRequest,
    UsageExportRequest,
    UsageRows,
)
from gateway.http.headers import attachment
from gateway.models import CreditPurchaseKind, CreditPurchaseStatus, LedgerCause
from gateway.receipts.file_name import document_name
from gateway.store.usage_filter import UsageDimension
from gateway.windows import Interval, resolve_window, zone

UTC = zone("UTC")
JANUARY, MARCH = date(2026, 1, 1), date(2026, 3, 31)


def purchases(**request: Any) -> str:
    return purchases_name("acme", PurchaseExportRequest(zone=UTC, **request), "csv")


def test_a_name_says_window_and_filter() -> None:
    refunded = frozenset({CreditPurchaseStatus.REFUNDED})
    both = refunded | {CreditPurchaseStatus.PARTIALLY_REFUNDED}
    window = {"from_": JANUARY, "to": MARCH}
    assert purchases() == "acme-credit-purchases.csv"
    assert (
        purchases(**window, status=refunded)
        == "acme-credit-purchases-2026-01-01_2026-03-31-refunded.csv"
    )
    assert purchases(from_=JANUARY) == "acme-credit-purchases-from-2026-01-01.csv"
    assert purchases(to=MARCH, kind=frozenset({CreditPurchaseKind.TRIAL_GRANT})) == (
        "acme-credit-purchases-until-2026-03-31-trial-grant.csv"
    )
    assert purchases(status=both) == "acme-credit-purchases-partially-refunded-refunded.csv"
    assert purchases(status=frozenset(CreditPurchaseStatus)) == (
        "acme-credit-purchases-8-statuses.csv"
    )
    assert purchases(status=frozenset()) == "acme-credit-purchases-0-statuses.csv"
    assert purchases(search='visa "4242"/..') == "acme-credit-purchases-search-visa-_4242_...csv"


def test_usage_and_ledger_are_named_alike() -> None:
    window = resolve_window(Interval.WEEK, JANUARY, MARCH, UTC, MARCH)
    usage = UsageExportRequest(window=window, interval=Interval.WEEK)
    assert usage_name("acme", usage, "jsonl") == (
        f"acme-usage-{window.from_}_{window.to}-by-week.jsonl"
    )
    series = replace(usage, rows=UsageRows.SERIES, by=UsageDimension.GPU_MODEL)
    assert usage_name("acme", series, "csv") == (
        f"acme-usage-{window.from_}_{window.to}-by-week-series-gpu-model.csv"
    )
    ledger = LedgerExportRequest(zone=UTC, from_=JANUARY, cause=frozenset({LedgerCause.REFUND}))
    assert ledger_name("acme", ledger, "csv") == "acme-ledger-from-2026-01-01-refund.csv"


def test_documents_say_what_they_are() -> None:
    assert document_name("A-2026-1", refund_id=None, cancels_id=None) == "receipt-A-2026-1.pdf"
    assert document_name("A-2026-2", refund_id=7, cancels_id=None) == "credit-note-A-2026-2.pdf"
    assert document_name("A-2026-3", refund_id=7, cancels_id=2) == "cancellation-A-2026-3.pdf"


@pytest.mark.parametrize("whose", ["株" * 200, "a/../b\\c", "x" * 200])
def test_a_long_or_wild_name_stays_a_name(whose: str) -> None:
    request = PurchaseExportRequest(
        zone=UTC, from_=JANUARY, to=MARCH, status=frozenset(list(CreditPurchaseStatus)[:3]),
        search="日" * 100,
    )  # fmt: skip
    name = purchases_name(whose, request, "jsonl")
    assert len(name.encode()) <= MAX_BYTES
    assert name.endswith(".jsonl")
    assert "2026-01-01_2026-03-31" in name
    assert not set(name) & set('/\\:*?"<>|')


def test_a_header_names_a_file_for_every_client() -> None:
    assert attachment("acme-usage.csv") == 'attachment; filename="acme-usage.csv"'
    assert attachment("Zürich 5%.csv") == (
        "attachment; filename=\"Z_rich 5_.csv\"; filename*=UTF-8''Z%C3%BCrich%205%25.csv"
    )
    assert attachment('a"b\\c\r\n.csv').isascii()
    assert attachment('a"b\\c\r\n.csv').startswith('attachment; filename="a_b_c__.csv"; ')
