"""What CSV and JSONL make of rows."""

import csv
import json
import re
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.exports.cells import local_text, of_microseconds, utc_text
from gateway.exports.export import Export, ExportFormat, PurchasesSubject, UsageSubject
from gateway.exports.request import PurchaseExportRequest, UsageExportRequest
from gateway.exports.writers import PURCHASE_WRITERS, USAGE_WRITERS
from gateway.ids import encode_global_id
from gateway.models.base import instant_from_microseconds
from gateway.money import format_nanos
from gateway.windows import Interval, Window, zone
from tests.support.calendars import ZONES
from tests.support.chunks import purchases_chunk, usage_chunk

YEAR = 365 * 86_400
AMOUNTS = ("quantity", "amount")
BERLIN = zone("Europe/Berlin")
ACCOUNT: Any = {"account_id": 7, "external_id": "acme", "name": "Acme", "currency": "USD"}
PURCHASES = PurchasesSubject(
    account=ACCOUNT, seller={}, sellers={}, request=PurchaseExportRequest(zone=BERLIN)
)
WINDOW = Window(from_=date(2026, 3, 28), to=date(2026, 4, 2), zone=BERLIN)
USAGE = UsageSubject(
    account=ACCOUNT, seller={}, request=UsageExportRequest(window=WINDOW, interval=Interval.WEEK)
)
SETTLED: dict[str, Any] = {
    "account_id": 7,
    "id": 11,
    "kind": "CARD",
    "status": "PARTIALLY_REFUNDED",
    "currency": "USD",
    "amount_nanos": 100_000_000_000,
    "tax_nanos": 19_000_000_000,
    "bonus_nanos": 10_000_000_000,
    "bonus_reversed_nanos": 0,
    "refunded_nanos": 30_000_000_001,
    "description": 'Credit, "large"',
    "failure_code": None,
    "failure_reason": None,
    "payment_method_type": "CARD",
    "payment_method_name": "card",
    "payment_method_brand": "visa",
    "payment_method_last4": "0042",
    "payment_method_label": None,
    "provider": "stripe",
    "provider_reference": "pi_1",
    "created_at": datetime(2026, 3, 28, 23, 30, tzinfo=UTC),
    "failed_at": None,
    "settled_at": datetime(2026, 3, 29, 1, 0, 0, 500_000, tzinfo=UTC),
    "receipt_number": "ABCD1234-2026-000001",
    "receipt_issued_at": datetime(2026, 3, 29, 1, tzinfo=UTC),
    "refunds": [
        {
            "id": 21,
            "status": "SUCCEEDED",
            "amount_nanos": 30_000_000_001,
            "tax_nanos": 5_700_000_000,
            "bonus_reversed_nanos": 0,
            "reason": "requested_by_customer",
            "failure_reason": None,
            "provider": "stripe",
            "provider_reference": "re_1",
            "created_at": datetime(2026, 4, 1, tzinfo=UTC),
            "settled_at": datetime(2026, 4, 1, tzinfo=UTC),
            "receipt_number": "ABCD1234-2026-000002",
            "cancellation_number": "ABCD1234-2026-000003",
        }
    ],
}
FAILED = SETTLED | {
    "id": 12,
    "status": "FAILED",
    "refunded_nanos": 0,
    "description": None,
    "failure_code": "card_declined",
    "failure_reason": "Declined",
    "payment_method_type": None,
    "payment_method_brand": None,
    "payment_method_last4": None,
    "settled_at": None,
    "receipt_number": None,
    "receipt_issued_at": None,
    "refunds": [],
}
EVENT: dict[str, Any] = {
    "account_id": 7,
    "source": "meter",
    "event_id": "1",
    "deployment_id": 41,
    "deployment_external_id": "18446744073709551615",
    "deployment_name": "worker",
    "resource": "GPU",
    "unit": "gpu-hour",
    "quantity_nanos": 1_500_000_000,
    "quantity_text": None,
    "amount_nanos": 800,
    "amount_text": None,
    "correction": False,
    "provider": "northpole",
    "gpu_model": "h100",
    "region": None,
    "service": "compute",
    "sku": None,
    "project": "search",
    "started_at": datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
    "ended_at": datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
    "received_at": datetime(2026, 3, 29, 1, 31, tzinfo=UTC),
    "ledger_version": 3,
}
CORRECTION = EVENT | {
    "event_id": "2",
    "deployment_id": None,
    "deployment_external_id": None,
    "deployment_name": None,
    "amount_nanos": -5_000_000_000,
    "quantity_nanos": 0,
    "correction": True,
    "started_at": datetime(2026, 3, 30, tzinfo=UTC),
}


def file_of(format_: ExportFormat, *rows: dict[str, Any]) -> bytes:
    """Return a whole file, a chunk for each row."""
    usage = "event_id" in rows[0]
    export: Export[Any] = (
        USAGE_WRITERS[format_](USAGE) if usage else PURCHASE_WRITERS[format_](PURCHASES)
    )
    chunk = usage_chunk if usage else purchases_chunk
    return b"".join([export.begin(), *(export.write(chunk(row)) for row in rows), export.end()])


def cells(file: bytes) -> list[dict[str, str]]:
    assert file.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(StringIO(file.decode("utf-8-sig"), newline=""), strict=True))


def test_a_purchase_is_a_line_of_csv() -> None:
    file = file_of(ExportFormat.CSV, SETTLED, FAILED)
    assert file.count(b"\r\n") == 3
    assert file.replace(b"\r\n", b"").count(b"\n") == 0
    settled, failed = cells(file)
    assert settled == {
        "Created at (Europe/Berlin)": "2026-03-29T00:30:00+01:00",
        "Settled at (Europe/Berlin)": "2026-03-29T03:00:00.500000+02:00",
        "Purchase": encode_global_id("CreditPurchase", 7, 11),
        "Kind": "CARD",
        "Status": "PARTIALLY_REFUNDED",
        "Description": 'Credit, "large"',
        "Currency": "USD",
        "Amount": "100.00",
        "Tax": "19.00",
        "Charged": "119.00",
        "Bonus": "10.00",
        "Bonus reversed": "0.00",
        "Refunded": "30.000000001",
        "Refunded tax": "5.70",
        "Refunded total": "35.700000001",
        "Credited": "79.999999999",
        "Payment method": "Visa •••• 0042",
        "Failure reason": "",
        "Receipt": "ABCD1234-2026-000001",
        "Credit notes": "ABCD1234-2026-000002",
        "Cancellations": "ABCD1234-2026-000003",
        "Provider": "stripe",
        "Provider reference": "pi_1",
    }
    assert (failed["Credited"], failed["Receipt"], failed["Failure reason"]) == (
        *("0.00", ""),
        "Declined",
    )


def test_usage_is_a_line_of_csv_for_each_event() -> None:
    first, second = cells(file_of(ExportFormat.CSV, EVENT, CORRECTION))
    assert first == {
        "Week (Europe/Berlin)": "2026-03-28",
        "Start (Europe/Berlin)": "2026-03-29T01:30:00+01:00",
        "End (Europe/Berlin)": "2026-03-29T03:30:00+02:00",
        "Deployment": "18446744073709551615",
        "Deployment name": "worker",
        "Provider": "northpole",
        "GPU model": "h100",
        "Region": "",
        "Service": "compute",
        "SKU": "",
        "Project": "search",
        "Resource": "GPU",
        "Quantity": "1.5",
        "Unit": "gpu-hour",
        "Amount": "0.0000008",
        "Currency": "USD",
        "Correction": "",
        "Received at (Europe/Berlin)": "2026-03-29T03:31:00+02:00",
        "Source": "meter",
        "Event": "1",
    }
    assert second["Week (Europe/Berlin)"] == "2026-03-30"
    assert (second["Amount"], second["Correction"], second["Deployment"]) == ("-5.00", "yes", "")


def test_jsonl_has_a_purchase_with_its_refunds_on_each_line() -> None:
    settled, failed = map(json.loads, file_of(ExportFormat.JSONL, SETTLED, FAILED).splitlines())
    assert settled == {
        "id": encode_global_id("CreditPurchase", 7, 11),
        "createdAt": "2026-03-28T23:30:00Z",
        "settledAt": "2026-03-29T01:00:00.500000Z",
        "kind": "CARD",
        "status": "PARTIALLY_REFUNDED",
        "description": 'Credit, "large"',
        "currency": "USD",
        "amount": "100.00",
        "tax": "19.00",
        "charged": "119.00",
        "bonus": "10.00",
        "bonusReversed": "0.00",
        "refunded": "30.000000001",
        "refundedTax": "5.70",
        "refundedTotal": "35.700000001",
        "credited": "79.999999999",
        "paymentMethod": {
            "type": "CARD",
            "brand": "visa",
            "last4": "0042",
            "label": None,
            "displayName": "Visa •••• 0042",
        },
        "failureCode": None,
        "failureReason": None,
        "provider": "stripe",
        "providerReference": "pi_1",
        "receiptNumber": "ABCD1234-2026-000001",
        "receiptIssuedAt": "2026-03-29T01:00:00Z",
        "refunds": [
            {
                "id": encode_global_id("Refund", 7, 21),
                "createdAt": "2026-04-01T00:00:00Z",
                "settledAt": "2026-04-01T00:00:00Z",
                "status": "SUCCEEDED",
                "amount": "30.000000001",
                "tax": "5.70",
                "total": "35.700000001",
                "bonusReversed": "0.00",
                "reason": "requested_by_customer",
                "failureReason": None,
                "provider": "stripe",
                "providerReference": "re_1",
                "receiptNumber": "ABCD1234-2026-000002",
                "cancellationNumber": "ABCD1234-2026-000003",
            }
        ],
    }
    assert failed["paymentMethod"] is None
    assert (failed["credited"], failed["refunds"]) == ("0.00", [])


def test_jsonl_says_in_which_bucket_usage_lies() -> None:
    first, second = map(json.loads, file_of(ExportFormat.JSONL, EVENT, CORRECTION).splitlines())
    assert first == {
        "bucketStart": "2026-03-27T23:00:00Z",
        "start": "2026-03-29T00:30:00Z",
        "end": "2026-03-29T01:30:00Z",
        "deploymentId": encode_global_id("Deployment", 7, 41),
        "deploymentExternalId": "18446744073709551615",
        "deploymentName": "worker",
        "provider": "northpole",
        "gpuModel": "h100",
        "region": None,
        "service": "compute",
        "sku": None,
        "project": "search",
        "resource": "GPU",
        "quantity": "1.5",
        "unit": "gpu-hour",
        "amount": "0.0000008",
        "currency": "USD",
        "correction": False,
        "receivedAt": "2026-03-29T01:31:00Z",
        "source": "meter",
        "eventId": "1",
    }
    assert second["bucketStart"] == "2026-03-29T22:00:00Z"
    assert (second["amount"], second["correction"], second["deploymentId"]) == ("-5.00", True, None)


@pytest.mark.parametrize("first", [*"=+-@\t\r\n", *"＝＋－＠"])
def test_a_text_that_a_spreadsheet_would_run_is_inert(first: str) -> None:
    text = f"{first}HYPERLINK(1)"
    (found,) = cells(file_of(ExportFormat.CSV, EVENT | {"deployment_name": text, "unit": text}))
    assert (found["Deployment name"], found["Unit"]) == (f"'{text}", f"'{text}")
    (line,) = file_of(ExportFormat.JSONL, EVENT | {"deployment_name": text}).splitlines()
    assert json.loads(line)["deploymentName"] == text


@pytest.mark.parametrize("first", [*"=+-@", *"＝＋－＠"])
@pytest.mark.parametrize("separator", [*";\t\n"])
def test_a_cell_of_another_separator_is_inert(first: str, separator: str) -> None:
    text = f"x{separator}{first}HYPERLINK(1)"
    inert = f"x{separator}'{first}HYPERLINK(1)"
    changes = {"deployment_name": text, "deployment_external_id": text}
    (found,) = cells(file_of(ExportFormat.CSV, EVENT | changes))
    assert (found["Deployment name"], found["Deployment"]) == (inert, inert)


def test_quotation_marks_commas_and_line_breaks_stay_in_their_cell() -> None:
    text = 'a"b",c;d\r\ne\nf'
    (found,) = cells(file_of(ExportFormat.CSV, SETTLED | {"description": text}))
    assert found["Description"] == text


HOSTILE = [
    None,
    "",
    " ",
    "plain",
    'say "yes"',
    '"',
    "a,b",
    "a;=b",
    "\r\n",
    "line\nline",
    "tab\t-1",
    "=1+1",
    "+1",
    "@SUM(A1)",
    "＝1",
    "－",
    "\x1f\0",
    "naïve – 東京 🚀",
    "'quoted'",
]
"""Texts that a CSV file may break on."""


@pytest.mark.parametrize("size", [1, 3, 500])
def test_csv_is_what_the_csv_module_writes(size: int) -> None:
    draw = Random(size)
    texts = ("deployment_name", "provider", "gpu_model", "region", "service", "sku", "project")
    rows = []
    for number in range(2 * size):
        at = EVENT["started_at"] + timedelta(minutes=number, microseconds=draw.choice([0, 0, 1]))
        some = {name: draw.choice(HOSTILE) for name in texts[: number % 2 * len(texts)]}
        amounts = {f"{each}_nanos": draw.randrange(10 ** draw.randrange(1, 17)) for each in AMOUNTS}
        ids = {"event_id": draw.choice(HOSTILE) or "", "unit": HOSTILE[size % len(HOSTILE)] or ""}
        rows.append(
            EVENT | some | amounts | ids | {"started_at": at, "correction": number % 3 == 2}
        )
    writer = USAGE_WRITERS[ExportFormat.CSV](USAGE)
    made = b"".join(writer.write(usage_chunk(*rows[index::2])) for index in (0, 1)).decode()
    expected = StringIO(newline="")
    csv.writer(expected).writerows(csv_cells(row) for each in (0, 1) for row in rows[each::2])
    assert made == expected.getvalue()


def csv_cells(row: dict[str, Any]) -> list[str]:
    """Return the cells of an event, each made for itself."""
    instant = local_text(BERLIN)
    day = row["started_at"].astimezone(BERLIN).date()
    week = max(day - timedelta(days=day.weekday()), WINDOW.from_)
    texts = ("provider", "gpu_model", "region", "service", "sku", "project", "resource")
    return [
        str(week),
        instant(row["started_at"]),
        instant(row["ended_at"]),
        *(inert(row[f"deployment_{each}"]) for each in ("external_id", "name")),
        *(inert(row[each]) for each in texts),
        format_nanos(row["quantity_nanos"], 0),
        inert(row["unit"]),
        format_nanos(row["amount_nanos"], 2),
        "USD",
        "yes" if row["correction"] else "",
        instant(row["received_at"]),
        inert(row["source"]),
        inert(row["event_id"]),
    ]


def inert(text: str | None) -> str:
    """Return a text as a spreadsheet may have it."""
    formula = re.sub(r"(?<=[;\t\r\n])(?=[=+\-@＝＋－＠])", "'", text or "")
    return f"'{formula}" if formula[:1] in tuple("=+-@\t\r\n＝＋－＠") else formula


@pytest.mark.parametrize("format_", [ExportFormat.CSV, ExportFormat.JSONL])
@pytest.mark.parametrize("row", [SETTLED, EVENT], ids=["purchases", "usage"])
def test_chunks_make_no_difference(format_: ExportFormat, row: dict[str, Any]) -> None:
    usage = "event_id" in row
    export: Export[Any] = (
        USAGE_WRITERS[format_](USAGE) if usage else PURCHASE_WRITERS[format_](PURCHASES)
    )
    chunk = usage_chunk if usage else purchases_chunk
    whole = export.begin() + export.write(chunk(row, row, row)) + export.end()
    assert whole == file_of(format_, row, row, row)


@given(
    st.integers(-(90 * YEAR), 200 * YEAR),
    st.sampled_from([*ZONES, "Africa/Monrovia", "Europe/Amsterdam", "America/New_York"]),
    st.booleans(),
)
@example(2 * YEAR + 6 * 86_400 + 44 * 60 + 29, "Africa/Monrovia", True)
@example(2 * YEAR + 6 * 86_400 + 44 * 60 + 30, "Africa/Monrovia", True)
def test_microseconds_are_written_as_their_instants(second: int, name: str, whole: bool) -> None:
    for text in (local_text(zone(name)), utc_text):
        write = of_microseconds(text)
        for near in (second, second // 60 * 60, second // 60 * 60 + 59):
            microseconds = near * 1_000_000 + (0 if whole else 999_999)
            assert write(microseconds) == text(instant_from_microseconds(microseconds))
