"""Spend and active deployments of filtered usage, in spans of time."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple, TypedDict

from gateway.principal import Principal
from gateway.store.engine.database import Reader
from gateway.store.selected_usage import SelectedUsage, together
from gateway.store.usage_blocks import selected_usage
from gateway.store.usage_filter import NO_VALUE, UsageDimension, UsageFilter
from gateway.store.usage_plan import UsageSpan

_NO_DEPLOYMENT: Final = (NO_VALUE[UsageDimension.DEPLOYMENT],)


class TotalsKey(NamedTuple):
    """Spans of time, such as the buckets of a chart, and the usage that counts in them."""

    spans: tuple[UsageSpan, ...]
    filter: UsageFilter


class UsageTotal(TypedDict):
    """The spend of a span, in nanos of any size, and how many distinct deployments were active."""

    spent_nanos: int
    deployments: int


async def usage_totals(
    reader: Reader, principal: Principal, keys: Sequence[TotalsKey]
) -> list[list[UsageTotal]]:
    """Return the total of each span of each key. One statement for each filter; see
    `selected_usage`.
    """
    places: defaultdict[UsageFilter, list[int]] = defaultdict(list)
    found: list[list[UsageTotal]] = [[]] * len(keys)
    for place, key in enumerate(keys):
        if key.spans:
            places[key.filter].append(place)
    for selected, mine in places.items():
        spans = [keys[place].spans for place in mine]
        by = (UsageDimension.DEPLOYMENT,)
        usage = await selected_usage(reader, principal, by, selected, spans)
        for place, each in zip(mine, usage, strict=True):
            found[place] = _totals(each)
    return found


def _totals(usage: SelectedUsage) -> list[UsageTotal]:
    spends = usage.spends(together(usage.groups.values()))
    counts = [0] * len(spends)
    for key, group in usage.groups.items():
        if key != _NO_DEPLOYMENT:
            for number, is_active in enumerate(usage.active(group)):
                counts[number] += is_active
    return [
        UsageTotal(spent_nanos=nanos, deployments=count)
        for nanos, count in zip(spends, counts, strict=True)
    ]
