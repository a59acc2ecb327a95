"""Breakdowns: a window's spend by one dimension, from the rows of `store.breakdowns`. Pure."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple, TypedDict

from gateway.errors import BadUserInput
from gateway.ids import encode_global_id
from gateway.models import Resource
from gateway.money import ratio
from gateway.store.breakdowns import MAX_CHILDREN, BreakdownKey, RankedUsage
from gateway.store.usage_filter import UsageDimension

DEFAULT_ROWS: Final = 10
MAX_ROWS: Final = 100
SHARE_PLACES: Final = 6


class UsageGroup(StrEnum):
    """The kind of a breakdown's row: one value, no value, or all values beyond the limit."""

    VALUE = "VALUE"
    NONE = "NONE"
    OTHER = "OTHER"


class GroupedUsage(TypedDict):
    """Nanos spent on one value of a dimension, and the number of distinct deployments with usage.

    `deployment` is the row's (account, deployment) key, if it is a deployment's row.
    """

    group: UsageGroup
    deployment: tuple[int, int] | None
    key: str | None
    label: str
    spent_nanos: int
    currency: str
    share: str | None
    deployments: int


class BreakdownRow(GroupedUsage):
    """A row with its parts by a second dimension, if there is one. A part's share is of its row."""

    children: list[GroupedUsage]


class NamedValue(NamedTuple):
    """A value of a dimension as it is stored, and its name if it is a deployment; `is_rest`: all
    other values.
    """

    value: int | str | None
    name: str | None
    is_rest: bool


class ShownValue(NamedTuple):
    """A value of a dimension as people and clients read it; see `GroupedUsage`."""

    group: UsageGroup
    deployment: tuple[int, int] | None
    key: str | None
    label: str


OTHER: Final = "Other"
_UNNAMED: Final = {
    UsageDimension.DEPLOYMENT: "No deployment",
    UsageDimension.PROVIDER: "Unknown provider",
    UsageDimension.GPU_MODEL: "No GPU model",
    UsageDimension.PROJECT: "No project",
}
_RESOURCES: Final = {
    Resource.CPU: "CPU",
    Resource.MEMORY: "Memory",
    Resource.STORAGE: "Storage",
    Resource.GPU: "GPU",
    Resource.NETWORK: "Network",
    Resource.IP: "IP addresses",
    Resource.OTHER: "Other resources",
}


def checked_size(first: int | None) -> int:
    """Return the requested number of rows; raises BadUserInput outside 1 to MAX_ROWS."""
    size = DEFAULT_ROWS if first is None else first
    if 1 <= size <= MAX_ROWS:
        return size
    raise BadUserInput(f"`first` must be from 1 to {MAX_ROWS}.", argument="first")


def checked_dimensions(by: UsageDimension, then: UsageDimension | None) -> None:
    """Raise BadUserInput where the second dimension is the first one again."""
    if by is then:
        raise BadUserInput("`then` must be another dimension than `by`.", argument="then")


def breakdown_rows(
    rows: Sequence[RankedUsage], key: BreakdownKey, currency: str
) -> list[BreakdownRow]:
    """Return the rows of a loaded breakdown with labels and shares, each with its children."""
    if key.then is None:
        total = sum(row["spent_nanos"] for row in rows)
        return [BreakdownRow(**_of_row(row, key, total, currency), children=[]) for row in rows]
    found: list[BreakdownRow] = []
    total = sum(row["spent_nanos"] for row in rows if row["child_rank"] == 0)
    for row in rows:
        if row["child_rank"] == 0:
            found.append(BreakdownRow(**_of_row(row, key, total, currency), children=[]))
        else:
            parent = found[-1]
            child = _of_child(row, key, parent["spent_nanos"], currency)
            parent["children"].append(child)
    return found


def _of_row(row: RankedUsage, key: BreakdownKey, total_nanos: int, currency: str) -> GroupedUsage:
    value = NamedValue(row["key"], row.get("label"), is_rest=row["rank"] > key.size)
    return _grouped(row, value, key.by, key, total_nanos, currency)


def _of_child(row: RankedUsage, key: BreakdownKey, total_nanos: int, currency: str) -> GroupedUsage:
    assert key.then is not None  # noqa: S101  # narrows: there are children
    is_rest = row["child_rank"] > MAX_CHILDREN
    value = NamedValue(row["child"], row.get("child_label"), is_rest=is_rest)
    return _grouped(row, value, key.then, key, total_nanos, currency)


def _grouped(
    row: RankedUsage,
    value: NamedValue,
    dimension: UsageDimension,
    key: BreakdownKey,
    total_nanos: int,
    currency: str,
) -> GroupedUsage:
    shown = shown_value(value, dimension, key.span.account_id)
    return GroupedUsage(
        group=shown.group,
        deployment=shown.deployment,
        key=shown.key,
        label=shown.label,
        spent_nanos=row["spent_nanos"],
        currency=currency,
        share=ratio(row["spent_nanos"], total_nanos, SHARE_PLACES),
        deployments=row["deployments"],
    )


def shown_value(named: NamedValue, dimension: UsageDimension, account_id: int) -> ShownValue:
    """Return a value with its key and its label."""
    value = named.value
    if named.is_rest:
        return ShownValue(UsageGroup.OTHER, None, None, OTHER)
    if not value:
        return ShownValue(UsageGroup.NONE, None, None, _UNNAMED[dimension])
    if isinstance(value, int):
        deployment, label = (account_id, value), named.name or ""
        return ShownValue(
            UsageGroup.VALUE, deployment, encode_global_id("Deployment", *deployment), label
        )
    return ShownValue(UsageGroup.VALUE, None, value, _label(value, dimension))


def _label(value: str, dimension: UsageDimension) -> str:
    return _RESOURCES[Resource(value)] if dimension is UsageDimension.RESOURCE else value
