"""Finds the events of a batch that fit: every sum that an event counts in must stay in its range.

Used only where a batch as a whole did not fit.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Self

from gateway.billing.book import Book
from gateway.billing.ledger.flows import FlowColumn
from gateway.billing.usage.usage_record import DeploymentName, UsageRecord
from gateway.money import MAX_NANOS, MAX_QUANTITY
from gateway.store import deployments, ledger_days, rollups, usage_units
from gateway.store.engine.bitset import MAX_MEMBER
from gateway.store.rollups import DayKey, SlotKey
from gateway.store.usage_units import (
    MOST_UNITS,
    RESOURCE_SEPARATOR,
    AccountMeasure,
    resource_of,
    units_by_resource,
)
from gateway.windows import local_day, slot_start


class UsageSums:
    """Sums of nanos and of quantities, by key: the stored ones, and the events added since. They
    are read before the book has usage.
    """

    def __init__(self, book: Book) -> None:
        self._zones = {key: account.time_zone for key, account in book.accounts.items()}
        self._nanos: defaultdict[Hashable, int] = defaultdict(int)
        self._quantities: defaultdict[Hashable, int] = defaultdict(int)
        self._measures: set[AccountMeasure] = set()
        self._units: Counter[AccountMeasure] = Counter()
        self._known: set[DeploymentName] = set()
        self._deployments = {key: each.deployment_count for key, each in book.accounts.items()}
        for account_id, account in book.accounts.items():
            # Usage lowers the balance and raises every other sum.
            self._nanos["balance", account_id] = -account.balance

    @classmethod
    async def read(cls, book: Book, records: Sequence[UsageRecord]) -> Self:
        """Return the stored sums that any of the records counts in."""
        sums = cls(book)
        slots = {(each.account_id, slot_start(each.started_at)) for each in records}
        days = {sums._day(*slot) for slot in slots}
        names = {(each.account_id, each.deployment) for each in records if each.deployment}
        await sums._read_entries(book)
        await sums._read_period_sums(book, slots, days)
        await sums._read_activity(book, names, days)
        sums._measures = await usage_units.measures_of(book.transaction, book.accounts)
        sums._units = units_by_resource(sums._measures)
        return sums

    async def _read_entries(self, book: Book) -> None:
        today = {
            account_id: local_day(book.recorded_at(account_id), account.time_zone)
            for account_id, account in book.accounts.items()
        }
        for account_id, nanos in (await ledger_days.amounts(book.transaction, today)).items():
            self._nanos["recorded", account_id] = -nanos

    async def _read_period_sums(
        self, book: Book, slots: Collection[SlotKey], days: Collection[DayKey]
    ) -> None:
        for key, period_sums in (
            await rollups.period_sums_of(book.transaction, slots, days)
        ).items():
            self._nanos[key] = period_sums.nanos[FlowColumn.SPENT]
            for measure, quantity in period_sums.resources.items():
                self._quantities[key, measure] = quantity

    async def _read_activity(
        self, book: Book, names: Collection[DeploymentName], days: Collection[DayKey]
    ) -> None:
        rows = await deployments.by_external_id(book.transaction, sorted(names))
        ids = {(row["account_id"], row["id"]): row["external_id"] for row in rows}
        self._known.update((row["account_id"], row["external_id"]) for row in rows)
        for row in rows:
            self._nanos["deployment", row["account_id"], row["external_id"]] = row["spend_nanos"]
        stored = await rollups.activity_of(book.transaction, days)
        for (account_id, day), activity in stored.items():
            stored_sums = chain(
                ((None, *key, spent) for key, (spent, _) in activity.all.items()),
                ((*key, spent) for key, (spent, _) in activity.projects.items()),
            )
            for project, deployment_id, *dimensions, spent in stored_sums:
                name = ids.get((account_id, deployment_id))
                if name is not None or not deployment_id:
                    self._nanos["activity", project, account_id, day, name, *dimensions] = spent

    def _day(self, account_id: int, slot: datetime) -> DayKey:
        return account_id, local_day(slot, self._zones[account_id])

    def try_add(self, record: UsageRecord) -> bool:
        """Add an event to its sums; return False, and add nothing, where one would not fit."""
        amount, quantity = record.amount, record.quantity
        slot = (record.account_id, slot_start(record.started_at))
        day = self._day(*slot)
        nanos = [*self._sums_of(record, slot, day)]
        measure = record.resource + RESOURCE_SEPARATOR + record.unit
        quantities = [(slot, measure), (day, measure)]
        if any(abs(self._nanos[key] + amount) > MAX_NANOS for key in nanos):
            return False
        if any(abs(self._quantities[key] + quantity) > MAX_QUANTITY for key in quantities):
            return False
        if not self._has_unit(record.account_id, measure) or not self._has_place(record):
            return False
        if (record.account_id, measure) not in self._measures:
            self._measures.add((record.account_id, measure))
            self._units[resource_of((record.account_id, measure))] += 1
        for key in nanos:
            self._nanos[key] += amount
        for key in quantities:
            self._quantities[key] += quantity
        return True

    def _has_unit(self, account_id: int, measure: str) -> bool:
        """Return whether the account has the event's unit, or may have another one."""
        key = (account_id, measure)
        return key in self._measures or self._units[resource_of(key)] < MOST_UNITS

    def _has_place(self, record: UsageRecord) -> bool:
        """Return whether the account may have the event's deployment, and count a new one."""
        account_id, name = record.account_id, record.deployment
        if name is None or (account_id, name) in self._known:
            return True
        if self._deployments[account_id] > MAX_MEMBER:
            return False
        self._known.add((account_id, name))
        self._deployments[account_id] += 1
        return True

    def _sums_of(self, record: UsageRecord, slot: SlotKey, day: DayKey) -> Iterator[Hashable]:
        account_id, name = record.account_id, record.deployment
        yield "balance", account_id
        yield "entry", account_id
        yield "recorded", account_id
        yield slot
        yield day
        provider, gpu_model = record.provider or "", record.gpu_model or ""
        for project in {None, record.project}:
            yield "activity", project, *day, name, record.resource, provider, gpu_model
        if name is not None:
            yield "deployment", account_id, name
