"""What a row's cells mean, and which are refused with which words."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.exports.focus.imports.reader import FocusRejected, read_focus
from gateway.exports.focus.imports.rows import FocusAccount, parse_instant, resource_of
from gateway.models import Resource
from tests.gateway.exports.focus.imports.cost_files import read_one, reasons, write


def test_purchase_of_tokens_is_an_adjustment(tmp_path: Path) -> None:
    row = read_one(tmp_path, ChargeCategory="Purchase", BilledCost="200000.00")
    assert not row.is_usage
    assert row.adjustment_nanos == -200_000 * 10**9
    assert row.description == "Purchase: GPU by the hour"


def test_row_without_sub_account_is_its_billing_accounts(tmp_path: Path) -> None:
    path = write(tmp_path, {}, {"SubAccountId": "NULL", "SubAccountName": ""})
    rows = read_focus(path, account_by=FocusAccount.SUB).rows()
    assert [(row.account_external_id, row.account_name) for row in rows] == [
        ("acme-research", "Research"),
        ("acme", "Acme Corp"),
    ]


def test_account_without_a_name_has_its_id(tmp_path: Path) -> None:
    assert read_one(tmp_path, BillingAccountName="").account_name == "acme"


def test_row_without_a_resource_has_no_deployment(tmp_path: Path) -> None:
    row = read_one(tmp_path, ResourceId="NULL")
    assert (row.deployment_external_id, row.deployment_name) == (None, None)


def test_priced_quantity_stands_in_for_the_consumed_one(tmp_path: Path) -> None:
    row = read_one(tmp_path, ConsumedQuantity="NULL")
    assert (row.quantity_nanos, row.unit) == (3 * 10**9, "Half-Hours")
    row = read_one(tmp_path, ConsumedQuantity="", PricingQuantity="")
    assert (row.quantity_text, row.quantity_nanos, row.unit) == ("0", 0, "")


def test_price_sku_stands_in_for_the_sku(tmp_path: Path) -> None:
    assert read_one(tmp_path).sku == "sku"
    assert read_one(tmp_path, SkuId="NULL").sku == "sku.price"


def test_project_is_the_sub_account_or_a_tag(tmp_path: Path) -> None:
    assert read_one(tmp_path).project == "acme-research"
    assert read_one(tmp_path, SubAccountId="NULL").project is None
    assert read_one(tmp_path, **OWN, x_Project="maps").project == "maps"
    assert read_one(tmp_path, **OWN).project is None
    by_account = read_focus(write(tmp_path, {}), account_by=FocusAccount.SUB)
    assert [row.project for row in by_account.rows()] == [None]
    tags = ('{"team": "maps", "env": "dev"}', '{"env": "dev"}', "NULL", '{"team": true}', "{}")
    path = write(tmp_path, *({"Tags": each} for each in tags), {"Tags": '{"team": 7}'})
    rows = read_focus(path, project_tag="team").rows()
    assert [row.project for row in rows] == ["maps", None, None, None, None, "7"]


def test_tags_that_cannot_be_read_are_refused_where_needed(tmp_path: Path) -> None:
    path = write(tmp_path, {"Tags": "{"}, {"Tags": "[]"}, {"Tags": '{"team": "%s"}' % ("x" * 201)})
    assert len(list(read_focus(path).rows())) == 3
    assert reasons(path, project_tag="team") == [
        "line 2: Tags: Tags must be a JSON object.",
        "line 3: Tags: Tags must be a JSON object.",
        "line 4: Tags: At most 200 characters, not 201.",
    ]
    with pytest.raises(FocusRejected, match="no column Tags"):
        read_focus(write(tmp_path, {}), project_tag="team")


OWN = {
    "x_ComputeProvider": "north",
    "x_Correction": "true",
    "x_GpuModel": "h100",
    "x_Resource": "GPU",
    "x_Service": "",
    "x_Unit": "gpu-hour",
}


def test_row_of_ours_is_read_with_the_meters_own_words(tmp_path: Path) -> None:
    row = read_one(tmp_path, **OWN, ServiceCategory="Compute")
    assert (row.provider, row.gpu_model, row.service, row.unit, row.resource, row.correction) == (
        *("north", "h100", None, "gpu-hour", Resource.GPU, True),
    )


def test_row_with_others_columns_is_read_as_the_specification_has_it(tmp_path: Path) -> None:
    row = read_one(tmp_path, **OWN | {"x_Resource": "arn:ats:gpu"})
    assert (row.provider, row.gpu_model, row.service, row.unit, row.correction) == (
        *("Cloud", None, "Trainer", "Hours", False),
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, False),
        ({"BilledCost": "-0.0000000001"}, False),
        ({"BilledCost": "-0.01"}, True),
        ({"ChargeClass": "Correction"}, True),
    ],
)
def test_correction_is_negative_or_says_so(
    tmp_path: Path, change: dict[str, str], expected: bool
) -> None:
    assert read_one(tmp_path, **change).correction is expected


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("0.00000080000", 800),
        ("-2.61370000000", -2_613_700_000),
        ("0.0000000005", 0),
        ("0.0000000015", 2),
        ("8E-7", 800),
        ("1.5e-9", 2),
        ("-1.25E+3", -1_250_000_000_000),
        ("9223372036.854775807", 2**63 - 1),
        (".0125", 12_500_000),
        ("-.5", -500_000_000),
        (".5E1", 5_000_000_000),
    ],
)
def test_cost_is_exact_to_the_nano(tmp_path: Path, text: str, nanos: int) -> None:
    row = read_one(tmp_path, BilledCost=text)
    assert (row.cost_text, row.cost_nanos) == (text, nanos)


@pytest.mark.parametrize(
    "text",
    [
        "$10,000.00 ",
        "1,5",
        "+3",
        "1e999",
        "1E",
        "5.",
        ".",
        "NaN",
        "0x10",
        "٣",
        "9223372036.9",
        "--1",
    ],
)
def test_what_is_no_number_is_refused(tmp_path: Path, text: str) -> None:
    [reason] = reasons(write(tmp_path, {"BilledCost": text}))
    assert reason.startswith("line 2: BilledCost: A decimal ")
    assert reason.endswith(f'Not "{text.strip()}".')


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-09-18", datetime(2024, 9, 18, tzinfo=UTC)),
        ("2024-09-18 23:00:00", datetime(2024, 9, 18, 23, tzinfo=UTC)),
        ("2024-09-18T23:00:00Z", datetime(2024, 9, 18, 23, tzinfo=UTC)),
        ("2024-09-18 23:00:00 UTC", datetime(2024, 9, 18, 23, tzinfo=UTC)),
        ("2024-09-18T23:00Z", datetime(2024, 9, 18, 23, tzinfo=UTC)),
        ("2024-09-18T23:00:00.123456789Z", datetime(2024, 9, 18, 23, 0, 0, 123456, tzinfo=UTC)),
        ("2024-09-18T23:00:00.9999999999999Z", datetime(2024, 9, 18, 23, 0, 0, 999999, tzinfo=UTC)),
        ("2024-09-18T23:00:00+05:30", datetime(2024, 9, 18, 17, 30, tzinfo=UTC)),
        ("2024-09-18 23:00:00-0300", datetime(2024, 9, 19, 2, tzinfo=UTC)),
        ("2024-09-18 23:00:00+00", datetime(2024, 9, 18, 23, tzinfo=UTC)),
    ],
)
def test_instant_is_utc_where_it_has_no_offset(text: str, instant: datetime) -> None:
    parsed = parse_instant(text, argument="ChargePeriodStart")
    assert (parsed, parsed.tzinfo) == (instant, UTC)


@pytest.mark.parametrize(
    "text",
    [
        *("5/1/25", "18.09.2024", "2024-09", "20240918", "2024-W38-3", "2024-02-30", "2024-9-1"),
        *("2024-09-18T24:30:00Z", "2024-09-18 23", "2024-09-18Z", "1726700400", "infinity"),
        *("1999-12-31", "2101-01-01", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_what_is_no_instant_is_refused(tmp_path: Path, text: str) -> None:
    [reason] = reasons(write(tmp_path, {"ChargePeriodStart": text}))
    assert reason.startswith("line 2: ChargePeriodStart: A date ")


@pytest.mark.parametrize(
    ("category", "unit", "resource"),
    [
        ("Compute", "Hours", Resource.CPU),
        ("Compute", "OCPU Per Hour", Resource.CPU),
        ("Compute", "GB", Resource.NETWORK),
        ("Compute", "GB-Hours", Resource.MEMORY),
        ("Compute", "Gigabyte Per Hour", Resource.MEMORY),
        ("Compute", "GB/Month", Resource.STORAGE),
        ("Compute", "GiB-Months", Resource.STORAGE),
        ("Compute", "Lambda-GB-Seconds", Resource.CPU),
        ("Storage", "GB", Resource.STORAGE),
        ("Networking", "Hours", Resource.NETWORK),
        ("AI and Machine Learning", "GB", Resource.GPU),
        ("Databases", "GB-Months", Resource.OTHER),
        (None, "", Resource.OTHER),
    ],
)
def test_resource_follows_category_and_unit(
    category: str | None, unit: str, resource: Resource
) -> None:
    assert resource_of(category, unit) is resource


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"BilledCost": "NULL"}, "BilledCost: A value is required."),
        ({"BillingAccountId": ""}, "BillingAccountId: A value is required."),
        (
            {"BillingCurrency": "usd"},
            (
                "BillingCurrency: A currency must be an ISO 4217 code of three capital letters, "
                "such as USD."
            ),
        ),
        (
            {"ChargeCategory": "Refund"},
            (
                "ChargeCategory: A charge category must be one of Usage, Purchase, Tax, Credit, "
                'Adjustment; not "Refund".'
            ),
        ),
        (
            {"ChargePeriodEnd": "2024-09-18 21:59:59"},
            "ChargePeriodEnd: A charge period must not end before it starts.",
        ),
        ({"ResourceId": "r" * 1001}, "ResourceId: At most 1000 characters, not 1001."),
        ({"BillingAccountId": "a" * 201}, "BillingAccountId: At most 200 characters, not 201."),
        ({"ConsumedUnit": "u" * 101}, "ConsumedUnit: At most 100 characters, not 101."),
        ({"ServiceName": "s" * 201}, "ServiceName: At most 200 characters, not 201."),
        ({"BilledCost": "0." + "0" * 63}, "BilledCost: At most 64 characters, not 65."),
        ({"Tags": "a\0b"}, "The row contains a NUL character."),
    ],
)
def test_bad_row_is_reported_with_line_and_reason(
    tmp_path: Path, change: dict[str, str], reason: str
) -> None:
    good = {"Tags": ""}
    assert reasons(write(tmp_path, good, good | change, good)) == [f"line 3: {reason}"]


def test_long_names_are_cut(tmp_path: Path) -> None:
    row = read_one(tmp_path, ResourceName="n" * 201, ChargeDescription="d" * 3000)
    assert row.deployment_name == "n" * 199 + "…"
    assert row.description == "Usage: " + "d" * 1992 + "…"
