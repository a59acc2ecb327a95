"""The judge of FOCUS files accepts good files, and names the broken rule of bad ones."""

import csv
import io
import re
from pathlib import Path

import pytest

from tests.support.focus_rules import Model, Verdict, judge

GOLDEN = Path(__file__).parents[3] / "data" / "focus-1.2"
CLAIMED = {
    "ACCOUNT_NAMING_SUPPORTED",
    "NEGOTIATED_PRICING_SUPPORTED",
    "PRICING_BILLING_CURRENCY_DIFFERENCES_SUPPORTED",
    "PUBLIC_PRICE_LIST_SUPPORTED",
    "UNIT_PRICING_SUPPORTED",
    "USAGE_MEASUREMENT_SUPPORTED",
    "VIRTUAL_CURRENCY_SUPPORTED",
}
ADDED = {
    "InvoiceId": "",
    "ServiceCategory": "Compute",
    "ServiceSubcategory": "Containers",
    "SkuMeter": "Widgets",
    "SkuPriceDetails": "",
}
FORMATS = ("DateTimeFormat", "NumericFormat", "CurrencyFormat", "StringHandling", "KeyValueFormat")
"""What a broken column's format breaks with it."""

DATES = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")


def golden(name: str) -> str:
    return (GOLDEN / f"{name}.csv").read_text("utf-8-sig")


def good(name: str = "virtual_currency_pricing_model_a2") -> list[dict[str, str]]:
    """Return the rows of one of the specification's files, with its spreadsheet's dates mended and
    the columns that it leaves out.
    """
    rows = list(csv.DictReader(io.StringIO(golden(name))))
    for row in rows:
        for column in DATES:
            month, day, year = row[column].split("/")
            row[column] = f"20{year}-{int(month):02}-{int(day):02}T00:00:00Z"
        row.update(ADDED)
    return rows


def as_text(rows: list[dict[str, str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("name", ["a1", "a2", "b2", "b3", "c"])
def test_specifications_own_files_break_no_rule_but_by_their_dates_and_missing_columns(
    name: str,
) -> None:
    whole = f"virtual_currency_pricing_model_{name}"
    report = judge(golden(whole), CLAIMED)
    absent = ["CostAndUsage-D-040-M", "CostAndUsage-D-059-C", "CostAndUsage-D-061-C"]
    dates = {f"{column}-C-00{number}-M" for column in DATES for number in (1, 2)}
    formats = {f"DateTimeFormat-A-00{number}-M" for number in (1, 2, 4, 5, 6)}
    assert set(report.failed()) == {*absent, *dates, *formats}
    advised = set(report.of(Verdict.ADVISED))
    assert advised == {"CostAndUsage-D-033-O", "CostAndUsage-D-042-O"}  # InvoiceId, subcategory

    mended = judge(as_text(good(whole)), CLAIMED)
    assert (mended.failed(), mended.of(Verdict.ADVISED)) == ([], {})


def test_space_in_a_number_of_the_specification_is_found() -> None:
    failed = judge(golden("virtual_currency_pricing_model_b1"), CLAIMED).failed()
    assert {"EffectiveCost-C-001-M", "EffectiveCost-C-002-M", "EffectiveCost-C-005-C"} < set(failed)


def test_every_rule_of_the_model_has_one_verdict_with_its_reason() -> None:
    report = judge(as_text(good()), CLAIMED)
    assert list(report.judgements) == list(Model().rules)
    assert len(report.judgements) == 621
    for each in report.judgements.values():
        assert each.reason or each.verdict is Verdict.PASSED
    assert re.fullmatch(
        r"621 rules: \d+ PASSED, 0 FAILED, 0 ADVISED, \d+ NOT_APPLICABLE, \d+ UNDECIDABLE",
        str(report),
    )
    apart = report.judgements["SubAccountId-C-001-M"]
    assert (apart.verdict, apart.reason) == (
        Verdict.NOT_APPLICABLE,
        "SUB_ACCOUNT_SUPPORTED is not claimed",
    )


def test_unknown_criterion_is_refused() -> None:
    with pytest.raises(ValueError, match="no such criteria"):
        judge(as_text(good()), {"FLYING_SUPPORTED"})


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ({"BilledCost": ""}, {"BilledCost-C-003-M"}),
        (
            {"BilledCost": "$0.00"},
            {"BilledCost-C-001-M", "BilledCost-C-002-M", "BilledCost-C-004-M"},
        ),
        ({"BilledCost": "+0"}, {"BilledCost-C-001-M", "BilledCost-C-002-M", "BilledCost-C-004-M"}),
        ({"BillingAccountId": ""}, {"BillingAccountId-C-001-M"}),
        ({"BillingAccountName": ""}, {"BillingAccountName-C-003-C"}),
        ({"BillingCurrency": "ZZZ"}, {"BillingCurrency-C-003-M", "BillingCurrency-C-006-M"}),
        ({"BillingCurrency": "Token"}, {"BillingCurrency-C-006-M"}),
        ({"PricingCurrency": "ZZZ"}, {"PricingCurrency-C-003-M"}),
        ({"ChargeCategory": "Gift"}, {"ChargeCategory-C-003-M", "ConsumedQuantity-C-004-C"}),
        ({"ChargeClass": "Wrong"}, {"ChargeClass-C-005-C"}),
        ({"ChargeFrequency": "Daily"}, {"ChargeFrequency-C-003-M"}),
        (
            {"ChargePeriodEnd": "2025-04-02 00:00:00"},
            {"ChargePeriodEnd-C-001-M", "ChargePeriodEnd-C-002-M"},
        ),
        (
            {"ChargePeriodStart": "2025-04-31T00:00:00Z"},
            {"ChargePeriodStart-C-001-M", "ChargePeriodStart-C-002-M"},
        ),
        ({"ConsumedUnit": ""}, {"ConsumedUnit-C-006-C"}),
        ({"EffectiveCost": "1E+2"}, {"EffectiveCost-C-001-M", "EffectiveCost-C-002-M"}),
        ({"ListCost": "490.000000001"}, {"ListUnitPrice-C-010-C", "ListCost-C-009-C"}),
        ({"ContractedCost": "491"}, {"ContractedUnitPrice-C-011-C", "ContractedCost-C-009-C"}),
        (
            {"ListUnitPrice": "-2", "ListCost": "-490"},
            {"ListUnitPrice-C-008-M"},
        ),
        (
            {"PricingCurrencyContractedUnitPrice": ""},
            {"PricingCurrencyContractedUnitPrice-C-005-C"},
        ),
        ({"PricingUnit": ""}, {"PricingUnit-C-006-C"}),
        ({"ProviderName": "  "}, {"ProviderName-C-001-M", "ProviderName-C-002-M"}),
        ({"ServiceSubcategory": "Block Storage"}, {"ServiceSubcategory-C-004-M"}),
        ({"SkuId": ""}, {"SkuId-C-005-C", "SkuPriceId-C-008-M", "SkuMeter-C-004-C"}),
        ({"SkuPriceId": "12345-1"}, {"SkuPriceId-C-008-M"}),
        (
            {"SkuPriceDetails": '{"GpuCount": 1, "GpuCount": 2}'},
            {"SkuPriceDetails-C-001-M"},
        ),
        ({"SkuPriceDetails": '{"x_Model": ["h100"]}'}, {"SkuPriceDetails-C-001-M"}),
    ],
)
def test_bad_cell_breaks_its_rules_and_no_others(change: dict[str, str], rules: set[str]) -> None:
    rows = good()
    rows[0] |= change
    report = judge(as_text(rows), CLAIMED)
    failed = {rule for rule in report.failed() if not rule.startswith(FORMATS)}
    assert failed == rules
    assert all(report.judgements[rule].rows[0] in {1, 2} for rule in rules)


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ({"EffectiveCost": "200000"}, {"EffectiveCost-C-005-C"}),
        ({"ChargeFrequency": "Usage-Based"}, {"ChargeFrequency-C-004-C"}),
        ({"ConsumedQuantity": "1", "ConsumedUnit": "Token"}, {"ConsumedQuantity-C-004-C"}),
        ({"PricingCurrencyEffectiveCost": "2"}, {"PricingCurrencyEffectiveCost-C-005-M"}),
        ({"InvoiceIssuerName": "Reseller"}, {"BilledCost-C-005-C"}),
        ({"ResourceType": ""}, {"ResourceType-C-005-C"}),
        (
            {"ChargeCategory": "Credit", "BilledCost": "-5", "ListUnitPrice": ""},
            {"EffectiveCost-C-010-C", "ListCost-C-008-C"},
        ),
    ],
)
def test_bad_purchase_breaks_its_rules_and_no_others(
    change: dict[str, str], rules: set[str]
) -> None:
    [row] = good("virtual_currency_pricing_model_a1")
    resources = {"BILLING_BASED_ON_PROVISIONED_RESOURCES_SUPPORTED"}
    types = {"RESOURCE_TYPE_ASSIGNMENT_SUPPORTED"}
    report = judge(as_text([row | change]), CLAIMED | resources | types)
    assert set(report.failed()) == rules


@pytest.mark.parametrize(
    ("column", "verdict", "rule"),
    [
        ("BilledCost", Verdict.FAILED, "CostAndUsage-D-006-M"),
        ("ServiceCategory", Verdict.FAILED, "CostAndUsage-D-040-M"),
        ("PricingCurrencyEffectiveCost", Verdict.FAILED, "CostAndUsage-D-051-C"),
        ("SkuPriceDetails", Verdict.FAILED, "CostAndUsage-D-061-C"),
        ("InvoiceId", Verdict.ADVISED, "CostAndUsage-D-033-O"),
        ("ChargeFrequency", Verdict.ADVISED, "CostAndUsage-D-027-O"),
    ],
)
def test_missing_column_breaks_its_rule_of_presence(
    column: str, verdict: Verdict, rule: str
) -> None:
    rows = good()
    for row in rows:
        del row[column]
    report = judge(as_text(rows), CLAIMED)
    assert report.judgements[rule].verdict is verdict
    assert report.failed() == ([rule] if verdict is Verdict.FAILED else [])
    assert rule in report.of(verdict)


def test_column_with_a_name_of_its_own_is_found() -> None:
    rows = good()
    rows[0]["our-column"] = "1"
    failed = judge(as_text(rows), CLAIMED).failed()
    assert failed == ["ColumnHandling-A-001-M", "ColumnHandling-A-003-M"]
