"""Usage: events are kept as they came, once, and everything derived from them in the same
transaction.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Final, NamedTuple

from gateway.billing.book import Book
from gateway.billing.ledger.flows import FlowColumn
from gateway.billing.ledger.source_key import SourceKey
from gateway.billing.usage.book_usage import UsageActivity
from gateway.billing.usage.corrections import SourceCharges
from gateway.billing.usage.deployments import (
    DeploymentFacts,
    DeploymentState,
    Description,
    descriptions_in,
    first_described,
)
from gateway.billing.usage.sums import UsageSums
from gateway.billing.usage.usage_record import DeploymentName, UsageRecord, fingerprints
from gateway.errors import OutOfRange
from gateway.models import LedgerCause
from gateway.store import deployments, usage_events
from gateway.store.deployments import DeploymentRow
from gateway.store.engine.bitset import MAX_MEMBER
from gateway.store.engine.write import PIECE
from gateway.store.rollups import Activity, PeriodSums
from gateway.store.usage_events import UsageEventCells
from gateway.store.usage_units import RESOURCE_SEPARATOR

TOO_MANY_DEPLOYMENTS: Final = f"An account has at most {MAX_MEMBER + 1:,} deployments."

SAMPLE: Final = 32
"""Events of a batch that are looked up where all are expected to be new."""


class Fresh(NamedTuple):
    """New records, each with the facts of its deployment and with its fingerprint."""

    records: Sequence[UsageRecord]
    facts: Sequence[DeploymentFacts | None]
    fingerprints: Iterable[bytes]


@dataclass(slots=True, kw_only=True)
class UsageResult:
    """The outcome of a batch. The lists have indexes of records: `conflicts` have a known id with
    different content, `out_of_range` would make a sum too large, and `uncharged` are corrections
    above the charges. `corrected` are the nanos of accepted corrections, by account.
    """

    accepted: int = 0
    duplicates: int = 0
    conflicts: list[int] = field(default_factory=list)
    out_of_range: list[int] = field(default_factory=list)
    uncharged: list[int] = field(default_factory=list)
    corrected: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))


async def record_usage(
    book: Book,
    records: Sequence[UsageRecord],
    facts: Sequence[DeploymentFacts | None] = (),
    *,
    one_by_one: bool = False,
    only_charged: bool = False,
    expects_new: bool = False,
) -> UsageResult:
    """Record a batch: new events are kept and booked, known ones are counted, conflicts are
    reported. `facts` is what each record says of its deployment; without it, the records' own
    provider and GPU model are all.

    Makes one ledger entry for each account with new events. The book must hold the accounts. Raises
    OutOfRange, here or when the book is closed, where a sum would not fit: in another book,
    `one_by_one` leaves out those events with which it would not, in their order. `only_charged`
    leaves out corrections that give back more than their source charged.

    `expects_new`: of a large batch, look up a few events, and if none of them is known, write all
    as new ones. Raises AlreadyRecorded where one is known after all: the transaction is over then.
    """
    result = UsageResult()
    charges = await SourceCharges.read(book, records) if only_charged else None
    stated = facts or [None] * len(records)
    is_plain = charges is None and not one_by_one and len(records) > PIECE
    if expects_new and is_plain and not await _is_sample_known(book, records):
        fresh = Fresh(records, stated, _each_fingerprint(records))
    else:
        fresh = await _fresh(book, records, stated, result, charges, one_by_one=one_by_one)
    if not fresh.records:
        return result
    found = await _deployments(book, fresh)
    versions = _post(book, fresh, result.corrected)
    changed = [each.row for each in found.values() if each.changed]
    await deployments.save(book.transaction, changed)
    await usage_events.append(book.transaction, _add_up(book, fresh, found, versions))
    used = [each.usage() for each in found.values() if each.spend or each.used]
    await deployments.add_usage(book.transaction, used)
    result.accepted = len(fresh.records)
    return result


async def _is_sample_known(book: Book, records: Sequence[UsageRecord]) -> bool:
    """Return whether any of some records is known: the first, the last, and as many between."""
    sample = [*records[:: 1 + len(records) // SAMPLE], records[-1]]
    return bool(await usage_events.known(book.transaction, {each[:3] for each in sample}))


def _each_fingerprint(records: Sequence[UsageRecord]) -> Iterator[bytes]:
    for start in range(0, len(records), PIECE):
        yield from fingerprints(records[start : start + PIECE])


async def _fresh(
    book: Book,
    records: Sequence[UsageRecord],
    stated: Sequence[DeploymentFacts | None],
    result: UsageResult,
    charges: SourceCharges | None,
    *,
    one_by_one: bool,
) -> Fresh:
    """Return the records that are not known yet; count the others."""
    await asyncio.sleep(0)
    keys = dict.fromkeys(record[:3] for record in records)
    await asyncio.sleep(0)
    # The database looks them up while the fingerprints are made.
    seen, printed = await asyncio.gather(
        usage_events.known(book.transaction, keys), _fingerprints(records)
    )
    if not seen and len(keys) == len(records) and not one_by_one and charges is None:
        return Fresh(records, stated, printed)
    sums = await UsageSums.read(book, records) if one_by_one else None
    fresh: list[int] = []
    for position, (record, fingerprint) in enumerate(zip(records, printed, strict=True)):
        earlier = seen.get(record[:3])
        if earlier == fingerprint:
            result.duplicates += 1
        elif earlier is not None:
            result.conflicts.append(position)
        elif charges is not None and not charges.allow(record):
            result.uncharged.append(position)
        elif sums is not None and not sums.try_add(record):
            result.out_of_range.append(position)
        else:
            if charges is not None:
                charges.count(record)
            seen[record[:3]] = fingerprint
            fresh.append(position)
    return Fresh(
        [records[each] for each in fresh],
        [stated[each] for each in fresh],
        [printed[each] for each in fresh],
    )


async def _fingerprints(records: Sequence[UsageRecord]) -> list[bytes]:
    """Return the records' fingerprints. Others have their turn after each piece."""
    printed: list[bytes] = []
    for start in range(0, len(records), PIECE):
        printed += fingerprints(records[start : start + PIECE])
        await asyncio.sleep(0)
    return printed


async def _deployments(book: Book, fresh: Fresh) -> dict[DeploymentName, DeploymentState]:
    """Return the batch's deployments by name, with what the batch says of them."""
    batch = descriptions_in(zip(fresh.records, fresh.facts, strict=True))
    rows = await deployments.by_external_id(book.transaction, list(batch))
    found = {(row["account_id"], row["external_id"]): DeploymentState.read(row) for row in rows}
    for name, description in batch.items():
        if name in found:
            found[name].learn(description)
        else:
            found[name] = DeploymentState(_new_deployment(book, name, description), changed=True)
    return found


def _new_deployment(book: Book, name: DeploymentName, description: Description) -> DeploymentRow:
    account = book.accounts[name[0]]
    ordinal = account.deployment_count
    if ordinal > MAX_MEMBER:
        raise OutOfRange(TOO_MANY_DEPLOYMENTS)
    account.deployment_count += 1
    row = DeploymentRow(
        account_id=name[0],
        id=book.keys.new(),
        ordinal=ordinal,
        external_id=name[1],
        spend_nanos=0,
        started_at=description.earliest,
        created_at=book.now,
    )
    return first_described(row, description)


def _post(book: Book, fresh: Fresh, corrected: defaultdict[int, int]) -> dict[int, int]:
    """Post one debit for each account; return the entries' versions by account. Corrections are
    added up in `corrected`.
    """
    sums: defaultdict[int, int] = defaultdict(int)
    earliest: dict[int, datetime] = {}
    latest: dict[int, datetime] = {}
    for record in fresh.records:
        account_id = record.account_id
        sums[account_id] += record.amount
        if record.correction:
            corrected[account_id] += record.amount
        started_at = record.started_at
        if account_id not in latest:
            earliest[account_id] = latest[account_id] = started_at
        elif started_at > latest[account_id]:
            latest[account_id] = started_at
        elif started_at < earliest[account_id]:
            earliest[account_id] = started_at
    return {
        account_id: book.post(
            account_id,
            LedgerCause.USAGE,
            -amount,
            source=SourceKey.usage(book.accounts[account_id].version + 1),
            effective_at=latest[account_id],
            earliest_at=earliest[account_id],
        )
        for account_id, amount in sums.items()
    }


class _Meter:
    """The common facts of events that differ in their time, amount and quantity alone."""

    __slots__ = ("counted", "deployment", "deployment_id", "dimensions", "measure", "project")

    def __init__(self, record: UsageRecord, deployment: DeploymentState | None) -> None:
        self.counted = not record.correction
        self.deployment = deployment
        self.deployment_id = None if deployment is None else deployment.id
        texts = (record.resource, record.provider or "", record.gpu_model or "")
        self.dimensions = (self.deployment_id or 0, *texts)
        self.measure = record.resource + RESOURCE_SEPARATOR + record.unit
        self.project = record.project


_meter_key: Final = itemgetter(
    *map(
        UsageRecord._fields.index,
        (
            "account_id",
            "deployment",
            "resource",
            "unit",
            "correction",
            "provider",
            "gpu_model",
            "project",
        ),
    )
)


def _add_up(
    book: Book,
    fresh: Fresh,
    found: Mapping[DeploymentName, DeploymentState],
    versions: Mapping[int, int],
) -> Iterator[UsageEventCells]:
    """Yield the events' rows, and add each to the roll-ups: the database writes one part of the
    batch while the next is added up.
    """
    meters: dict[tuple[object, ...], _Meter] = {}
    places: dict[tuple[int, datetime], tuple[PeriodSums, Activity]] = {}
    activity_of_days = book.part(UsageActivity)
    now, spent = book.now, int(FlowColumn.SPENT)
    for record, fingerprint in zip(fresh.records, fresh.fingerprints, strict=True):
        key = _meter_key(record)
        meter = meters.get(key)
        if meter is None:
            name = record.deployment
            deployment = None if name is None else found[record.account_id, name]
            meter = meters[key] = _Meter(record, deployment)
        account_id, source, event_id, _, _, _, quantity, _, amount, *_, started_at, _, _ = record
        place = (account_id, started_at)
        found_at = places.get(place)
        if found_at is None:
            found_at = places[place] = (book.slot_sums.at(*place), activity_of_days.at(*place))
        period_sums, activity = found_at
        period_sums.nanos[spent] += amount
        resources, measure = period_sums.resources, meter.measure
        resources[measure] = resources.get(measure, 0) + quantity
        counted, deployment = meter.counted, meter.deployment
        if deployment is not None:
            deployment.spend += amount
            if counted:
                period_sums.deployments.add(deployment.ordinal)
        sums = activity.all.get(meter.dimensions)
        if sums is None:
            sums = activity.all[meter.dimensions] = [0, 0]
        sums[0] += amount
        sums[1] += counted
        if meter.project is not None:
            activity.add_project(meter.dimensions, meter.project, amount, counted)
        stored = (account_id, source, event_id, fingerprint, meter.deployment_id)
        # A plain tuple of the cells, because the class takes a tenth of the whole transaction.
        yield (*stored, *record[4:], now, versions[account_id])  # type: ignore[misc]
