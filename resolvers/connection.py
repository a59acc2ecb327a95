"""Connections: lists in a fixed order, read page by page in both directions with signed cursors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Generic,
    NamedTuple,
    TypeAlias,
    TypedDict,
    TypeVar,
)

import strawberry

from gateway.column_rows import ColumnRows
from gateway.errors import BadUserInput
from gateway.execution.fields import Cost, FromArguments
from gateway.exports.request import ExportRequest
from gateway.store import Cursors, Page, Position, Selection
from gateway.store.rows import Counted, VisibleAccount
from loaders.batch import PageLoader, TotalsLoader
from resolvers.by_key import always
from resolvers.columns import attribute, column, converted, resolved
from resolvers.costs import ONE_ROW
from resolvers.permissions import Policy

DEFAULT_SIZE: Final = 20
MAX_SIZE: Final = 100

T = TypeVar("T")
R = TypeVar("R")
C = TypeVar("C", bound=Counted)

First: TypeAlias = Annotated[
    int | None,
    strawberry.argument(
        description="Number of items to return from the start of the list, or after `after`: 1 "
        "to 100. Default: 20. Cannot be combined with `last`."
    ),
]
After: TypeAlias = Annotated[
    str | None, strawberry.argument(description="Return items after this cursor.")
]
Last: TypeAlias = Annotated[
    int | None,
    strawberry.argument(
        description="Number of items to return from the end of the list, or before `before`: 1 "
        "to 100. Cannot be combined with `first`."
    ),
]
Before: TypeAlias = Annotated[
    str | None, strawberry.argument(description="Return items before this cursor.")
]


def page_size(arguments: Mapping[str, Any]) -> int:
    """Return the greatest number of items of a page; a size that is refused counts as allowed."""
    size: int = arguments.get("first", arguments.get("last", DEFAULT_SIZE))
    return min(max(size, 0), MAX_SIZE)


PAGED: Final = Cost(gives={"page": FromArguments(names=("first", "last"), count=page_size)})
"""The cost of a connection."""
_PAGE: Final = Cost(items="page", rows="page")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """A field's paging arguments, as the client gave them."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def size(self) -> int:
        """Return the requested number of rows; raises BadUserInput, naming the argument."""
        if self.first is not None and self.last is not None:
            raise BadUserInput("Use either `first` or `last`, not both.", argument="last")
        name, size = ("first", self.first) if self.last is None else ("last", self.last)
        if size is None:
            return DEFAULT_SIZE
        if not 1 <= size <= MAX_SIZE:
            raise BadUserInput(f"`{name}` must be from 1 to {MAX_SIZE}.", argument=name)
        return size


class Loaded(NamedTuple, Generic[R]):
    """A page's rows, and whether there are more beyond the end at which it stops."""

    rows: Sequence[R]
    more: bool


class Bounds(NamedTuple):
    """The cursors of a page's first and last row, and whether more rows exist."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages(Generic[R, C]):
    """The source value of a connection: the requested `page` of a `selection`. Each field loads
    only its own data, so nothing is counted or read without being selected. `exported` is the
    request for an export with the same filter.
    """

    selection: Selection
    page: Page
    size: int
    backward: bool
    descending: bool
    after: Position | None
    before: Position | None
    cursors: Cursors
    rows: PageLoader[R]
    totals: TotalsLoader[C]
    account: VisibleAccount | None = None
    exported: ExportRequest | None = None

    async def load(self) -> Loaded[R]:
        """Return the page's rows in the connection's order."""
        loaded = await self.rows.load(self.page)
        more = len(loaded) > self.size
        rows = loaded[: self.size] if more else loaded
        return Loaded(rows[::-1] if self.backward else rows, more)

    async def has_beyond(self, position: Position | None, *, towards_start: bool) -> bool:
        """Whether a row exists at a cursor's position or beyond it in a direction."""
        if position is None:
            return False
        whole = self.selection
        if towards_start == self.descending:
            beyond = replace(whole, lower=(*position[:-1], position[-1] - 1))
        else:
            beyond = replace(whole, upper=(*position[:-1], position[-1] + 1))
        return bool(await self.rows.load(Page(selection=beyond, ascending=True, limit=1)))


# A connection's own fields do not depend on what its rows are.
AnyPages: TypeAlias = Pages[Any, Counted]


def open_pages(
    paging: Paging,
    selection: Selection,
    *,
    cursors: Cursors,
    descending: bool,
    rows: PageLoader[R],
    totals: TotalsLoader[C],
    account: VisibleAccount | None = None,
    exported: ExportRequest | None = None,
) -> Pages[R, C]:
    """Return the source value of a connection; raises BadUserInput or BadCursor."""
    size, backward = paging.size(), paging.last is not None
    after = _position(cursors, paging.after, "after")
    before = _position(cursors, paging.before, "before")
    upper, lower = (after, before) if descending else (before, after)
    inside = _between(selection, lower, upper)
    return Pages(
        selection=selection,
        # One row more shows whether more rows follow.
        page=Page(selection=inside, ascending=backward == descending, limit=size + 1),
        size=size,
        backward=backward,
        descending=descending,
        after=after,
        before=before,
        cursors=cursors,
        rows=rows,
        totals=totals,
        account=account,
        exported=exported,
    )


def _between(selection: Selection, lower: Position | None, upper: Position | None) -> Selection:
    """Return the part of a selection that lies between two positions."""
    if lower is not None:
        selection = replace(selection, lower=max(selection.lower, lower))
    if upper is not None:
        selection = replace(selection, upper=min(selection.upper, upper))
    return selection


def _position(cursors: Cursors, cursor: str | None, argument: str) -> Position | None:
    return None if cursor is None else cursors.position(cursor, argument=argument)


class EdgeRow(TypedDict):
    """The row of an edge: the row of its node, and the cursors of its page."""

    cursors: Cursors
    node: object


async def load_edges(root: strawberry.Parent[AnyPages]) -> Sequence[EdgeRow]:
    rows = (await root.load()).rows
    return ColumnRows({"cursors": [root.cursors] * len(rows), "node": rows})


async def load_nodes(root: strawberry.Parent[AnyPages]) -> Sequence[object]:
    return (await root.load()).rows


async def load_page_info(
    root: strawberry.Parent[AnyPages],
) -> Bounds:
    rows, more = await root.load()
    has_next = more if not root.backward else False
    has_previous = more if root.backward else False
    return Bounds(
        has_next or await root.has_beyond(root.before, towards_start=False),
        has_previous or await root.has_beyond(root.after, towards_start=True),
        *(root.cursors.of_all([rows[0], rows[-1]]) if rows else (None, None)),
    )


async def load_total_count(root: strawberry.Parent[AnyPages]) -> int:
    totals = await root.totals.load(root.selection)
    return totals["total_count"]


def _cursors_of(cursors: Sequence[Cursors], rows: Sequence[object]) -> list[str]:
    """Return the cursor of each row; the rows of one page follow each other."""
    if len(set(cursors)) == 1:
        return cursors[0].of_all(rows)
    found: list[str] = []
    for of, pairs in groupby(zip(cursors, rows, strict=True), key=itemgetter(0)):
        found += of.of_all([row for _, row in pairs])
    return found


@strawberry.type(
    description="Information about a page: its cursors, and whether more pages follow."
)
class PageInfo:
    POLICY: ClassVar = Policy.ACCOUNT

    has_next_page: bool = attribute("has_next_page", description="Whether items follow this page.")
    has_previous_page: bool = attribute(
        "has_previous_page", description="Whether items precede this page."
    )
    start_cursor: str | None = attribute(
        "start_cursor",
        description="Cursor of the first item, for `before`; null if the page is empty.",
    )
    end_cursor: str | None = attribute(
        "end_cursor", description="Cursor of the last item, for `after`; null if the page is empty."
    )


@strawberry.type(description="An item of a list, with its cursor.")
class Edge(Generic[T]):
    POLICY: ClassVar = Policy.ACCOUNT

    cursor: str = converted(
        Cursors.of,
        "cursors",
        "node",
        all_=_cursors_of,
        description="Opaque cursor of the item, for `after` and `before` of the same field with "
        "the same filter.",
    )
    node: T = column("node", description="The item.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    POLICY: ClassVar = Policy.ACCOUNT

    edges: list[Edge[T]] = resolved(
        load_edges, cost=_PAGE, by_key=always, description="The page's items with their cursors."
    )
    nodes: list[T] = resolved(
        load_nodes, cost=_PAGE, by_key=always, description="The page's items."
    )
    page_info: PageInfo = resolved(
        load_page_info,
        cost=Cost(rows=2),
        description="Cursors of the page, and whether more pages follow.",
    )
    total_count: int = resolved(
        load_total_count,
        cost=ONE_ROW,
        by_key=always,
        description="Number of items that match the filter, on all pages together.",
    )
