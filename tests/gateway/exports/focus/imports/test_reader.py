"""What is read of real cost files, and how a file is refused as a whole."""

import csv
import gzip
import random
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.exports.focus.imports.identity import digest_of
from gateway.exports.focus.imports.reader import (
    MAX_ERRORS,
    MAX_LINE,
    AccountSeen,
    FocusFile,
    FocusRejected,
    read_focus,
)
from gateway.exports.focus.imports.rows import ChargeCategory, FocusAccount, FocusCost, FocusRow
from gateway.models import Resource
from tests.gateway.exports.focus.imports.cost_files import ROW, as_csv, read_one, reasons, write

DATA = Path(__file__).parents[4] / "data"
SAMPLE = DATA / "focus-1.0" / "focus_sample.csv"
EXAMPLES = sorted((DATA / "focus-1.2").glob("*.csv"))


@pytest.fixture(scope="module")
def sample() -> FocusFile:
    return read_focus(SAMPLE)


def test_sample_has_997_usage_rows_and_3_adjustments(sample: FocusFile) -> None:
    assert (sample.usage_count, sample.adjustment_count) == (997, 3)
    assert Counter(row.category for row in sample.rows()) == {
        ChargeCategory.USAGE: 997,
        ChargeCategory.ADJUSTMENT: 2,
        ChargeCategory.CREDIT: 1,
    }


def test_sample_spend_is_the_sum_of_rows_rounded_to_nanos(sample: FocusFile) -> None:
    usage = [row for row in sample.rows() if row.is_usage]
    unrounded = sum(Decimal(row.cost_text) for row in usage)
    nanos = sum(row.cost_nanos for row in usage)
    assert unrounded == Decimal("22.86192672899")
    assert nanos == 22_861_926_737
    assert nanos == sum(round(Decimal(row.cost_text).scaleb(9)) for row in usage)
    assert Decimal(nanos).scaleb(-9) - unrounded == Decimal("0.00000000801")


def test_sample_by_effective_cost_is_that_column() -> None:
    file = read_focus(SAMPLE, cost=FocusCost.EFFECTIVE)
    assert sum(row.cost_nanos for row in file.rows() if row.is_usage) == 17_976_514_186


def test_sample_adjustments_move_the_balance_against_their_cost(sample: FocusFile) -> None:
    adjustments = [row for row in sample.rows() if not row.is_usage]
    assert sorted((row.adjustment_nanos, row.description) for row in adjustments) == [
        (-192_000_000, "Adjustment: Standard - A1 - Memory"),
        (-80_000_000, "Adjustment: Standard - A1"),
        (
            2_613_700_000,
            "Credit: AWS Open Source Promotional Credits, credit from account: 391835788720",
        ),
    ]


def test_sample_accounts_by_billing_and_by_sub_account(sample: FocusFile) -> None:
    microsoft = "/providers/Microsoft.Billing/billingAccounts/8611537"
    assert sample.accounts == {
        "1234567890123": AccountSeen(
            name="SunBird", currency="USD", first_at=datetime(2024, 9, 1, tzinfo=UTC)
        ),
        microsoft: AccountSeen(
            name="SunBird", currency="USD", first_at=datetime(2024, 9, 1, tzinfo=UTC)
        ),
        "20209880": AccountSeen(
            name="20209880", currency="USD", first_at=datetime(2024, 9, 3, 23, tzinfo=UTC)
        ),
    }
    assert Counter(row.account_external_id for row in sample.rows()) == {
        "1234567890123": 942,
        microsoft: 51,
        "20209880": 7,
    }
    assert len(read_focus(SAMPLE, account_by=FocusAccount.SUB).accounts) == 73


def test_sample_resources_corrections_and_ids(sample: FocusFile) -> None:
    rows = list(sample.rows())
    usage = [row for row in rows if row.is_usage]
    assert sum(row.deployment_external_id is None for row in usage) == 74
    assert len({row.deployment_external_id for row in usage} - {None}) == 840
    assert sum(row.correction for row in usage) == 12
    assert len({digest_of(row) for row in rows}) == 1000
    assert sample.repeated == frozenset()
    assert Counter(row.resource for row in usage) == {
        Resource.NETWORK: 561,
        Resource.STORAGE: 209,
        Resource.OTHER: 171,
        Resource.CPU: 45,
        Resource.GPU: 9,
        Resource.MEMORY: 2,
    }


def test_first_sample_row_is_read_whole(sample: FocusFile) -> None:
    assert next(sample.rows()) == FocusRow(
        line=2,
        category=ChargeCategory.USAGE,
        description="Usage: $0.40 per million Amazon SQS standard requests in Tier1 in "
        "US West (Oregon)",
        account_external_id="1234567890123",
        account_name="SunBird",
        issuer="AWS",
        billing_account="1234567890123",
        currency="USD",
        cost_text="0.00000080000",
        cost_nanos=800,
        started_at=datetime(2024, 9, 18, 22, tzinfo=UTC),
        ended_at=datetime(2024, 9, 18, 23, tzinfo=UTC),
        deployment_external_id="arn:ats:sqs:us-test-2:347410479675:mibelllmel-i-032l64f2065481b12",
        deployment_name=None,
        provider="AWS",
        gpu_model=None,
        region="us-west-2",
        service="Amazon Simple Queue Service",
        sku="G95FST5FTYV3JSRX",
        project="51738928782",
        resource=Resource.OTHER,
        unit="Requests",
        quantity_text="2.000000000000000",
        quantity_nanos=2_000_000_000,
        correction=False,
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_spreadsheet_dates_and_amounts_are_refused_row_by_row(path: Path) -> None:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    found = reasons(path)
    assert len(found) == len(rows) > 0
    for number, (row, reason) in enumerate(zip(rows, found, strict=True), start=2):
        date = row["ChargePeriodStart"]
        assert reason == (
            f"line {number}: ChargePeriodStart: A date must be written as 2024-09-18T23:00:00Z, "
            f'2024-09-18 23:00:00 (UTC) or 2024-09-18. "{date}" has another format, is ambiguous '
            "or does not exist."
        )


def as_specified(row: dict[str, str]) -> dict[str, str]:
    """Write a spreadsheet's dates and amounts as the specification has them."""

    def cell(column: str, text: str) -> str:
        if column in {"ChargePeriodStart", "ChargePeriodEnd"}:
            return f"{datetime.strptime(text, '%m/%d/%y').replace(tzinfo=UTC):%Y-%m-%dT%H:%M:%SZ}"
        return text.replace("$", "").replace(",", "") if column.endswith("Cost") else text

    return {column: cell(column, text) for column, text in row.items()}


@pytest.mark.parametrize("cost", FocusCost)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_of_the_specification_read_once_written_as_it_says(
    path: Path, cost: FocusCost, tmp_path: Path
) -> None:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [as_specified(row) for row in csv.DictReader(file)]
    written = tmp_path / path.name
    written.write_text(as_csv(*rows), "utf-8")
    found = list(read_focus(written, cost=cost).rows())
    assert [(row.category, Decimal(row.cost_nanos).scaleb(-9)) for row in found] == [
        (row["ChargeCategory"], Decimal(row[cost])) for row in rows
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_byte_order_mark_and_compression_change_nothing(
    tmp_path: Path, encoding: str, compress: type[bytes]
) -> None:
    path = write(tmp_path, {}, {"ResourceName": "Ünïcode 🚀"}, encoding=encoding)
    path.write_bytes(compress(path.read_bytes()))
    plain = tmp_path / "plain"
    plain.mkdir()
    expected = list(read_focus(write(plain, {}, {"ResourceName": "Ünïcode 🚀"})).rows())
    assert list(read_focus(path).rows()) == expected


def test_columns_order_blanks_and_spelling_of_null_change_nothing(tmp_path: Path) -> None:
    expected = read_one(tmp_path)
    columns = list(ROW)
    random.Random(1).shuffle(columns)
    path = tmp_path / "other.csv"
    other = {name: f" {ROW[name]} " for name in columns} | {"ChargeClass": "", "Tags": "NULL"}
    path.write_text(as_csv(other), "utf-8")
    assert list(read_focus(path).rows()) == [expected]


def test_file_says_which_of_its_rows_are_equal(tmp_path: Path) -> None:
    file = read_focus(write(tmp_path, {}, {"SkuId": "x"}, {"SubAccountName": "R"}, {}))
    first, other, *equal = (digest_of(row) for row in file.rows())
    assert equal == [first, first]
    assert file.repeated == {first}
    assert other != first
    assert [file.charges.take(first) for _ in range(4)] == [True, True, True, False]


def test_usage_in_the_future_is_a_bad_row(tmp_path: Path) -> None:
    path = write(tmp_path, {}, {"ChargeCategory": "Tax"})
    assert read_focus(path, now=datetime(2024, 9, 18, 22, tzinfo=UTC)).usage_count == 1
    with pytest.raises(FocusRejected) as caught:
        read_focus(path, now=datetime(2024, 9, 18, 21, tzinfo=UTC))
    assert [str(error) for error in caught.value.errors] == [
        "line 2: ChargePeriodStart: Usage must not start in the future."
    ]


def test_two_currencies_in_an_account_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, {}, {"BillingCurrency": "EUR"}, {"BillingAccountId": "b"})
    assert reasons(path) == [
        (
            "line 3: BillingCurrency: Earlier rows of account acme are in USD, this row in "
            "EUR; an account has one currency."
        )
    ]


def test_line_is_where_the_row_begins(tmp_path: Path) -> None:
    path = write(tmp_path, {"Tags": "two\nlines"}, {"Tags": "and\nthree\nlines", "BilledCost": "x"})
    [reason] = reasons(path)
    assert reason.startswith("line 4: BilledCost: ")


def test_bytes_that_are_no_utf_8_are_a_bad_row(tmp_path: Path) -> None:
    path = write(tmp_path, {}, {"ResourceName": "Ünïcode"}, encoding="latin-1")
    assert reasons(path) == ["line 3: The row is not in UTF-8."]


@pytest.mark.parametrize("column", ["BillingAccountId", "SubAccountId", "ResourceId"])
def test_identifiers_are_kept_or_refused(tmp_path: Path, column: str) -> None:
    path = write(tmp_path, {column: "a\u202e"}, {column: "a\x7f"})
    assert [each.split(":")[:2] for each in reasons(path, account_by=FocusAccount.SUB)] == [
        ["line 2", f" {column}"],
        ["line 3", f" {column}"],
    ]
    [row] = read_focus(
        write(tmp_path, {column: " e\u0301\u00a0"}), account_by=FocusAccount.SUB
    ).rows()
    assert "e\u0301\u00a0" in {
        row.account_external_id,
        row.billing_account,
        row.deployment_external_id,
    }


def test_row_with_too_few_cells_is_refused_and_a_blank_line_is_none(tmp_path: Path) -> None:
    path = write(tmp_path, {})
    path.write_text(path.read_text("utf-8") + "\r\n1,2\r\n", "utf-8")
    assert reasons(path) == ["line 4: The row has 2 cells, the header 24."]


def test_text_behind_a_quoted_cell_is_no_csv(tmp_path: Path) -> None:
    path = write(tmp_path, {})
    path.write_text(path.read_text("utf-8") + '"1"2,3\r\n', "utf-8")
    [reason] = reasons(path)
    assert reason.startswith("line 3: This is no CSV (")


def test_endless_line_is_refused_before_it_is_held(tmp_path: Path) -> None:
    path = write(tmp_path, {})
    path.write_text(path.read_text("utf-8") + "x" * (MAX_LINE + 1), "utf-8")
    assert reasons(path) == [
        (
            "line 3: This is no CSV (a line is longer than 1048576 characters); nothing after it "
            "was read."
        )
    ]


def test_first_hundred_bad_rows_are_reported(tmp_path: Path) -> None:
    path = write(tmp_path, *[{"BilledCost": "x"}] * (MAX_ERRORS + 5))
    with pytest.raises(FocusRejected, match="At least 100 rows of") as caught:
        read_focus(path)
    assert [error.line for error in caught.value.errors] == list(range(2, MAX_ERRORS + 2))


ALL_MISSING = (
    "cost.csv has no column BilledCost, BillingAccountId, BillingCurrency, ChargeCategory, "
    "ChargePeriodStart, ChargePeriodEnd in the first line."
)
WITHOUT_END = as_csv({name: text for name, text in ROW.items() if name != "ChargePeriodEnd"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ALL_MISSING),
        (as_csv(ROW).encode("utf-16"), ALL_MISSING),
        (WITHOUT_END.encode(), "cost.csv has no column ChargePeriodEnd in the first line."),
        (
            as_csv(ROW).replace("ProviderName", "Publisher").encode(),
            "cost.csv has no column ProviderName or Provider in the first line.",
        ),
        (
            as_csv(ROW).replace("Quantity", "Volume").encode(),
            (
                "cost.csv has no column ConsumedQuantity or PricingQuantity or UsageQuantity in "
                "the first line."
            ),
        ),
        (
            as_csv(ROW).replace("SkuPriceId", "SkuId").encode(),
            "cost.csv has more than one column SkuId.",
        ),
        (
            gzip.compress(as_csv(ROW).encode())[:-9],
            "cost.csv cannot be read: its compressed data are damaged.",
        ),
    ],
)
def test_file_that_cannot_be_read_is_one_clear_error(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "cost.csv"
    path.write_bytes(content)
    with pytest.raises(FocusRejected) as caught:
        read_focus(path)
    assert (caught.value.message, caught.value.errors) == (message, ())


def test_missing_file_and_missing_sub_account_column_are_named(tmp_path: Path) -> None:
    with pytest.raises(FocusRejected, match=r"^no\.csv cannot be read: No such file or directory"):
        read_focus(tmp_path / "no.csv")
    path = tmp_path / "cost.csv"
    path.write_text(as_csv({k: v for k, v in ROW.items() if k != "SubAccountId"}), "utf-8")
    with pytest.raises(FocusRejected, match="has no column SubAccountId"):
        read_focus(path, account_by=FocusAccount.SUB)


def test_columns_without_a_name_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "cost.csv"
    header, row, _ = as_csv(ROW).split("\r\n")
    path.write_text(f"{header},,\r\n{row},,\r\n", "utf-8")
    assert list(read_focus(path).rows()) == [read_one(tmp_path)]


def test_file_that_changed_after_it_was_checked_is_refused(tmp_path: Path) -> None:
    file = read_focus(write(tmp_path, {}, {}))
    write(tmp_path, {}, {"BilledCost": "x"})
    with pytest.raises(FocusRejected, match="cannot be imported, so none was"):
        list(file.rows())


def test_prepaid_usage_is_not_taken_for_free_unless_that_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path, {"BilledCost": "0.00"}, {"BilledCost": "0", "EffectiveCost": "0.00"})
    with pytest.raises(FocusRejected, match=r"^cost\.csv has no billed usage, .* Choose a"):
        read_focus(path)
    for cost, nanos in ((FocusCost.BILLED, 0), (FocusCost.EFFECTIVE, 750_000_000)):
        assert sum(row.cost_nanos for row in read_focus(path, cost=cost).rows()) == nanos


@pytest.mark.parametrize(
    "change",
    [
        {"EffectiveCost": "0"},
        {"EffectiveCost": "-0.00E+5"},
        {"EffectiveCost": ""},
        {"ChargeCategory": "Purchase"},
    ],
)
def test_usage_that_is_free_is_free(tmp_path: Path, change: dict[str, str]) -> None:
    [row] = read_focus(write(tmp_path, {"BilledCost": "0.00"} | change)).rows()
    assert row.cost_nanos == 0
