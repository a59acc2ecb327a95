"""Usage: events are kept as they came, once, and everything derived from them in the same
transaction.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple, Self

import orjson

from gateway.billing.book import Book
from gateway.billing.flows import FlowColumn
from gateway.models import LedgerCause
from gateway.money import checked
from gateway.store import Row, deployments, usage_events
from gateway.store.rollups import RESOURCE_SEPARATOR, Activity, Flow
from gateway.store.write import PIECE


class UsageRecord(NamedTuple):
    """One metered charge, checked and normalised; amounts and quantities in nanos.

    A `_text` is what arrived where rounding changed it. `deployment` is the meter's name for it.
    """

    account_id: int
    source: str
    event_id: str
    deployment: str | None
    resource: str
    unit: str
    quantity: int
    quantity_text: str | None
    amount: int
    amount_text: str | None
    correction: bool
    provider: str | None
    gpu_model: str | None
    region: str | None
    service: str | None
    sku: str | None
    started_at: datetime
    ended_at: datetime

    @property
    def fingerprint(self) -> bytes:
        """16 bytes that two events share only if they say the same."""
        return blake2b(orjson.dumps(tuple(self)), digest_size=16).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentFacts:
    """What an event says of its deployment; None says nothing. CPU and GPU in nanos of a unit."""

    name: str | None = None
    provider: str | None = None
    gpu_model: str | None = None
    region: str | None = None
    service: str | None = None
    cpu_nanos: int | None = None
    gpu_nanos: int | None = None
    memory_bytes: int | None = None
    storage_bytes: int | None = None
    started_at: datetime | None = None
    closed_at: datetime | None = None


DeploymentName = tuple[int, str]
"""account, the meter's name for the deployment"""

Printed = tuple[UsageRecord, bytes]
"""a record and its fingerprint"""


@dataclass(slots=True, kw_only=True)
class UsageResult:
    """What became of a batch. `conflicts` are positions: the id is known with other content."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: list[int] = field(default_factory=list)


class _Deployment:
    """A deployment of the batch: its key, its bit, and the row to write where it changed."""

    __slots__ = ("bit", "changed", "id", "row", "spend")

    def __init__(self, row: dict[str, object], *, changed: bool) -> None:
        self.row = row
        self.id = int(str(row["id"]))
        self.bit = 1 << int(str(row["ordinal"]))
        self.changed = changed
        self.spend = 0

    @classmethod
    def read(cls, row: Row) -> Self:
        return cls(dict(row), changed=False)

    def learn(self, facts: DeploymentFacts) -> None:
        """Take over what the facts say and the row does not."""
        for name in DeploymentFacts.__slots__:
            value = getattr(facts, name)
            if value is not None and self.row[name] != value:
                self.row[name] = value
                self.changed = True
        _order(self.row)

    def gain(self) -> int:
        """Return what the batch adds to the lifetime spend, if the sum fits 64 bits."""
        checked(int(str(self.row["spend_nanos"])) + self.spend)
        return self.spend


async def record_usage(
    book: Book,
    records: Sequence[UsageRecord],
    facts: Mapping[DeploymentName, DeploymentFacts],
) -> UsageResult:
    """Record a batch: new events are kept and booked, known ones are counted, conflicts are
    reported.

    Makes one ledger entry for each account with new events. The book must hold the accounts.
    """
    result = UsageResult()
    fresh = await _fresh(book, records, result)
    if not fresh:
        return result
    found = await _deployments(book, fresh, facts)
    versions = _post(book, fresh)
    await deployments.save(
        book.transaction, [_cells(each.row) for each in found.values() if each.changed]
    )
    await usage_events.append(book.transaction, _add_up(book, fresh, found, versions))
    await deployments.add_spend(
        book.transaction,
        [(name[0], each.id, each.gain()) for name, each in found.items() if each.spend],
    )
    result.accepted = len(fresh)
    return result


async def _fresh(
    book: Book, records: Sequence[UsageRecord], result: UsageResult
) -> Sequence[Printed]:
    """Return the records that are not known yet; count the others."""
    keys = dict.fromkeys(record[:3] for record in records)
    # The database looks them up while the fingerprints are made.
    seen, printed = await asyncio.gather(
        usage_events.known(book.transaction, keys), _printed(records)
    )
    if not seen and len(keys) == len(records):
        return printed
    fresh: list[Printed] = []
    for position, (record, fingerprint) in enumerate(printed):
        earlier = seen.get(record[:3])
        if earlier is None:
            seen[record[:3]] = fingerprint
            fresh.append((record, fingerprint))
        elif earlier == fingerprint:
            result.duplicates += 1
        else:
            result.conflicts.append(position)
    return fresh


async def _printed(records: Sequence[UsageRecord]) -> list[Printed]:
    printed: list[Printed] = []
    for start in range(0, len(records), PIECE):
        printed += [(record, record.fingerprint) for record in records[start : start + PIECE]]
        await asyncio.sleep(0)
    return printed


async def _deployments(
    book: Book,
    fresh: Sequence[Printed],
    facts: Mapping[DeploymentName, DeploymentFacts],
) -> dict[DeploymentName, _Deployment]:
    """Return the batch's deployments by name; new ones are made from what is said of them."""
    first: dict[DeploymentName, UsageRecord] = {}
    for record, _ in fresh:
        if record.deployment is not None:
            name = (record.account_id, record.deployment)
            if name not in first or record.started_at < first[name].started_at:
                first[name] = record
    rows = await deployments.by_external_id(book.transaction, list(first))
    found = {(row["account_id"], row["external_id"]): _Deployment.read(row) for row in rows}
    for name, record in first.items():
        said = facts.get(name, DeploymentFacts())
        if name in found:
            found[name].learn(said)
        else:
            found[name] = _Deployment(_new_deployment(book, record, said), changed=True)
    return found


def _new_deployment(book: Book, record: UsageRecord, facts: DeploymentFacts) -> dict[str, object]:
    account = book.accounts[record.account_id]
    ordinal = account.deployment_count
    account.deployment_count += 1
    started_at = facts.started_at or record.started_at
    row: dict[str, object] = {
        "account_id": record.account_id,
        "id": book.keys.new(),
        "ordinal": ordinal,
        "external_id": record.deployment,
        "spend_nanos": 0,
        "created_at": book.now,
    }
    row |= {name: getattr(facts, name) for name in DeploymentFacts.__slots__}
    row["started_at"] = started_at
    _order(row)
    row["provider"] = facts.provider or record.provider
    row["gpu_model"] = facts.gpu_model or record.gpu_model
    return row


def _order(row: dict[str, Any]) -> None:
    """Nothing ends before it began: where it seems so, it began earlier than was known."""
    if row["closed_at"] is not None:
        row["started_at"] = min(row["started_at"], row["closed_at"])


def _cells(row: Mapping[str, object]) -> tuple[object, ...]:
    return tuple(row[name] for name in deployments.COLUMNS)


def _post(book: Book, fresh: Sequence[Printed]) -> dict[int, int]:
    """Post one debit for each account; return the entries' versions by account."""
    sums: defaultdict[int, int] = defaultdict(int)
    latest: dict[int, datetime] = {}
    for record, _ in fresh:
        account_id = record.account_id
        sums[account_id] += record.amount
        if account_id not in latest or record.started_at > latest[account_id]:
            latest[account_id] = record.started_at
    return {
        account_id: book.post(
            account_id,
            LedgerCause.USAGE,
            -amount,
            source_key=f"usage:{book.accounts[account_id].version + 1}",
            effective_at=latest[account_id],
        )
        for account_id, amount in sums.items()
    }


def _add_up(
    book: Book,
    fresh: Sequence[Printed],
    found: Mapping[DeploymentName, _Deployment],
    versions: Mapping[int, int],
) -> Iterator[tuple[Any, ...]]:
    """Yield the events' rows in the order of the table's columns, each added to the roll-ups on its
    way: the database takes in one part while the next is added up.
    """
    places: dict[tuple[int, datetime], tuple[Flow, Activity]] = {}
    for record, fingerprint in fresh:
        account_id, source, event_id, name, resource, unit, quantity, _, amount, *_ = record
        place = (account_id, record.started_at)
        if place not in places:
            places[place] = book.flows.usage_at(*place, book.accounts[account_id].time_zone)
        flow, activity = places[place]
        flow.sums[FlowColumn.SPENT] += amount
        measure = resource + RESOURCE_SEPARATOR + unit
        flow.resources[measure] = flow.resources.get(measure, 0) + quantity
        counted, deployment_id = not record.correction, None
        if name is not None:
            deployment = found[account_id, name]
            deployment.spend += amount
            deployment_id = deployment.id
            if counted:
                flow.deployments |= deployment.bit
        dimensions = (deployment_id or 0, resource, record.provider or "", record.gpu_model or "")
        sums = activity.get(dimensions)
        if sums is None:
            sums = activity[dimensions] = [0, 0]
        sums[0] += amount
        sums[1] += counted
        stored = (account_id, source, event_id, fingerprint, deployment_id)
        yield (*stored, *record[4:], book.now, versions[account_id])
