"""Usage over time by one dimension, from the series of `store.usage_series`. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, TypedDict

from gateway.billing.usage.breakdown import SHARE_PLACES, NamedValue, UsageGroup, shown_value
from gateway.errors import BadUserInput
from gateway.money import ratio
from gateway.store.usage_series import SeriesKey, SeriesSpends
from gateway.windows import Bucket

DEFAULT_SERIES: Final = 10
MAX_SERIES: Final = 25


class UsagePoint(TypedDict):
    """Nanos spent in the bucket that begins at `start`."""

    start: datetime
    spent_nanos: int
    currency: str


class UsageSeries(TypedDict):
    """Nanos spent on one value of a dimension, in all and by bucket; every bucket has a point.

    `deployment` is the (account, deployment) key of a deployment's series.
    """

    group: UsageGroup
    deployment: tuple[int, int] | None
    key: str | None
    label: str
    spent_nanos: int
    currency: str
    share: str | None
    points: list[UsagePoint]


def checked_series(first: int | None) -> int:
    """Return the requested number of series; raises BadUserInput outside 1 to MAX_SERIES."""
    size = DEFAULT_SERIES if first is None else first
    if 1 <= size <= MAX_SERIES:
        return size
    raise BadUserInput(f"`first` must be from 1 to {MAX_SERIES}.", argument="first")


def usage_series(
    found: Sequence[SeriesSpends], key: SeriesKey, buckets: Sequence[Bucket], currency: str
) -> list[UsageSeries]:
    """Return the series of a loaded key with labels and shares. The points of a bucket add up to
    the bucket.
    """
    total = sum(sum(each["spends"]) for each in found)
    return [*_series(found, key, buckets, currency, total)]


def _series(
    found: Sequence[SeriesSpends],
    key: SeriesKey,
    buckets: Sequence[Bucket],
    currency: str,
    total_nanos: int,
) -> Iterator[UsageSeries]:
    for each in found:
        nanos = each["spends"]
        spent_nanos = sum(nanos)
        value = NamedValue(each["key"], each.get("label"), is_rest=each["rank"] > key.size)
        shown = shown_value(value, key.by, key.buckets[0].account_id)
        yield UsageSeries(
            group=shown.group,
            deployment=shown.deployment,
            key=shown.key,
            label=shown.label,
            spent_nanos=spent_nanos,
            currency=currency,
            share=ratio(spent_nanos, total_nanos, SHARE_PLACES),
            points=[
                UsagePoint(start=bucket.start, spent_nanos=spent, currency=currency)
                for bucket, spent in zip(buckets, nanos, strict=True)
            ],
        )
