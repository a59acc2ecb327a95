"""FOCUS files: what a purchase and an event become, and that the demo's files break no rule."""

import json
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from gateway.clock import FixedClock
from gateway.dev.demo.fill import fill
from gateway.exports.export import PurchasesSubject, UsageSubject
from gateway.exports.focus import writer
from gateway.exports.focus.imports.importer import import_focus
from gateway.exports.focus.imports.rows import FocusCost
from gateway.exports.request import PurchaseExportRequest, UsageExportRequest
from gateway.ids import encode_global_id
from gateway.models import RefundStatus
from gateway.money import pro_rata
from gateway.receipts.seller import Seller, keep_seller
from gateway.settings import load_settings
from gateway.store import Database, connect
from gateway.store.engine.stream import Chunk
from gateway.store.sellers import SellerFacts
from gateway.windows import Interval, Window, zone
from tests.support.books import ACTOR, NOW, Books
from tests.support.chunks import purchases_chunk, usage_chunk
from tests.support.facts import day, dispute, purchase, refund, save
from tests.support.focus_files import CLAIMED, Charge, charges, nanos, purchases_file, usage_file
from tests.support.focus_rules import Verdict, judge
from tests.support.tables import table_rows

UTC_ZONE = zone("UTC")
ACCOUNT: Any = {"account_id": 7, "external_id": "acme", "name": "Acme", "currency": "USD"}
SELLER: SellerFacts = {"name": "Example Cloud"}
FORMER: SellerFacts = {"name": "Former Cloud"}
PURCHASE_ID = encode_global_id("CreditPurchase", 7, 11)
UNIT = 10**9


def at(day: int, hour: int = 0, minute: int = 0, microsecond: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, 0, microsecond, tzinfo=UTC)


def written(export: writer.FocusExport[Any], chunk: Chunk[Any]) -> list[Charge]:
    text = b"".join([export.begin(), export.write(chunk), export.end()]).decode()
    assert "\ufeff" not in text
    assert all(line.endswith("\r\n") for line in text.splitlines(keepends=True))
    return charges(text)


def said(row: Charge, *names: str) -> dict[str, str]:
    """Return the cells that are not empty, of these columns or of all."""
    return {name: row[name] for name in names or row if row[name]}


def purchases_of(*rows: dict[str, Any], **account: str) -> list[Charge]:
    subject = PurchasesSubject(
        account=ACCOUNT | account,
        seller=SELLER,
        sellers={1: FORMER, 2: SELLER},
        request=PurchaseExportRequest(zone=UTC_ZONE),
    )
    return written(writer.write_purchases(subject), purchases_chunk(*rows))


def usage_of(*rows: dict[str, Any], seller: SellerFacts = SELLER) -> list[Charge]:
    window = Window(from_=date(2026, 3, 1), to=date(2026, 3, 31), zone=UTC_ZONE)
    request = UsageExportRequest(window=window, interval=Interval.DAY)
    subject = UsageSubject(account=ACCOUNT, seller=seller, request=request)
    return written(writer.write_usage(subject), usage_chunk(*rows))


PURCHASE: dict[str, Any] = {
    "id": 11,
    "kind": "CARD",
    "currency": "USD",
    "amount_nanos": 100 * UNIT,
    "tax_nanos": 19 * UNIT,
    "bonus_nanos": 10 * UNIT,
    "bonus_reversed_nanos": 0,
    "settled_at": at(28, 23, minute=30, microsecond=9),
    "receipt_number": "ABCD1234-2026-000001",
    "receipt_seller_id": 2,
    "refunds": [],
    "disputes": [],
}
REFUND: dict[str, Any] = {
    "id": 21,
    "provider": "stripe",
    "provider_reference": "re_1",
    "amount_nanos": 30 * UNIT + 1,
    "tax_nanos": 5_700_000_000,
    "bonus_reversed_nanos": 0,
    "created_at": datetime(2026, 4, 1, tzinfo=UTC),
    "settled_at": datetime(2026, 4, 1, tzinfo=UTC),
    "receipt_number": "ABCD1234-2026-000002",
    "receipt_issued_at": datetime(2026, 4, 1, tzinfo=UTC),
    "receipt_seller_id": 2,
    "cancellation_number": None,
    "receipt_data": json.dumps(
        {
            "net": "-30.000000001",
            "tax": "-5.70",
            "lines": [{"kind": "refund", "amount": "-30.000000001"}],
        }
    ),
}
NOTELESS = REFUND | dict.fromkeys(("receipt_number", "receipt_seller_id", "receipt_data"))
BONUS_LINE = {"kind": "bonus", "amount": "-10.00"}
PENDING = NOTELESS | {"settled_at": None}


def disputed(*moves: tuple[int, datetime], number: int = 1) -> dict[str, Any]:
    """Return a dispute that moved nanos of money."""
    return {
        "id": number,
        "provider": "stripe",
        "provider_reference": f"dp_{number}",
        "created_at": at(1),
        "movements": [{"amount_nanos": amount, "moved_at": moved_at} for amount, moved_at in moves],
    }


WITHDRAWAL = (-119 * UNIT, at(30))
DISPUTE = disputed(WITHDRAWAL)
DAYS = st.integers(1, 30).map(at)
EVENT: dict[str, Any] = {
    "source": "meter",
    "event_id": "e-1",
    "deployment_external_id": "18446744073709551615",
    "deployment_name": "=trainer",
    "resource": "GPU",
    "unit": "gpu-hour",
    "quantity_nanos": 1_234_000_000,
    "amount_nanos": 2_825_860_000,
    "correction": False,
    "provider": "north",
    "gpu_model": "h100",
    "region": "eu-1",
    "service": "compute",
    "sku": None,
    "project": "search",
    "started_at": at(5, 1, microsecond=5),
    "ended_at": at(5, 2, microsecond=5),
    "received_at": at(5, 3),
}
ALWAYS = {
    "BillingAccountId": "acme",
    "BillingAccountName": "Acme",
    "BillingCurrency": "USD",
    "InvoiceIssuerName": "Example Cloud",
    "ProviderName": "Example Cloud",
    "PublisherName": "Example Cloud",
}
MARCH = {
    "BillingPeriodStart": "2026-03-01T00:00:00Z",
    "BillingPeriodEnd": "2026-04-01T00:00:00Z",
}
CREDIT = {
    "ServiceCategory": "Other",
    "ServiceName": "Prepaid credit",
    "ServiceSubcategory": "Other (Other)",
}


def test_purchase_is_billed_and_its_credit_is_not_yet_effective() -> None:
    bought, tax, bonus = purchases_of(PURCHASE)
    common = {
        **ALWAYS,
        **MARCH,
        **CREDIT,
        "ChargeFrequency": "One-Time",
        "ChargePeriodStart": "2026-03-28T23:30:00Z",
        "ChargePeriodEnd": "2026-03-28T23:30:01Z",
        "InvoiceId": "ABCD1234-2026-000001",
        "PricingCurrency": "USD",
        "x_PurchaseId": PURCHASE_ID,
    }
    assert said(bought) == common | {
        "BilledCost": "100.00",
        "ChargeCategory": "Purchase",
        "ChargeDescription": "Prepaid credit",
        "ContractedCost": "100.00",
        "ContractedUnitPrice": "1.00",
        "EffectiveCost": "0.00",
        "ListCost": "100.00",
        "ListUnitPrice": "1.00",
        "PricingCategory": "Standard",
        "PricingCurrencyContractedUnitPrice": "1.00",
        "PricingCurrencyEffectiveCost": "0.00",
        "PricingCurrencyListUnitPrice": "1.00",
        "PricingQuantity": "100.00",
        "PricingUnit": "Credit",
        "ResourceId": PURCHASE_ID,
        "ResourceName": "Prepaid credit",
        "ResourceType": "Credit Allocation",
        "SkuId": "prepaid-credit",
        "SkuMeter": "Credit",
        "SkuPriceId": "prepaid-credit/Credit",
    }
    assert said(tax) == common | {
        "BilledCost": "19.00",
        "ChargeCategory": "Tax",
        "ChargeDescription": "Tax",
        "ContractedCost": "19.00",
        "EffectiveCost": "0.00",
        "ListCost": "19.00",
        "PricingCurrencyEffectiveCost": "0.00",
    }
    assert said(bonus) == common | {
        "BilledCost": "0.00",
        "ChargeCategory": "Credit",
        "ChargeDescription": "Bonus credit",
        "ContractedCost": "0.00",
        "EffectiveCost": "0.00",
        "ListCost": "0.00",
        "PricingCategory": "Standard",
        "PricingCurrencyEffectiveCost": "0.00",
        "PricingQuantity": "10.00",
        "PricingUnit": "Credit",
        "ResourceId": PURCHASE_ID,
        "ResourceName": "Bonus credit",
        "ResourceType": "Credit Allocation",
        "SkuId": "bonus-credit",
        "SkuMeter": "Credit",
        "SkuPriceId": "bonus-credit/Credit",
    }


SHOWN = (
    "ChargeCategory",
    "ChargeDescription",
    "ChargeClass",
    "BilledCost",
    "PricingQuantity",
    "InvoiceId",
    "ChargePeriodStart",
)


def shown(rows: list[Charge]) -> list[tuple[str, ...]]:
    return [tuple(row[name] for name in SHOWN) for row in rows]


def test_refund_of_a_later_month_is_a_correction_on_its_credit_note() -> None:
    rows = purchases_of(PURCHASE | {"refunds": [REFUND, PENDING]})
    note, day = "ABCD1234-2026-000002", "2026-04-01T00:00:00Z"
    back = "-30.000000001"
    assert shown(rows[3:]) == [
        ("Purchase", "Prepaid credit, refund", "Correction", back, back, note, day),
        ("Tax", "Tax, refund", "Correction", "-5.70", "", note, day),
    ]
    assert rows[3]["BillingPeriodStart"] == day


def test_dispute_takes_credit_and_a_won_one_gives_it_back() -> None:
    lost = PURCHASE | {"disputes": [DISPUTE], "bonus_reversed_nanos": 10 * UNIT}
    took = [
        (*each, "", "2026-03-30T00:00:00Z")
        for each in (
            ("Purchase", "Prepaid credit, dispute", "", "-100.00", "-100.00"),
            ("Tax", "Tax, dispute", "", "-19.00", ""),
        )
    ]
    assert shown(purchases_of(lost)[3:]) == [
        *took,
        ("Credit", "Bonus credit, dispute", "", "0.00", "-10.00", "", "2026-03-30T00:00:00Z"),
    ]
    won = disputed(WITHDRAWAL, (119 * UNIT, at(31)))
    assert shown(purchases_of(PURCHASE | {"disputes": [won]})[3:]) == [
        *took,
        (
            *("Purchase", "Prepaid credit, dispute returned", "", "100.00", "100.00", ""),
            "2026-03-31T00:00:00Z",
        ),
        ("Tax", "Tax, dispute returned", "", "19.00", "", "", "2026-03-31T00:00:00Z"),
    ]


def test_bonus_on_another_note_than_its_refunds_moves_once() -> None:
    note = json.dumps({"net": "-40.00", "tax": "-7.60", "lines": [BONUS_LINE]})
    late = {"amount_nanos": 40 * UNIT, "tax_nanos": 7_600_000_000, "receipt_data": note}
    refunds = [REFUND | {"bonus_reversed_nanos": 10 * UNIT}, REFUND | late]
    row = PURCHASE | {"bonus_reversed_nanos": 10 * UNIT, "refunds": refunds}
    bonus = [each for each in purchases_of(row) if each["SkuId"] == "bonus-credit"]
    assert [(each["PricingQuantity"], each["InvoiceId"]) for each in bonus] == [
        ("10.00", "ABCD1234-2026-000001"),
        ("-10.00", "ABCD1234-2026-000002"),
    ]


@st.composite
def taken_back_whole(draw: st.DrawFn) -> dict[str, Any]:
    """A purchase of which refunds and lost disputes left nothing; others were won meanwhile."""
    parts = draw(st.lists(st.integers(1, 50), min_size=1, max_size=5))
    row = PURCHASE | {"amount_nanos": sum(parts), "tax_nanos": draw(st.integers(0, 99))}
    refunds: list[dict[str, Any]] = []
    disputes: list[dict[str, Any]] = []
    for part in parts:
        if draw(st.booleans()):
            total = part + sum(each["amount_nanos"] for each in refunds)
            due = pro_rata(total, row["amount_nanos"], row["tax_nanos"])
            tax = due - sum(each["tax_nanos"] for each in refunds)
            taken = {"amount_nanos": part, "tax_nanos": tax, "created_at": draw(DAYS)}
            refunds.append(NOTELESS | taken)
        else:
            # Of all the money, whatever its share of the tax, nothing stays.
            money = 2 * (row["amount_nanos"] + row["tax_nanos"])
            disputes.append(disputed((-money, draw(DAYS)), number=len(disputes)))
    for part in draw(st.lists(st.integers(1, 50), max_size=3)):
        first, last = sorted(draw(st.tuples(DAYS, DAYS)))
        disputes.append(disputed((-part, first), (part, last), number=len(disputes)))
    return row | {"refunds": refunds, "disputes": disputes}


@given(taken_back_whole())
def test_what_is_taken_back_whole_is_billed_nothing(row: dict[str, Any]) -> None:
    rows = purchases_of(row)
    assert nanos(rows, "BilledCost", ChargeCategory="Purchase") == 0
    assert nanos(rows, "BilledCost", ChargeCategory="Tax") == 0
    won = [each for each in row["disputes"] if len(each["movements"]) > 1]
    refunded = sum(each["tax_nanos"] for each in row["refunds"])
    left = purchases_of(row | {"disputes": won})
    assert nanos(left, "BilledCost", ChargeCategory="Tax") == row["tax_nanos"] - refunded


def test_refund_that_fails_later_keeps_its_credit_note_and_is_given_back() -> None:
    note, day = "ABCD1234-2026-000002", "2026-04-01T00:00:00Z"
    cancellation, later = "ABCD1234-2026-000003", "2026-05-02T00:00:00Z"
    back = "30.000000001"
    lines = [{"kind": "refund", "amount": back}, {"kind": "bonus", "amount": "10.00"}]
    failed = REFUND | {
        "settled_at": None,
        "cancellation_number": cancellation,
        "cancellation_issued_at": datetime(2026, 5, 2, tzinfo=UTC),
        "cancellation_seller_id": 2,
        "cancellation_data": json.dumps({"net": back, "tax": "5.70", "lines": lines}),
    }
    rows = purchases_of(PURCHASE | {"refunds": [failed]})
    issued = (cancellation, later)
    assert shown(rows[3:]) == [
        ("Purchase", "Prepaid credit, refund", "Correction", f"-{back}", f"-{back}", note, day),
        ("Tax", "Tax, refund", "Correction", "-5.70", "", note, day),
        ("Purchase", "Prepaid credit, refund failed", "Correction", back, back, *issued),
        ("Tax", "Tax, refund failed", "Correction", "5.70", "", *issued),
        ("Credit", "Bonus credit, refund failed", "Correction", "0.00", "10.00", *issued),
        ("Credit", "Bonus credit, refund", "Correction", "0.00", "-10.00", "", later),
    ]
    assert rows[-1]["BillingPeriodStart"] == "2026-05-01T00:00:00Z"


def test_invoice_is_issued_by_whom_it_names_and_the_rest_by_the_seller_in_force() -> None:
    refunds = [REFUND, REFUND | {"receipt_seller_id": None}]
    dispute = disputed((-119 * UNIT, datetime(2026, 4, 2, tzinfo=UTC)))
    row = PURCHASE | {"receipt_seller_id": 1, "refunds": refunds, "disputes": [dispute]}
    rows = purchases_of(row)
    names = ("InvoiceIssuerName", "ProviderName", "PublisherName")
    issuers = ["Former Cloud"] * 3 + ["Example Cloud"] * 2 + ["Cloud operator"] * 2
    assert [tuple(said(row, *names).values()) for row in rows] == [
        (issuer,) * 3 for issuer in (*issuers, "Example Cloud", "Example Cloud")
    ]


@pytest.mark.parametrize(
    ("kind", "sku"),
    [
        ("COUPON", "coupon-credit"),
        ("MANUAL_CREDIT", "manual-credit"),
        ("TRIAL_GRANT", "trial-credit"),
    ],
)
def test_credit_that_nobody_paid_for_is_promotional(kind: str, sku: str) -> None:
    [row] = purchases_of(PURCHASE | {"kind": kind, "tax_nanos": 0, "bonus_nanos": 0})
    assert said(row, "ChargeCategory", "BilledCost", "PricingQuantity", "SkuId", "InvoiceId") == {
        "ChargeCategory": "Credit",
        "BilledCost": "0.00",
        "PricingQuantity": "100.00",
        "SkuId": sku,
        "InvoiceId": "ABCD1234-2026-000001",
    }


def test_purchase_that_has_not_settled_is_no_charge() -> None:
    assert purchases_of(PURCHASE | {"settled_at": None}) == []


@pytest.mark.parametrize(("currency", "cost"), [("JPY", "100.00"), ("KWD", "100.000")])
def test_amounts_have_two_places_or_the_currencys(currency: str, cost: str) -> None:
    bought, *_ = purchases_of(PURCHASE, currency=currency)
    assert (bought["BilledCost"], bought["BillingCurrency"]) == (cost, currency)


def test_usage_is_paid_for_and_effective_now() -> None:
    [row] = usage_of(EVENT)
    assert said(row) == {
        **ALWAYS,
        **MARCH,
        "BilledCost": "0.00",
        "ChargeCategory": "Usage",
        "ChargeDescription": "Credit consumption - gpu-h100",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodStart": "2026-03-05T01:00:00Z",
        "ChargePeriodEnd": "2026-03-05T02:00:01Z",
        "ConsumedQuantity": "1.234",
        "ConsumedUnit": "GPU-Hours",
        "ContractedCost": "2.82586",
        "ContractedUnitPrice": "2.29",
        "EffectiveCost": "2.82586",
        "ListCost": "2.82586",
        "ListUnitPrice": "2.29",
        "PricingCategory": "Standard",
        "PricingCurrency": "Credit",
        "PricingCurrencyContractedUnitPrice": "2.29",
        "PricingCurrencyEffectiveCost": "2.82586",
        "PricingCurrencyListUnitPrice": "2.29",
        "PricingQuantity": "1.234",
        "PricingUnit": "GPU-Hours",
        "PublisherName": "north",
        "RegionId": "eu-1",
        "RegionName": "eu-1",
        "ResourceId": "18446744073709551615",
        "ResourceName": "=trainer",
        "ResourceType": "Deployment",
        "ServiceCategory": "Compute",
        "ServiceName": "GPU compute",
        "ServiceSubcategory": "Containers",
        "SkuId": "gpu-h100",
        "SkuMeter": "GPU",
        "SkuPriceId": "gpu-h100/GPU-Hours",
        "x_ComputeProvider": "north",
        "x_EventId": "e-1",
        "x_EventSource": "meter",
        "x_GpuModel": "h100",
        "x_Project": "search",
        "x_Resource": "GPU",
        "x_Service": "compute",
        "x_Unit": "gpu-hour",
    }


def test_usage_without_names_has_none() -> None:
    bare = dict.fromkeys(("deployment_name", "provider", "gpu_model", "region", "service"))
    [row] = usage_of(EVENT | bare | {"deployment_external_id": None, "unit": ""}, seller={})
    names = ("ResourceId", "ResourceName", "ResourceType", "RegionId", "RegionName", "x_Unit")
    assert said(row, *names) == {}
    assert said(row, "PublisherName", "ProviderName", "ConsumedUnit", "SkuId") == {
        "PublisherName": "Cloud operator",
        "ProviderName": "Cloud operator",
        "ConsumedUnit": "Unit",
        "SkuId": "gpu",
    }


@pytest.mark.parametrize("microsecond", [0, 5])
def test_charge_that_took_no_time_lies_in_one_second(microsecond: int) -> None:
    moment = at(5, 1, microsecond=microsecond)
    rows = usage_of(EVENT, EVENT | {"started_at": moment, "ended_at": moment})
    assert [(row["ChargePeriodStart"], row["ChargePeriodEnd"]) for row in rows] == [
        ("2026-03-05T01:00:00Z", "2026-03-05T02:00:01Z"),
        ("2026-03-05T01:00:00Z", "2026-03-05T01:00:01Z"),
    ]


def test_name_that_is_the_id_is_left_out() -> None:
    [row] = usage_of(EVENT | {"deployment_name": EVENT["deployment_external_id"]})
    assert said(row, "ResourceId", "ResourceName") == {"ResourceId": "18446744073709551615"}


@pytest.mark.parametrize(
    ("received_at", "expected"),
    [
        (at(31, 23), {"BillingPeriodStart": "2026-03-01T00:00:00Z"}),
        (
            datetime(2026, 4, 1, tzinfo=UTC),
            {"BillingPeriodStart": "2026-04-01T00:00:00Z", "ChargeClass": "Correction"},
        ),
    ],
)
def test_correction_of_a_past_month_is_in_the_month_it_came(
    received_at: datetime, expected: dict[str, str]
) -> None:
    change = {"correction": True, "amount_nanos": -5 * UNIT, "received_at": received_at}
    [row] = usage_of(EVENT | change)
    assert said(row, "BillingPeriodStart", "ChargeClass") == expected
    assert said(row, "EffectiveCost", "PricingQuantity", "PricingUnit", "ListUnitPrice") == {
        "EffectiveCost": "-5.00",
        "PricingQuantity": "-5.00",
        "PricingUnit": "Credit",
        "ListUnitPrice": "1.00",
    }
    assert (row["x_Correction"], row["ConsumedQuantity"]) == ("true", "1.234")


async def test_new_details_of_the_seller_change_no_old_invoices_issuer(database: Database) -> None:
    books = Books(database)
    account_id = await books.account("acme")
    for name, reference, settled in (("Former Cloud", "pi_1", 1), ("Example Cloud", "pi_2", 2)):
        later = FixedClock(NOW + timedelta(seconds=settled))
        await keep_seller(database, Seller(details=f'{{"name":"{name}"}}'), later, actor=ACTOR)
        bought = purchase(account_id, reference=reference, succeeded_at=day(settled))
        await save(books, account_id, bought)
    await save(books, account_id, refund("re_1", "30"), dispute("70", ("-70", day(5))))
    [account] = await table_rows(database, "account")
    rows = charges((await purchases_file(database, account))[0])
    assert {(row["InvoiceId"][-1:], row["InvoiceIssuerName"]) for row in rows} == {
        ("1", "Former Cloud"),
        ("2", "Example Cloud"),
        ("3", "Example Cloud"),
        ("", "Example Cloud"),
    }


async def test_credit_notes_are_billed_as_issued_whatever_becomes_of_their_refunds(
    database: Database,
) -> None:
    books = Books(database)
    account_id = await books.account("acme")
    first, last = refund("re_1", "30"), refund("re_2", "70", created_at=day(4))
    bought = purchase(account_id, succeeded_at=day(1))
    await save(books, account_id, bought, first, last)
    [account] = await table_rows(database, "account")
    before = charges((await purchases_file(database, account))[0])
    failed_at = datetime(2026, 11, 20, tzinfo=UTC)
    await save(books, account_id, replace(first, status=RefundStatus.FAILED, failed_at=failed_at))

    [account] = await table_rows(database, "account")
    after = charges((await purchases_file(database, account))[0])
    assert [row for row in after if row in before] == before
    number = f"{account['receipt_prefix']}-2026-000004"
    issued = (number, "2026-11-20T00:00:00Z")
    assert shown([row for row in after if row not in before]) == [
        ("Purchase", "Prepaid credit, refund failed", "Correction", "30.00", "30.00", *issued),
        ("Tax", "Tax, refund failed", "Correction", "5.70", "", *issued),
        ("Credit", "Bonus credit, refund failed", "Correction", "0.00", "10.00", *issued),
    ]
    await check_sums(database, account, [], after)


async def test_purchases_without_receipts_are_billed_on_no_invoice(database: Database) -> None:
    books = Books(database)
    seller = Seller(details='{"name":"Cloud"}', issues_receipts=False)
    await keep_seller(database, seller, FixedClock(NOW), actor=ACTOR)
    account_id = await books.account("acme")
    kept, failed = refund("re_1", "30"), refund("re_2", "20", created_at=day(4))
    await save(books, account_id, purchase(account_id, succeeded_at=day(1)), kept, failed)
    await save(books, account_id, replace(failed, status=RefundStatus.FAILED, failed_at=day(6)))
    [account] = await table_rows(database, "account")
    rows = charges((await purchases_file(database, account))[0])
    assert {row["InvoiceId"] for row in rows} == {""}
    assert nanos(rows, "BilledCost") == 83_300_000_000
    await check_sums(database, account, [], rows)


@pytest.fixture
async def empty(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """Another database, with nothing in it."""
    path = tmp_path / "empty.sqlite3"
    shutil.copyfile(sqlite_template, path)
    database = await connect(load_settings(database_url=SecretStr(f"sqlite:///{path}")))
    yield database
    await database.close()


async def test_demos_files_break_no_rule_add_up_and_are_read_back(
    database: Database, empty: Database, tmp_path: Path
) -> None:
    await fill(database, clock=FixedClock(NOW), days=12)
    spent = 0
    for account in await table_rows(database, "account"):
        used, events = await usage_file(database, account)
        bought, _ = await purchases_file(database, account)
        for text in (used, bought):
            report = judge(text, CLAIMED)
            assert len(report.of(Verdict.PASSED)) > 100
            assert report.of(Verdict.FAILED, Verdict.ADVISED) == {}
        assert len(charges(used)) == events
        await check_sums(database, account, charges(used), charges(bought))

        spent += nanos(charges(used), "EffectiveCost")
        if events:
            path = tmp_path / "cost.csv"
            path.write_text(used, "utf-8")
            await import_focus(empty, path, cost=FocusCost.EFFECTIVE, clock=FixedClock(NOW))
    assert spent == sum_of(await table_rows(database, "usage_event"), "amount_nanos")
    await check_read_back(database, empty)


def sum_of(rows: list[dict[str, Any]], column: str) -> int:
    return sum(row[column] for row in rows)


async def check_sums(
    database: Database, account: Mapping[str, Any], used: list[Charge], bought: list[Charge]
) -> None:
    """Compare an account's files with its books."""

    async def own(table: str) -> list[dict[str, Any]]:
        rows = await table_rows(database, table)
        return [row for row in rows if row["account_id"] == account["account_id"]]

    days = await own("rollup_day")
    assert nanos(used, "EffectiveCost") == sum_of(days, "spent_nanos")
    assert nanos(used, "PricingCurrencyEffectiveCost") == sum_of(days, "spent_nanos")
    settled = [row for row in await own("credit_purchase") if row["settled_at"]]
    cards = [row for row in settled if row["kind"] == "CARD"]
    paid = sum_of(cards, "amount_nanos")
    assert nanos(bought, "BilledCost", ChargeCategory="Purchase") == paid - sum_of(
        cards, "refunded_nanos"
    )
    assert nanos(bought, "BilledCost", ChargeDescription="Prepaid credit") == paid
    moved = nanos([row for row in bought if row["PricingUnit"]], "PricingQuantity")
    ledger = await own("ledger_entry")
    adjusted = sum_of([row for row in ledger if row["cause"] == "ADJUSTMENT"], "amount_nanos")
    assert moved - sum_of(days, "spent_nanos") + adjusted == account["balance_nanos"]
    for receipt in await own("receipt"):
        billed = nanos(bought, "BilledCost", InvoiceId=receipt["number"])
        given = json.loads(receipt["data"])["purchase"]["kind"] != "CARD"
        assert billed == (0 if given else receipt["total_nanos"])


async def check_read_back(database: Database, copy: Database) -> None:
    """Compare the usage of a database with what was made of its files."""
    first, second = [await _usage_of(each) for each in (database, copy)]
    assert first == second


async def _usage_of(database: Database) -> dict[str, Any]:
    accounts = await table_rows(database, "account")
    names = {row["account_id"]: row["external_id"] for row in accounts}
    facts = (
        *("resource", "unit", "quantity_nanos", "amount_nanos", "correction", "provider"),
        *("gpu_model", "region", "service", "project", "started_at", "ended_at"),
    )
    rows = await table_rows(database, "usage_event")
    days = await table_rows(database, "rollup_day")
    spend = [
        (row["external_id"], row["spend_nanos"]) for row in await table_rows(database, "deployment")
    ]
    return {
        "events": sorted(str((names[r["account_id"]], *(r[n] for n in facts))) for r in rows),
        "deployments": sorted(spend),
        "spent": sum_of(days, "spent_nanos"),
        "names": {row["name"] for row in accounts if row["external_id"] != "demo-new"},
    }
