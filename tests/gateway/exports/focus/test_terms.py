"""FOCUS's words for units, months and prices."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.exports.focus.terms import (
    COLUMNS,
    SERVICES,
    billing_month,
    focus_unit,
    next_second,
    unit_price,
    whole_second,
)
from gateway.models import Resource
from gateway.money import MAX_NANOS, MAX_QUANTITY
from tests.support.focus_checks import ROW_CHECKS

NANO = Decimal("1E-9")
NANOS = st.integers(-MAX_NANOS, MAX_NANOS)
QUANTITIES = NANOS | st.integers(-MAX_QUANTITY, MAX_QUANTITY)


@given(NANOS, QUANTITIES)
def test_unit_price_times_quantity_is_the_amount_to_the_nano(amount: int, quantity: int) -> None:
    price = unit_price(amount, quantity)
    if price is None:
        assert amount
        assert not quantity or (amount < 0) != (quantity < 0)
    else:
        assert Decimal(price) >= 0
        with localcontext(prec=200):
            product = Decimal(price) * quantity * NANO
            assert product.quantize(NANO, ROUND_HALF_EVEN) == amount * NANO


@given(st.integers(0, 10**13), st.integers(10**9, 10**13))
def test_unit_price_is_the_meters_own_where_quantities_are_one_or_more(
    price: int, quantity: int
) -> None:
    amount = (Decimal(price * quantity) / 10**9).quantize(Decimal(1), ROUND_HALF_EVEN)
    found = unit_price(int(amount), quantity)
    assert found is not None
    assert Decimal(found) == price * NANO


@pytest.mark.parametrize(
    ("amount", "quantity", "price"),
    [
        (2_825_860_000, 1_234_000_000, "2.29"),
        (0, 0, "0.00"),
        (0, 5, "0.00"),
        (-4_580_000_000, -2_000_000_000, "2.29"),
        (18_419_816, 1_800_000_000_000, "0.000010233231"),
        (1, 3_000_000_000, "0.0000000003"),
        (5, 0, None),
        (-5, 1, None),
    ],
)
def test_unit_price(amount: int, quantity: int, price: str | None) -> None:
    assert unit_price(amount, quantity) == price


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("gpu-hour", "GPU-Hours"),
        ("GiB-hours", "GiB-Hours"),
        ("gib", "GiB"),
        ("Gb", "Gb"),
        ("gb/month", "GB/Month"),
        ("hour", "Hours"),
        ("Requests", "Requests"),
        ("vcpu-second", "vCPU-Seconds"),
        ("two words", "two words"),
        ("Mio. Токен", "Mio. Токен"),
        ("-hour", "-hour"),
        ("  ", "Unit"),
        ("", "Unit"),
    ],
)
def test_unit_is_written_as_the_specification_has_it(unit: str, expected: str) -> None:
    assert focus_unit(unit) == expected


@pytest.mark.parametrize("unit", ["gpu-hour", "gib-hour", "cpu-hour", "gib", "ip-hour", "credit"])
def test_units_of_the_demo_conform(unit: str) -> None:
    check = ROW_CHECKS["FormatUnit"]
    assert check({"ColumnName": "unit"}, {"unit": focus_unit(unit)})


def test_billing_month_ends_where_the_next_begins() -> None:
    assert billing_month(2026, 11) == (
        "2026-11-01T00:00:00Z",
        "2026-12-01T00:00:00Z",
    )
    assert billing_month(2026, 12) == (
        "2026-12-01T00:00:00Z",
        "2027-01-01T00:00:00Z",
    )


def test_instants_are_whole_seconds_around_what_they_are() -> None:
    exact = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
    assert whole_second(exact) == next_second(exact) == "2026-01-31T23:59:59Z"
    late = exact.replace(microsecond=1)
    assert (whole_second(late), next_second(late)) == (
        "2026-01-31T23:59:59Z",
        "2026-02-01T00:00:00Z",
    )


def test_each_service_has_one_category_and_one_meter() -> None:
    assert SERVICES.keys() == set(Resource)
    assert len({service.name for service in SERVICES.values()}) == len(Resource)


def test_our_columns_stand_behind_the_specifications() -> None:
    theirs = [name for name in COLUMNS if not name.startswith("x_")]
    assert list(COLUMNS) == sorted(theirs) + sorted(set(COLUMNS) - set(theirs))
