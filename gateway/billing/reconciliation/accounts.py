"""Recomputes the books from the facts, and reports stored figures that differ.

Nothing is written, and memory does not grow with an account's usage: events and roll-ups are read
side by side in the order of their time.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import date, datetime, timedelta
from typing import Final, Generic, Self, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from gateway.billing.ledger.flows import FlowColumn
from gateway.billing.purchases.holds import PurchaseTerms
from gateway.billing.reconciliation.blocks import block_differences
from gateway.billing.reconciliation.difference import Difference, Found
from gateway.models import LedgerCause
from gateway.store.engine import bitset
from gateway.store.engine.stream import Chunk, Stream
from gateway.store.reconciliation import accounts, ledger, purchases
from gateway.store.reconciliation.accounts import AuditedAccount
from gateway.store.rollups import (
    SUMS,
    Activity,
    PeriodSums,
    activity_key,
    project_key,
)
from gateway.store.rows import ActivityRow, DayRow, SlotRow
from gateway.store.usage_units import RESOURCE_SEPARATOR
from gateway.windows import local_day, slot_start, zone

FLOW_OF_CAUSE: Final[Mapping[str, FlowColumn]] = {
    LedgerCause.PURCHASE: FlowColumn.PURCHASED,
    LedgerCause.BONUS: FlowColumn.BONUS,
    LedgerCause.REFUND: FlowColumn.REFUNDED,
    LedgerCause.DISPUTE: FlowColumn.REFUNDED,
    LedgerCause.ADJUSTMENT: FlowColumn.ADJUSTED,
}
QUARTER_HOUR: Final = timedelta(minutes=15)
DISPUTED: Final = "what disputes hold"


async def reconcile_account(stream: Stream, account: AuditedAccount) -> AsyncGenerator[Difference]:
    """Yield every difference in an account."""
    account_id, name = account["account_id"], account["external_id"]
    for check in accounts.CHECKS:
        for row in await accounts.differences(stream, check, account_id):
            expected, found, place = row["expected"], row["found"], row["place"]
            yield Difference(
                account=name,
                what=check,
                place=None if place is None else str(place),
                expected=None if expected is None else int(expected),
                found=None if found is None else int(found),
            )
    local = zone(account["time_zone"])
    for derived in (
        _disputes(stream, account_id),
        _rollups(stream, account_id, local),
        _ledger_days(stream, account_id, local),
        block_differences(stream, account_id, local),
    ):
        async with aclosing(derived) as differences:
            async for each in differences:
                yield Difference(account=name, **each._asdict())


Figures: TypeAlias = Mapping[str, object]
"""The figures of one period, by their names; those that are nothing are left out."""


async def _disputes(stream: Stream, account_id: int) -> AsyncGenerator[Found]:
    """Yield the purchases of which disputes hold another sum than their movements say."""
    for row in await purchases.disputed(stream, account_id):
        terms = PurchaseTerms(row["amount_nanos"], row["tax_nanos"], row["currency"])
        unrefunded = terms.amount - int(row["refunded_nanos"])
        expected = min(terms.credit_in(int(row["withdrawn_nanos"])), unrefunded)
        if (held := int(row["held_nanos"])) != expected:
            yield Found(DISPUTED, str(row["id"]), expected, held)


class _Period:
    """The sums of the facts of a quarter hour, or of a day."""

    __slots__ = ("activity", "sums")

    def __init__(self) -> None:
        self.sums = PeriodSums()
        self.activity = Activity()

    def add(self, other: Self) -> None:
        self.sums.add(other.sums)
        for dimensions, (spent, events) in other.activity.all.items():
            self.activity.add(dimensions, None, spent, events)
        for key, (spent, events) in other.activity.projects.items():
            self.activity.add_project(key[1:], key[0], spent, events)


Dimensions = TypeVar("Dimensions", bound=tuple[int | str, ...])
Breakdown = TypeVar("Breakdown", bound=ActivityRow)
At = TypeVar("At", bound=date)
"""A day, or the instant of a quarter hour."""


class _Stored(Generic[At]):
    """The stored periods of one roll-up, which are met in the order in which they are read."""

    def __init__(self, what: str, periods: AsyncGenerator[tuple[At, Figures]]) -> None:
        self._what = what
        self._periods = periods
        self._next: tuple[At, Figures] | None = None

    async def __aenter__(self) -> Self:
        await self._advance()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._periods.aclose()

    async def _advance(self) -> None:
        self._next = await anext(self._periods, None)

    async def meet(self, key: At, expected: Figures) -> list[Found]:
        """Return the differences up to a period that has facts."""
        found = await self.end(before=key)
        stored: Figures = {}
        if self._next is not None and self._next[0] == key:
            stored = self._next[1]
            await self._advance()
        return found + self._differences(key, expected, stored)

    async def end(self, *, before: At | None = None) -> list[Found]:
        """Return the stored periods without facts: those before a period, or all remaining ones."""
        found: list[Found] = []
        while self._next is not None and (before is None or self._next[0] < before):
            key, stored = self._next
            found += self._differences(key, {}, stored)
            await self._advance()
        return found

    def _differences(self, key: At, expected: Figures, stored: Figures) -> list[Found]:
        if expected == stored:
            return []
        return [
            Found(self._what, f"{key} {name}", expected.get(name), stored.get(name))
            for name in sorted({*expected, *stored})
            if expected.get(name) != stored.get(name)
        ]


async def _rollups(stream: Stream, account_id: int, local: ZoneInfo) -> AsyncGenerator[Found]:
    """Yield the differences of quarter hours, days and breakdowns from the sums of their facts."""
    slot_rows = _stored_slots(accounts.slots(stream, account_id))
    day_rows = _stored_days(accounts.days(stream, account_id))
    activity_rows = _stored_breakdowns(accounts.activity(stream, account_id), activity_key)
    project_rows = _stored_breakdowns(accounts.projects(stream, account_id), project_key)
    async with (
        _Stored("quarter hour", slot_rows) as slots,
        _Stored("day", day_rows) as days,
        _Stored("breakdown of", activity_rows) as breakdowns,
        _Stored("projects of", project_rows) as projects,
        aclosing(_periods(_slots(stream, account_id), local)) as periods,
    ):
        async for key, period in periods:
            if isinstance(key, datetime):
                found = await slots.meet(key, _figures_of_sums(period.sums))
            else:
                found = await days.meet(key, _figures_of_sums(period.sums))
                found += await breakdowns.meet(key, _figures(period.activity.all))
                found += await projects.meet(key, _figures(period.activity.projects))
            for each in found:
                yield each
        for stored in (slots, days, breakdowns, projects):
            for each in await stored.end():
                yield each


async def _periods(
    slots: AsyncGenerator[tuple[datetime, _Period]], local: ZoneInfo
) -> AsyncGenerator[tuple[datetime | date, _Period]]:
    """Yield quarter hours, and after the last one of a local day that day."""
    day, whole = None, _Period()
    async with aclosing(slots):
        async for slot, period in slots:
            today = local_day(slot, local)
            if today != day:
                if day is not None:
                    yield day, whole
                day, whole = today, _Period()
            whole.add(period)
            yield slot, period
    if day is not None:
        yield day, whole


async def _slots(stream: Stream, account_id: int) -> AsyncGenerator[tuple[datetime, _Period]]:
    """Yield the quarter hours that have facts, in their order, with what these add up to."""
    ordinals = await accounts.ordinals(stream, account_id)
    moved = await _other_flows(stream, account_id)
    slot, period = None, _Period()
    async with aclosing(accounts.usage(stream, account_id)) as chunks:
        async for chunk in chunks:
            for at, *event in chunk.zip(*accounts.USAGE_COLUMNS):
                if slot is None or at - slot >= QUARTER_HOUR:
                    if slot is not None:
                        yield slot, period
                    slot = slot_start(at)
                    for earlier in [each for each in moved if each < slot]:
                        yield earlier, moved.pop(earlier)
                    period = moved.pop(slot) if slot in moved else _Period()
                _count(period, ordinals, *event)
    if slot is not None:
        yield slot, period
    for later in moved.items():
        yield later


async def _other_flows(stream: Stream, account_id: int) -> dict[datetime, _Period]:
    """Return the sums of flows other than usage by quarter hour, in time order. There are about as
    many as purchases.
    """
    periods: dict[datetime, _Period] = {}
    for row in await accounts.moves(stream, account_id):
        column = FLOW_OF_CAUSE[row["cause"]]
        period = periods.setdefault(slot_start(row["effective_at"]), _Period())
        period.sums.nanos[column] += row["amount_nanos"] * column.sign
    return periods


def _count(
    period: _Period,
    ordinals: Mapping[int, int],
    deployment_id: int | None,
    resource: str,
    unit: str,
    provider: str | None,
    gpu_model: str | None,
    project: str | None,
    quantity: int,
    amount: int,
    correction: bool,
) -> None:
    """Add one event to its period."""
    sums = period.sums
    sums.nanos[FlowColumn.SPENT] += amount
    measure = resource + RESOURCE_SEPARATOR + unit
    sums.resources[measure] = sums.resources.get(measure, 0) + quantity
    if deployment_id is not None and not correction:
        ordinal = ordinals.get(deployment_id)
        if ordinal is not None:
            sums.deployments.add(ordinal)
    dimensions = (deployment_id or 0, resource, provider or "", gpu_model or "")
    period.activity.add(dimensions, project, amount, not correction)


def _figures_of_sums(sums: PeriodSums) -> Figures:
    """Return a period's figures. The row itself is one: a row of zeros is not none."""
    figures: dict[str, object] = {"row": 1}
    figures |= {name: nanos for name, nanos in zip(SUMS, sums.nanos, strict=True) if nanos}
    figures |= {
        f"quantity of {measure.replace(RESOURCE_SEPARATOR, ' in ')}": nanos
        for measure, nanos in sums.resources.items()
    }
    if active := sums.active():
        figures["deployments"] = list(bitset.members(bitset.decode(active)))
    return figures


def _figures(activity: Mapping[Dimensions, Sequence[int]]) -> Figures:
    return {
        f"{' / '.join(map(str, dimensions))} {name}": figure
        for dimensions, sums in activity.items()
        for name, figure in zip(("spent_nanos", "events"), sums, strict=True)
    }


async def _stored_slots(
    chunks: AsyncGenerator[Chunk[SlotRow]],
) -> AsyncGenerator[tuple[datetime, Figures]]:
    async with aclosing(chunks):
        async for chunk in chunks:
            for row in chunk.rows():
                yield row["slot_at"], _figures_of_sums(PeriodSums.from_row(row))


async def _stored_days(
    chunks: AsyncGenerator[Chunk[DayRow]],
) -> AsyncGenerator[tuple[date, Figures]]:
    async with aclosing(chunks):
        async for chunk in chunks:
            for row in chunk.rows():
                yield row["day"], _figures_of_sums(PeriodSums.from_row(row))


async def _stored_breakdowns(
    chunks: AsyncGenerator[Chunk[Breakdown]], key_of: Callable[[Breakdown], tuple[int | str, ...]]
) -> AsyncGenerator[tuple[date, Figures]]:
    """Yield the stored rows of breakdowns by day."""
    day: date | None = None
    figures: dict[str, object] = {}
    async with aclosing(chunks):
        async for chunk in chunks:
            for row in chunk.rows():
                if row["day"] != day:
                    if day is not None:
                        yield day, figures
                    day, figures = row["day"], {}
                figures |= _figures({key_of(row): (row["spent_nanos"], row["events"])})
    if day is not None:
        yield day, figures


async def _ledger_days(stream: Stream, account_id: int, local: ZoneInfo) -> AsyncGenerator[Found]:
    """Yield the differences of the ledger's usage days from the sums of their entries."""
    async with (
        _Stored("ledger's usage of", _stored_ledger_days(stream, account_id)) as stored,
        aclosing(_usage_by_day(stream, account_id, local)) as days,
    ):
        async for day, figures in days:
            for each in await stored.meet(day, figures):
                yield each
        for each in await stored.end():
            yield each


async def _usage_by_day(
    stream: Stream, account_id: int, local: ZoneInfo
) -> AsyncGenerator[tuple[date, Figures]]:
    """Yield the days on which usage was recorded, with what their entries make them."""
    today: date | None = None
    day: Figures = {}
    amount_nanos = 0
    async with aclosing(ledger.usage_entries(stream, account_id)) as chunks:
        async for chunk in chunks:
            for entry in chunk.rows():
                if (recorded_on := local_day(entry["recorded_at"], local)) != today:
                    if today is not None:
                        yield today, day
                    today = recorded_on
                    amount_nanos = 0
                    day = {
                        "opening_nanos": entry["balance_nanos"] - entry["amount_nanos"],
                        "first_version": entry["version"],
                        "first_at": entry["recorded_at"],
                    }
                amount_nanos += entry["amount_nanos"]
                day = {**day, **entry, "amount_nanos": amount_nanos}
    if today is not None:
        yield today, day


async def _stored_ledger_days(
    stream: Stream, account_id: int
) -> AsyncGenerator[tuple[date, Figures]]:
    async with aclosing(ledger.days(stream, account_id)) as chunks:
        async for chunk in chunks:
            for row in chunk.rows():
                figures: dict[str, object] = {**row}
                del figures["account_id"], figures["day"]
                yield row["day"], figures
