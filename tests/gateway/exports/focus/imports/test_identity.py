"""What makes two rows the same charge, and counting them."""

import random
from collections import Counter
from pathlib import Path

import pytest

from gateway.exports.focus.imports.identity import ChargeDigests, digest_of, event_id_of
from gateway.exports.focus.imports.reader import read_focus
from tests.gateway.exports.focus.imports.cost_files import read_one, write

TAX = {"ChargeCategory": "Tax"}


@pytest.mark.parametrize(
    "change",
    [
        {"BillingAccountId": "beta"},
        {"ResourceId": "other"},
        {"ServiceCategory": "Compute"},
        {"ConsumedUnit": "Seconds"},
        {"ConsumedQuantity": "1.500000001"},
        {"BilledCost": "1.250000001"},
        {"ChargeClass": "Correction"},
        {"ProviderName": "Other"},
        {"RegionId": "eu-2"},
        {"ServiceName": "Other"},
        {"SkuId": "other"},
        {"ChargePeriodStart": "2024-09-18 22:00:00.000001"},
        {"ChargePeriodEnd": "2024-09-18 23:00:00.000001"},
        {"ChargeCategory": "Tax"},
        {"x_Resource": "GPU", "x_GpuModel": "h100", "x_Unit": "Hours"},
    ],
    ids=lambda change: "-".join(change),
)
def test_another_value_is_another_charge(tmp_path: Path, change: dict[str, str]) -> None:
    assert digest_of(read_one(tmp_path, **change)) != digest_of(read_one(tmp_path))


@pytest.mark.parametrize(
    "change",
    [
        {"ChargeDescription": "VAT"},
        {"BilledCost": "1.3"},
        {"ChargeCategory": "Credit"},
        {"ChargePeriodStart": "2024-09-18"},
    ],
    ids=lambda change: "-".join(change),
)
def test_another_adjustment_is_another_charge(tmp_path: Path, change: dict[str, str]) -> None:
    assert digest_of(read_one(tmp_path, **TAX | change)) != digest_of(read_one(tmp_path, **TAX))


def test_an_event_id_says_which_of_equal_rows_and_after_what(tmp_path: Path) -> None:
    row = read_one(tmp_path)
    digest = digest_of(row)
    first = event_id_of(row, digest, 1, 0)
    assert len(first) == 32
    assert event_id_of(row, digest, 3, 0) == f"{first}-3"
    assert event_id_of(row, digest, 3, 2) == f"{first}-3-restated-2"
    assert event_id_of(read_one(tmp_path, ProviderName="Other"), digest, 1, 0) != first


def test_charges_are_counted_each() -> None:
    chance = random.Random(1)
    known = [chance.randbytes(16) for _ in range(50)]
    added = chance.choices(known, k=500)
    charges, left = ChargeDigests(), Counter(added)
    assert [charges.add(each) for each in added] == [
        each in added[:position] for position, each in enumerate(added)
    ]
    for each in chance.choices(known, k=800):
        assert charges.take(each) == (left[each] > 0)
        left[each] -= left[each] > 0


def test_a_digest_across_two_others_is_none() -> None:
    charges = ChargeDigests()
    other = b"\0\0" + b"a" * 6 + b"\0\0" + b"b" * 6
    across = other[8:] + other[:8]
    charges.add(other)
    charges.add(other)
    assert not charges.take(across)
    assert not charges.add(across)
    assert charges.take(across)
    assert [charges.take(other) for _ in range(3)] == [True, True, False]


def test_columns_by_both_names_are_read_by_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "both.csv"
    header, row, _ = write(tmp_path, {}).read_text("utf-8").split("\n")
    path.write_text(f"{header.strip()},Provider,Region\n{row.strip()},Old,old\n", "utf-8")
    assert list(read_focus(path).rows()) == [read_one(tmp_path)]
