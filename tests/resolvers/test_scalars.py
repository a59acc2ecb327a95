"""One spelling out, strict reading in."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadUserInput
from gateway.instants import EARLIEST, LATEST, parse_instant, serialize_instant, serialize_instants
from gateway.windows import zone
from resolvers.scalars import (
    SCALARS,
    parse_currency,
    parse_date,
    parse_decimal,
    parse_time_zone,
    parse_url,
)

WRONG_EVERYWHERE = ["", " ", "\x00", "\ud800", "x" * 10_000, 1, 1.5, True, None, [], {}]


@pytest.mark.parametrize(
    "parse",
    [parse_instant, parse_date, parse_decimal, parse_time_zone, parse_currency, parse_url],
)
@pytest.mark.parametrize("value", WRONG_EVERYWHERE)
def test_what_is_no_such_text_is_refused(parse: Any, value: Any) -> None:
    with pytest.raises(BadUserInput):
        parse(value)


@given(
    st.datetimes(
        EARLIEST.replace(tzinfo=None), LATEST.replace(tzinfo=None), timezones=st.just(UTC)
    ).filter(lambda instant: instant < LATEST)
)
def test_an_instant_comes_back(instant: datetime) -> None:
    assert parse_instant(serialize_instant(instant)) == instant


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2026, 11, 1, tzinfo=UTC), "2026-11-01T00:00:00Z"),
        (datetime(2026, 11, 1, 0, 0, 0, 1, tzinfo=UTC), "2026-11-01T00:00:00.000001Z"),
        (datetime(2026, 11, 1, 0, 0, 0, 500_000, tzinfo=UTC), "2026-11-01T00:00:00.500000Z"),
        (
            datetime(2026, 11, 1, 1, tzinfo=timezone(timedelta(hours=2))),
            "2026-10-31T23:00:00Z",
        ),
    ],
)
def test_an_instant_is_written_in_utc(instant: datetime, text: str) -> None:
    assert serialize_instant(instant) == text


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-29T03:00:00+02:00", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("2026-03-29T03:00:00.25-05:30", datetime(2026, 3, 29, 8, 30, 0, 250_000, tzinfo=UTC)),
        ("2000-01-01T00:00:00Z", EARLIEST),
        ("2100-12-31T23:59:59.999999Z", LATEST - timedelta(microseconds=1)),
    ],
)
def test_an_instant_is_read_with_its_offset(text: str, instant: datetime) -> None:
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-01T00:00:00",
        "2026-11-01",
        "2026-11-01 00:00:00Z",
        "2026-11-01T00:00Z",
        "2026-11-01T24:00:00Z",
        "2026-11-01T23:59:60Z",
        "2026-02-30T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1999-12-31T23:59:59Z",
        "2101-01-01T00:00:00Z",
        "2000-01-01T00:00:00+00:01",
        "2026-W01-1T00:00:00Z",
        "2026-11-01T00:00:00z",
        "2026-11-01T00:00:00.Z",
        "2026-11-01T00:00:00.1234567Z",
        "2026-11-01T00:00:00+25:00",
        "٢٠٢٦-11-01T00:00:00Z",
        "2026-11-01T00:00:00Z\n",
        "infinity",
    ],
)
def test_other_instants_are_refused(text: str) -> None:
    with pytest.raises(BadUserInput):
        parse_instant(text)


def test_a_date_is_read() -> None:
    assert parse_date("2028-02-29") == date(2028, 2, 29)


@pytest.mark.parametrize(
    "text",
    ["2026-02-29", "1999-12-31", "2101-01-01", "20261101", "2026-W01-1", "2026-1-1", "٢٠٢٦-01-01"],
)
def test_other_dates_are_refused(text: str) -> None:
    with pytest.raises(BadUserInput):
        parse_date(text)


@pytest.mark.parametrize(
    ("text", "decimal"),
    [("12.30", "12.3"), ("-0.0008", "-0.0008"), ("000", "0"), ("9223372036.854775807",) * 2],
)
def test_a_decimal_is_read_exactly(text: str, decimal: str) -> None:
    assert parse_decimal(text) == decimal


@pytest.mark.parametrize(
    "text",
    ["NaN", "Infinity", "1E3", "1e-9", "+1", ".5", "1.", "1,5", "1_0", "0.0000000001", "9" * 11],
)
def test_other_decimals_are_refused(text: str) -> None:
    with pytest.raises(BadUserInput):
        parse_decimal(text)


@pytest.mark.parametrize("text", ["Europe/Berlin", "UTC", "Asia/Kathmandu"])
def test_a_zone_is_an_iana_name(text: str) -> None:
    assert parse_time_zone(text) == text


@pytest.mark.parametrize("text", ["../../etc/passwd", "europe/berlin", "CEST+2", "Factory"])
def test_other_zones_are_refused(text: str) -> None:
    with pytest.raises(BadUserInput):
        parse_time_zone(text)


def test_a_currency_is_a_known_code() -> None:
    assert parse_currency("KWD") == "KWD"
    for text in ("usd", "XAU", "US", "USDT"):
        with pytest.raises(BadUserInput):
            parse_currency(text)


def test_a_url_is_absolute() -> None:
    assert parse_url("https://example.com/a?b=c") == "https://example.com/a?b=c"
    for text in ("/a", "ftp://example.com", "http://", "https://[", "http://a b", "javascript:1"):
        with pytest.raises(BadUserInput):
            parse_url(text)


def test_every_scalar_is_described_and_specified() -> None:
    for definition in SCALARS.values():
        assert definition.description
        assert (definition.specified_by_url or "").startswith("https://")


@given(
    st.lists(
        st.datetimes(
            EARLIEST.replace(tzinfo=None),
            timezones=st.sampled_from([UTC, timezone(timedelta(hours=2)), zone("Asia/Kathmandu")]),
        )
    )
)
def test_a_column_of_instants_is_written_as_each(instants: list[datetime]) -> None:
    assert serialize_instants(instants) == [serialize_instant(each) for each in instants]
