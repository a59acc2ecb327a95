"""Accounts' usage by one dimension or two: ranked, cut and labelled."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, NotRequired, TypeAlias, TypedDict

from gateway.principal import Principal
from gateway.store.deployment_names import DeploymentKey, deployment_names
from gateway.store.engine.database import Reader
from gateway.store.selected_usage import GroupKey, SelectedUsage
from gateway.store.usage_blocks import selected_usage
from gateway.store.usage_filter import EVERYTHING, UsageDimension, UsageFilter
from gateway.store.usage_plan import UsageSpan
from gateway.store.usage_ranks import Value, ranked

MAX_CHILDREN: Final = 25
"""Most values of the second dimension under a row, before the row of all others."""


class BreakdownKey(NamedTuple):
    """The first `size` rows of a span by a dimension, and the rest as one; with `then`, each with
    its parts by a second dimension.
    """

    by: UsageDimension
    size: int
    span: UsageSpan
    then: UsageDimension | None = None
    filter: UsageFilter = EVERYTHING


class RankedUsage(TypedDict):
    """A span's usage of one value of a dimension.

    `rank` is from 1; `size` + 1 is the row of all other values. `key` is a deployment's key or a
    text: 0 or empty for no value, null for all other values. `deployments` counts the distinct ones
    with an event that is not a correction. `label` is a deployment's name, or its external id. The
    spend may be of any size.

    Of two dimensions, `child_rank`, `child` and `child_label` are the same within the row's value;
    its own row has the rank 0.
    """

    rank: int
    key: int | str | None
    spent_nanos: int
    deployments: int
    label: NotRequired[str]
    child_rank: NotRequired[int]
    child: NotRequired[int | str | None]
    child_label: NotRequired[str]


class _Kind(NamedTuple):
    """Keys that one statement answers."""

    by: UsageDimension
    then: UsageDimension | None
    filter: UsageFilter


class _Part(NamedTuple):
    """The usage of a group: nanos, and its deployment, 0 for none, if it was active."""

    key: GroupKey
    nanos: int
    active: int


_Parts: TypeAlias = Sequence[_Part]


def _dimensions(kind: _Kind) -> tuple[UsageDimension, ...]:
    """Return the dimensions to read: deployments are counted."""
    by = (kind.by,) if kind.then is None else (kind.by, kind.then)
    return by if UsageDimension.DEPLOYMENT in by else (*by, UsageDimension.DEPLOYMENT)


async def breakdowns(
    reader: Reader, principal: Principal, keys: Sequence[BreakdownKey]
) -> list[list[RankedUsage]]:
    """Return each key's rows in the order of their ranks. One statement for each kind of key, and
    one for the names of deployments; see `selected_usage`.
    """
    places: defaultdict[_Kind, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        places[_Kind(key.by, key.then, key.filter)].append(place)
    found: list[list[RankedUsage]] = [[]] * len(keys)
    for kind, mine in places.items():
        dimensions = _dimensions(kind)
        spans = [(keys[place].span,) for place in mine]
        usage = await selected_usage(reader, principal, dimensions, kind.filter, spans)
        deployment = dimensions.index(UsageDimension.DEPLOYMENT)
        for place, each in zip(mine, usage, strict=True):
            found[place] = [*_rows(_parts(each, deployment), keys[place])]
    await _label(reader, principal, keys, found)
    return found


def _parts(usage: SelectedUsage, deployment: int) -> _Parts:
    found: list[_Part] = []
    for key, group in usage.groups.items():
        value = key[deployment]
        assert isinstance(value, int)  # noqa: S101  # narrows: a deployment's key
        # Usage without a deployment that took part is -1, which counts as none.
        active = (value or -1) if any(usage.active(group)) else 0
        found.append(_Part(key, usage.total(group), active))
    return found


def _rows(parts: _Parts, key: BreakdownKey) -> Iterator[RankedUsage]:
    for rank, value, mine in _cut(parts, 0, key.by, key.size):
        row = _row(rank, value, mine)
        if key.then is not None:
            row["child_rank"], row["child"] = 0, None
        yield row
        if key.then is not None:
            for child_rank, child, own in _cut(mine, 1, key.then, MAX_CHILDREN):
                row = _row(rank, value, own)
                row["child_rank"], row["child"] = child_rank, child
                yield row


def _cut(
    parts: _Parts, index: int, dimension: UsageDimension, size: int
) -> Iterator[tuple[int, Value | None, _Parts]]:
    """Yield the rank, the value and the parts of the largest values, then of all others."""
    by_value: defaultdict[Value, list[_Part]] = defaultdict(list)
    for part in parts:
        by_value[part.key[index]].append(part)
    totals = {value: sum(each.nanos for each in mine) for value, mine in by_value.items()}
    order = ranked(totals, dimension, lambda value: any(each.active for each in by_value[value]))
    for rank, value in enumerate(order[:size], 1):
        yield rank, value, by_value[value]
    if others := [part for value in order[size:] for part in by_value[value]]:
        yield size + 1, None, others


def _row(rank: int, value: Value | None, parts: _Parts) -> RankedUsage:
    active = {part.active for part in parts if part.active > 0}
    nanos = sum(part.nanos for part in parts)
    return RankedUsage(rank=rank, key=value, spent_nanos=nanos, deployments=len(active))


async def _label(
    reader: Reader,
    principal: Principal,
    keys: Sequence[BreakdownKey],
    found: Sequence[Sequence[RankedUsage]],
) -> None:
    """Add the names of the deployments among the rows' values."""
    shown: defaultdict[DeploymentKey, list[RankedUsage]] = defaultdict(list)
    for key, rows in zip(keys, found, strict=True):
        for row in rows:
            value = row["key"] if key.by is UsageDimension.DEPLOYMENT else row.get("child")
            if isinstance(value, int) and value:
                shown[key.span.account_id, value].append(row)
    for place, name in (await deployment_names(reader, principal, shown)).items():
        for row in shown[place]:
            row["label" if row["key"] == place[1] else "child_label"] = name
