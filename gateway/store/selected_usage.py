"""Usage as blocks have it, by group: totals, spends by span, and where it was active. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from itertools import accumulate
from typing import Final, NamedTuple, NotRequired, TypeAlias, TypedDict

from gateway.store.halves import whole
from gateway.store.usage_lanes import DAYS, LATER, WEEKS, Chosen, Lanes, bits, place_of, total
from gateway.store.usage_plan import Edge, Kind, Plan, number_of

GroupKey: TypeAlias = tuple[int | str, ...]
"""The values of the dimensions that usage is grouped by."""


class FoundUsage(TypedDict):
    """A row for the piece `kind` and `place` of the key `n`, from 1. It has `spent` and `active`
    from a block; or a day that is unpacked, alone or with `spent_nanos` and `events`; or these two
    from events; or a day that is quartered. `spent_nanos_high`, if there is one, is the upper half
    of the spend.
    """

    n: int
    kind: int
    place: int
    key: NotRequired[int | str]
    child: NotRequired[int | str]
    grandchild: NotRequired[int | str]
    day: date | None
    spent: bytes | None
    active: bytes | None
    spent_nanos: int
    spent_nanos_high: NotRequired[int]
    events: int | None


class Counted(NamedTuple):
    """Nanos, and the number of events that are not corrections."""

    nanos: int
    events: int

    def plus(self, nanos: int, events: int) -> "Counted":
        """Return the sums with more."""
        return Counted(self.nanos + nanos, self.events + events)


_NOTHING: Final = Counted(0, 0)
_DAYS: Final = int(Kind.DAYS)
_QUARTERED: Final = int(Kind.QUARTERED)


class Group:
    """The usage of one group: blocks of days by block, blocks of hours by piece, unpacked days by
    their number, events by span.
    """

    __slots__ = ("blocks", "days", "events", "hours")

    def __init__(self) -> None:
        self.blocks: dict[int, Lanes] = {}
        self.hours: dict[int, Lanes] = {}
        self.days: dict[int, Counted] = {}
        self.events: dict[int, Counted] = {}


def together(groups: Iterable[Group]) -> Group:
    """Return the usage of some groups as that of one."""
    some, merged = [*groups], Group()
    merged.blocks = _merged(each.blocks for each in some)
    merged.hours = _merged(each.hours for each in some)
    for group in some:
        for mine, others in ((merged.days, group.days), (merged.events, group.events)):
            for place, counted in others.items():
                mine[place] = mine.get(place, _NOTHING).plus(*counted)
    return merged


def _merged(some: Iterable[Mapping[int, Lanes]]) -> dict[int, Lanes]:
    found: defaultdict[int, list[Lanes]] = defaultdict(list)
    for each in some:
        for place, lanes in each.items():
            found[place].append(lanes)
    return {place: Lanes.together(lanes) for place, lanes in found.items()}


class _Cell(NamedTuple):
    """The spend of a day, by its number, up to a moment: the week of the rows of a piece."""

    number: int
    place: int
    week: int


class _Part(NamedTuple):
    """A span's days, by their numbers, and its edges of days that blocks have."""

    first: int
    end: int
    head: _Cell | None
    tail: _Cell | None


class _Read(NamedTuple):
    """The lanes of which a total is made."""

    blocks: Mapping[int, Chosen]
    added: Mapping[int, Chosen]
    taken: Mapping[int, Chosen]


class SelectedUsage:
    """The usage of a plan's spans by group, as its statement found it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._unpacked: set[int] = set()
        self._quartered: set[int] = set()
        self.groups: defaultdict[GroupKey, Group] = defaultdict(Group)

    def add(self, row: FoundUsage, group_key: GroupKey) -> None:
        """Add a row of a group; the key is of no matter where it only names a day."""
        spent, active, day = row["spent"], row["active"], row["day"]
        if spent is not None and active is not None:
            group, place = self.groups[group_key], row["place"]
            is_day = row["kind"] == _DAYS
            places = group.blocks if is_day else group.hours
            lanes = places.get(place)
            if lanes is None:
                lanes = places[place] = Lanes(DAYS if is_day else WEEKS)
            lanes.add(spent, active)
        elif (events := row["events"]) is not None:
            group = self.groups[group_key]
            nanos = whole(row, "spent_nanos")["spent_nanos"]
            counts, place = group.events, row["place"]
            if day is not None:
                counts, place = group.days, day.toordinal()
            counts[place] = counts.get(place, _NOTHING).plus(nanos, events)
        elif day is not None:
            days = self._quartered if row["kind"] == _QUARTERED else self._unpacked
            days.add(day.toordinal())

    @cached_property
    def _whole(self) -> frozenset[int]:
        """The numbers of the days that lie in a span."""
        return frozenset(day for span in self._plan.spans for day in range(span.first, span.end))

    @cached_property
    def _reads(self) -> _Read:
        days = set(self._whole)
        added: defaultdict[int, set[int]] = defaultdict(set)
        taken: defaultdict[int, set[int]] = defaultdict(set)
        for _, _, head, tail in self._parts:
            if head is not None:
                days.add(head.number)
                taken[head.place].add(head.week)
            if tail is not None:
                added[tail.place].add(tail.week)
        by_block: defaultdict[int, list[int]] = defaultdict(list)
        for day in days - self._unpacked:
            block, lane = divmod(day - 1, DAYS)
            by_block[block].append(lane)

        def chosen(of: Mapping[int, set[int]], less: Mapping[int, set[int]]) -> dict[int, Chosen]:
            # A day's first hours are in the span before it as often as they are not in its own.
            left = {place: weeks - less.get(place, set()) for place, weeks in of.items()}
            return {place: Chosen.of(weeks) for place, weeks in left.items() if weeks}

        blocks = {block: Chosen.of(lanes) for block, lanes in by_block.items()}
        return _Read(blocks, chosen(added, taken), chosen(taken, added))

    @cached_property
    def _parts(self) -> list[_Part]:
        spans = self._plan.spans
        return [_Part(s.first, s.end, self._packed(s.head), self._packed(s.tail)) for s in spans]

    def _packed(self, edge: Edge | None) -> _Cell | None:
        if edge is None or (number := edge.day.toordinal()) in self._unpacked:
            return None
        is_quartered = edge.quarters is not None and number in self._quartered
        place = edge.quarters if is_quartered else edge.hours
        return None if place is None else _Cell(number, place, place_of(edge.day).week)

    def total(self, group: Group) -> int:
        """Return the spend of a group in all spans, of which no two may overlap."""
        reads = self._reads
        nanos = total([*_chosen(group.blocks, reads.blocks), *_chosen(group.hours, reads.added)])
        if reads.taken:
            nanos -= total(_chosen(group.hours, reads.taken))
        nanos += sum(each.nanos for day, each in group.days.items() if day in self._whole)
        return nanos + sum(each.nanos for each in group.events.values())

    def spends(self, group: Group) -> list[int]:
        """Return the spend of a group in each span."""
        plan = self._plan
        first = number_of(plan.blocks[0]) if plan.blocks else 0
        days = self._days(group, first)
        until = [0, *accumulate(days)]
        hours = {place: lanes.values() for place, lanes in group.hours.items()}
        nanos: list[int] = []
        for number, (start, end, head, tail) in enumerate(self._parts):
            spent = 0
            if start < end:
                spent = until[end - first] - until[start - first]
            if head is not None:
                spent += days[head.number - first] - _until(hours, head)
            if tail is not None:
                spent += _until(hours, tail)
            if (events := group.events.get(number)) is not None:
                spent += events.nanos
            nanos.append(spent)
        return nanos

    def _days(self, group: Group, first: int) -> list[int]:
        """Return the spend of each day from the first one on."""
        blocks = self._plan.blocks
        if not blocks:
            return []
        days = [0] * ((blocks[-1] - blocks[0] + 1) * DAYS)
        for block, lanes in group.blocks.items():
            start = number_of(block) - first
            days[start : start + DAYS] = lanes.values()
        for day in self._unpacked:
            days[day - first] = group.days.get(day, _NOTHING).nanos
        return days

    def active(self, group: Group) -> list[bool]:
        """Return whether a group has events that are not corrections, in each span."""
        plan = self._plan
        first = number_of(plan.blocks[0]) if plan.blocks else 0
        marks = 0
        for block, lanes in group.blocks.items():
            marks |= lanes.marks << number_of(block) - first
        marks &= ~bits([day - first for day in self._unpacked])
        marks |= bits([day - first for day, each in group.days.items() if each.events > 0])
        found: list[bool] = []
        for number, (start, end, head, tail) in enumerate(self._parts):
            is_active = False
            if start < end:
                is_active = marks >> start - first & (1 << end - start) - 1 != 0
            if head is not None:
                is_active = is_active or _is_marked(group, head, LATER)
            if tail is not None:
                is_active = is_active or _is_marked(group, tail, 0)
            events = group.events.get(number, _NOTHING).events
            found.append(is_active or events > 0)
        return found


def _chosen(
    lanes: Mapping[int, Lanes], chosen: Mapping[int, Chosen]
) -> Iterator[tuple[Lanes, Chosen]]:
    for place, choice in chosen.items():
        if (found := lanes.get(place)) is not None:
            yield found, choice


def _until(hours: Mapping[int, Sequence[int]], cell: _Cell) -> int:
    """Return the spend of a cell."""
    found = hours.get(cell.place)
    return 0 if found is None else found[cell.week]


def _is_marked(group: Group, cell: _Cell, shift: int) -> bool:
    found = group.hours.get(cell.place)
    return found is not None and bool(found.marks >> shift + cell.week & 1)
