"""Buckets and summaries of windows that are not over, and sets that repeat."""

from datetime import date, datetime
from typing import cast

import pytest

from gateway.billing.usage.series import (
    Period,
    UsageSummary,
    period_of,
    resources_in,
    usage_buckets,
)
from gateway.store.engine import bitset
from gateway.store.rollup_spans import Grain, ResourcesRow, RollupSpan, UsageRow
from gateway.store.rows import AccountRow
from gateway.windows import Interval
from tests.support.bits import from_members
from tests.support.calendars import utc, window

ACCOUNT = cast("AccountRow", {"account_id": 7, "currency": "EUR", "time_zone": "Europe/Berlin"})
OWN = period_of(ACCOUNT, window("2026-10-23", "2026-10-27", "Europe/Berlin"))


def row(at: date, spent: int, *deployments: int) -> UsageRow:
    stored = bitset.encode(from_members(deployments))
    return {"at": at, "spent_nanos": spent, "deployments": stored}


DAYS = [row(date(2026, 10, 24), 5, 0, 9), row(date(2026, 10, 26), -2, 9, 300)]


def test_the_accounts_own_zone_is_added_up_from_days() -> None:
    assert OWN.span == RollupSpan(7, Grain.DAY, date(2026, 10, 23), date(2026, 10, 28))


def test_another_zone_is_added_up_from_quarter_hours() -> None:
    period = period_of(ACCOUNT, window("2026-10-25", "2026-10-25", "Asia/Kathmandu"))
    assert period.span == RollupSpan(
        7, Grain.SLOT, utc("2026-10-24T18:15"), utc("2026-10-25T18:15")
    )


def test_every_bucket_is_there_and_says_whether_it_is_whole() -> None:
    buckets = usage_buckets(DAYS, OWN, Interval.WEEK, utc("2026-10-27T12:00"))
    assert [
        (
            each.bucket.start,
            each.bucket.end,
            each.partial,
            each.spent_nanos,
            each.cumulative_nanos,
            each.deployments,
        )
        for each in buckets
    ] == [
        (utc("2026-10-22T22:00"), utc("2026-10-25T23:00"), True, 5, 5, 2),
        (utc("2026-10-25T23:00"), utc("2026-10-27T23:00"), True, -2, 3, 2),
    ]


def test_a_day_is_partial_until_its_usage_has_arrived() -> None:
    buckets = usage_buckets(DAYS, OWN, Interval.DAY, utc("2026-10-25T23:00"))
    assert [bucket.partial for bucket in buckets] == [False, False, False, True, True]


FIRST = date(2000, 1, 1)


@pytest.mark.parametrize(
    ("complete_until", "first_day", "spend", "deployments"),
    [
        ("2026-12-01T00:00", FIRST, 1, "0.80"),
        ("2026-10-27T23:00", FIRST, 1, "0.80"),
        ("2026-10-27T22:59", FIRST, 1, "1.00"),
        ("2026-10-25T23:00", FIRST, 2, "0.67"),
        # The night in which an hour repeats is one day.
        ("2026-10-25T22:59", FIRST, 2, "1.00"),
        ("2026-10-23T22:00", FIRST, 0, "0.00"),
        ("2026-10-23T21:59", FIRST, None, None),
        ("2026-12-01T00:00", date(2026, 10, 24), 1, "1.00"),
        ("2026-12-01T00:00", date(2026, 10, 25), -1, "0.67"),
        ("2026-12-01T00:00", date(2026, 10, 27), 0, "0.00"),
        ("2026-12-01T00:00", date(2026, 10, 28), None, None),
        ("2026-10-25T22:59", date(2026, 10, 25), None, None),
    ],
)
def test_means_are_over_complete_days_since_the_first(
    complete_until: str, first_day: date, spend: int | None, deployments: str | None
) -> None:
    summary = UsageSummary(usage=DAYS, period=OWN, complete_until=utc(complete_until))
    assert (summary.total_nanos, summary.total_deployments) == (3, 3)
    assert summary.average_daily_nanos(first_day, DAYS) == spend
    assert summary.average_daily_deployments(first_day, DAYS) == deployments


def test_days_of_another_zone_are_counted_apart() -> None:
    period = period_of(ACCOUNT, window("2026-05-01", "2026-05-02", "Asia/Kolkata"))
    slots = [
        row(datetime.fromisoformat(at), 1, *deployments)
        for at, *deployments in (
            ("2026-04-30T18:30+00:00", 1),
            ("2026-05-01T18:15+00:00", 1, 2),
            ("2026-05-01T18:30+00:00", 2),
        )
    ]
    summary = UsageSummary(usage=slots, period=period, complete_until=utc("2026-05-03T00:00"))
    assert summary.average_daily_deployments(FIRST, slots) == "1.50"
    assert summary.total_deployments == 2


def test_quantities_are_added_up_by_resource_and_unit() -> None:
    rows: list[ResourcesRow] = [
        {"at": date(2026, 5, day), "resources": stored}
        for day, stored in (
            (1, '{"GPU\\u001fgpu-hour":7}'),
            (2, '{"CPU\\u001fhour":1,"GPU\\u001fgpu-hour":2}'),
            (3, '{"CPU\\u001fhour":1,"GPU\\u001fgpu-hour":2}'),
            (4, '{"GPU\\u001fgpu-hour":100}'),
        )
    ]
    span = RollupSpan(7, Grain.DAY, date(2026, 5, 2), date(2026, 5, 4))
    assert resources_in(rows, span) == [
        ("CPU", "hour", 2),
        ("GPU", "gpu-hour", 4),
    ]


def test_a_window_in_a_zone_that_skipped_it_has_no_bucket() -> None:
    period = Period(
        account_id=7,
        currency="USD",
        window=window("2011-12-30", "2011-12-30", "Pacific/Apia"),
        grain=Grain.DAY,
    )
    assert not usage_buckets([], period, Interval.DAY, utc("2026-01-01T00:00"))
    summary = UsageSummary(usage=[], period=period, complete_until=utc("2026-01-01T00:00"))
    assert summary.average_daily_nanos(FIRST, []) is None
    assert summary.average_daily_deployments(FIRST, []) is None
