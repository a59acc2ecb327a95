"""Roll-up rows of accounts' spans of time: a batch takes one statement for each kind of row."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date
from enum import Enum, auto
from functools import partial
from typing import Any, Final, Generic, NamedTuple, TypedDict, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    literal_column,
    select,
    true,
    union_all,
)

from gateway.models import RollupDay, RollupSlot, table_of
from gateway.models.rollup import LARGE_SET, SMALL_SET
from gateway.principal import Principal
from gateway.store.engine.database import Reader
from gateway.store.engine.packed import packed, unpacked
from gateway.store.engine.sql import BARRIER, ColumnType, Expression, Query, one_row
from gateway.store.engine.statement import R
from gateway.store.relation import by_position
from gateway.store.tenancy import Batched, HasCells, Visible


class Grain(Enum):
    """The roll-up from which a window is added up."""

    __hash__ = object.__hash__  # Enum's own hashes the name, in Python

    DAY = auto()
    SLOT = auto()


class RollupSpan(NamedTuple):
    """An account's roll-up rows from `lower` up to, and without, `upper`: dates or instants."""

    account_id: int
    grain: Grain
    lower: date
    upper: date


class RollupRow(TypedDict):
    """A row of a roll-up: `at` is a day in the account's own zone, or a UTC quarter hour."""

    at: date


class UsageRow(RollupRow):
    """The cost of usage, and the set of active deployments (see `bitset`)."""

    spent_nanos: int
    deployments: bytes


class ResourcesRow(RollupRow):
    """Quantities by resource and unit, as JSON."""

    resources: str


class FlowsRow(RollupRow):
    """The sums of flows that moved the balance."""

    purchased_nanos: int
    bonus_nanos: int
    refunded_nanos: int
    spent_nanos: int
    adjusted_nanos: int


MOMENTS: Final = {
    Grain.DAY: table_of(RollupDay).c.day,
    Grain.SLOT: table_of(RollupSlot).c.slot_at,
}
"""The column of a roll-up that says where its rows lie in time."""


_USAGE: Final = frozenset({"at", "spent_nanos", "deployments"})
"""Columns that the indexes of usage hold, as a row names them."""


def _statement(columns: Sequence[str], grain: Grain, visible: Visible) -> Query:
    at = MOMENTS[grain]
    table = at.table
    kinds: dict[str, ColumnType] = {"account_id": BigInteger(), "lower": at.type, "upper": at.type}
    cells = _cells(columns, grain)
    if span := visible.only_key(**kinds):
        if visible.dialect == "sqlite":
            return select(*cells).where(inside(at, span), span.seen).order_by(at)
        rows = rows_inside(at, span, cells, in_order=True).subquery("rows")
        whole = packed(select(rows).order_by(rows.c.at).subquery("found")).subquery("whole")
        # Around the whole, so that Postgres passes no row through the filter's node.
        return one_row(select(whole).where(span.seen))
    spans = visible.keys(**kinds)
    if visible.dialect == "sqlite":
        found = select(spans.c.n, *cells).join_from(spans, table, inside(at, spans))
    else:
        each = rows_inside(at, spans, cells).lateral("rows")
        found = select(spans.c.n, each).select_from(spans.join(each, true()))
    return found.order_by(spans.c.n, literal_column("at"))


def _cells(columns: Sequence[str], grain: Grain) -> Sequence[Expression]:
    at = MOMENTS[grain]
    return [at.label("at"), *(at.table.c[name] for name in columns)]


def inside(at: Column[Any], spans: HasCells) -> ColumnElement[bool]:
    """Return whether a roll-up's row lies in a span."""
    account_id, span = at.table.c.account_id, spans.c
    return and_(account_id == span["account_id"], at >= span["lower"], at < span["upper"])


def rows_inside(
    at: Column[Any], spans: HasCells, cells: Sequence[Expression], *, in_order: bool = False
) -> Select[Any] | CompoundSelect[Any]:
    """Return the rows of a span on Postgres, for a LATERAL where there are many spans. Of those of
    two indexes each is `in_order`, if wanted, so that the two are merged and not sorted.
    """
    rows = select(*cells).where(inside(at, spans))
    if at is MOMENTS[Grain.DAY] and _USAGE.issuperset(cell.key for cell in cells):
        # Off the two indexes of usage, of which one has the few large sets.
        parts = (rows.where(part) for part in (SMALL_SET, LARGE_SET))
        return union_all(*(part.order_by(at) if in_order else part for part in parts))
    # The offset keeps the range in the index's condition. Joined, Postgres reads all of an
    # account's rows and then drops those outside the span.
    return rows.offset(BARRIER)


P = TypeVar("P", bound=RollupRow)


class RollupSpans(Generic[R]):
    """Rows R of spans: `build` makes the statement of a grain, over a `batch` of spans. Where those
    of one span are `packed`, `columns` are what a row has.
    """

    def __init__(
        self, build: Callable[[Grain, Visible], Query], columns: Sequence[str] = ()
    ) -> None:
        self._statements = {grain: Batched[R](partial(build, grain)) for grain in Grain}
        self._kinds = {
            grain: {str(each.key): each.type for each in _cells(columns, grain)} for grain in Grain
        }
        self._packs: Final = bool(columns)

    async def fetch(
        self, reader: Reader, principal: Principal, spans: Sequence[RollupSpan]
    ) -> list[Sequence[R]]:
        """Return each span's rows; none where the account is not the principal's. One statement for
        each grain.
        """
        places: dict[Grain, list[int]] = defaultdict(list)
        for place, span in enumerate(spans):
            places[span.grain].append(place)
        found: list[Sequence[R]] = [[]] * len(spans)
        for grain, mine in places.items():
            wanted = [spans[place] for place in mine]
            keys: dict[str, Sequence[object]] = {
                "account_id": [span.account_id for span in wanted],
                "lower": [span.lower for span in wanted],
                "upper": [span.upper for span in wanted],
            }
            rows = await self._statements[grain].fetch(reader, principal, keys)
            if len(mine) == 1:  # as the driver has them: perhaps by the column
                is_packed = self._packs and reader.dialect == "postgresql"
                found[mine[0]] = unpacked(rows, self._kinds[grain]) if is_packed else rows
                continue
            for place, part in zip(mine, by_position(rows, len(mine)), strict=True):
                found[place] = part
        return found


def _rows(*columns: str) -> RollupSpans[P]:
    """Return the rows of the roll-ups, in the order of time: `at` and some columns."""
    return RollupSpans[P](partial(_statement, columns), columns)


# A chart needs no quantities, and usage no purchases.
USAGE: Final[RollupSpans[UsageRow]] = _rows("spent_nanos", "deployments")
RESOURCES: Final[RollupSpans[ResourcesRow]] = _rows("resources")
FLOWS: Final[RollupSpans[FlowsRow]] = _rows(
    "purchased_nanos", "bonus_nanos", "refunded_nanos", "spent_nanos", "adjusted_nanos"
)
