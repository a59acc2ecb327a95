"""Usage over time by one dimension: ranked over all buckets, cut and labelled."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple, NotRequired, TypedDict

from gateway.principal import Principal
from gateway.store.deployment_names import DeploymentKey, deployment_names
from gateway.store.engine.database import Reader
from gateway.store.selected_usage import SelectedUsage, together
from gateway.store.usage_blocks import selected_usage
from gateway.store.usage_filter import EVERYTHING, UsageDimension, UsageFilter
from gateway.store.usage_plan import UsageSpan
from gateway.store.usage_ranks import ranked


class SeriesKey(NamedTuple):
    """Buckets that follow each other, with the `size` largest values of a dimension over all of
    them, and the rest as one.
    """

    by: UsageDimension
    size: int
    buckets: tuple[UsageSpan, ...]
    filter: UsageFilter = EVERYTHING


class SeriesSpends(TypedDict):
    """The spend on one value in each bucket. See `RankedUsage` for the others."""

    rank: int
    key: int | str | None
    spends: list[int]
    label: NotRequired[str]


class _Kind(NamedTuple):
    """Keys that one statement answers."""

    by: UsageDimension
    filter: UsageFilter


async def usage_series(
    reader: Reader, principal: Principal, keys: Sequence[SeriesKey]
) -> list[list[SeriesSpends]]:
    """Return each key's series, by rank. One statement for each kind of key, and one for the names
    of deployments; see `selected_usage`.
    """
    places: defaultdict[_Kind, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        places[_Kind(key.by, key.filter)].append(place)
    found: list[list[SeriesSpends]] = [[]] * len(keys)
    for kind, mine in places.items():
        buckets = [keys[place].buckets for place in mine]
        usage = await selected_usage(reader, principal, (kind.by,), kind.filter, buckets)
        for place, each in zip(mine, usage, strict=True):
            found[place] = _series(each, keys[place])
    await _label(reader, principal, keys, found)
    return found


def _series(usage: SelectedUsage, key: SeriesKey) -> list[SeriesSpends]:
    totals = {value: usage.total(group) for (value,), group in usage.groups.items()}
    order = ranked(totals, key.by, lambda value: any(usage.active(usage.groups[value,])))
    kept, rest = order[: key.size], order[key.size :]
    found = [
        SeriesSpends(rank=rank, key=value, spends=usage.spends(usage.groups[value,]))
        for rank, value in enumerate(kept, 1)
    ]
    if rest:
        others = together(usage.groups[value,] for value in rest)
        found.append(SeriesSpends(rank=key.size + 1, key=None, spends=usage.spends(others)))
    return found


async def _label(
    reader: Reader,
    principal: Principal,
    keys: Sequence[SeriesKey],
    found: Sequence[Sequence[SeriesSpends]],
) -> None:
    shown: dict[DeploymentKey, list[SeriesSpends]] = defaultdict(list)
    for key, series in zip(keys, found, strict=True):
        for each in series:
            if key.by is UsageDimension.DEPLOYMENT and isinstance(each["key"], int) and each["key"]:
                shown[key.buckets[0].account_id, each["key"]].append(each)
    for place, name in (await deployment_names(reader, principal, shown)).items():
        for each in shown[place]:
            each["label"] = name
