"""Usage: events are kept as they came, once, and everything derived from them in the same
transaction.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, cast

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

Printed = tuple[UsageRecord, bytes, DeploymentFacts | None]
"""a record, its fingerprint, and what it says of its deployment"""


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
) -> UsageResult:
    """Record a batch: new events are kept and booked, known ones are counted, conflicts are
    reported. `facts` is what each record says of its deployment; without it, the records' own
    provider and GPU model are all.

    Makes one ledger entry for each account with new events. The book must hold the accounts. Raises
    OutOfRange, here or when the book is closed, where a sum would not fit: in another book,
    `one_by_one` leaves out those events with which it would not, in their order. `only_charged`
    leaves out corrections that give back more than their source charged.
    """
    result = UsageResult()
    charges = await SourceCharges.read(book, records) if only_charged else None
    fresh = await _fresh(book, records, facts, result, charges, one_by_one=one_by_one)
    if not fresh:
        return result
    found = await _deployments(book, fresh)
    versions = _post(book, fresh, result.corrected)
    changed = [each.row for each in found.values() if each.changed]
    await deployments.save(book.transaction, changed)
    await usage_events.append(book.transaction, _add_up(book, fresh, found, versions))
    used = [each.usage() for each in found.values() if each.spend or each.used]
    await deployments.add_usage(book.transaction, used)
    result.accepted = len(fresh)
    return result


async def _fresh(
    book: Book,
    records: Sequence[UsageRecord],
    facts: Sequence[DeploymentFacts | None],
    result: UsageResult,
    charges: SourceCharges | None,
    *,
    one_by_one: bool,
) -> Sequence[Printed]:
    """Return the records that are not known yet; count the others."""
    await asyncio.sleep(0)
    keys = dict.fromkeys(record[:3] for record in records)
    await asyncio.sleep(0)
    # The database looks them up while the fingerprints are made.
    seen, printed = await asyncio.gather(
        usage_events.known(book.transaction, keys), _printed(records, facts)
    )
    if not seen and len(keys) == len(records) and not one_by_one and charges is None:
        return printed
    sums = await UsageSums.read(book, records) if one_by_one else None
    fresh: list[Printed] = []
    for position, each in enumerate(printed):
        record, fingerprint, _ = each
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
            fresh.append(each)
    return fresh


async def _printed(
    records: Sequence[UsageRecord], facts: Sequence[DeploymentFacts | None]
) -> list[Printed]:
    stated = facts or [None] * len(records)
    printed: list[Printed] = []
    for start in range(0, len(records), PIECE):
        piece = slice(start, start + PIECE)
        part = records[piece]
        printed += zip(part, fingerprints(part), stated[piece], strict=True)
        await asyncio.sleep(0)
    return printed


async def _deployments(
    book: Book, fresh: Sequence[Printed]
) -> dict[DeploymentName, DeploymentState]:
    """Return the batch's deployments by name, with what the batch says of them."""
    batch = descriptions_in(fresh)
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


def _post(book: Book, fresh: Sequence[Printed], corrected: defaultdict[int, int]) -> dict[int, int]:
    """Post one debit for each account; return the entries' versions by account. Corrections are
    added up in `corrected`.
    """
    sums: defaultdict[int, int] = defaultdict(int)
    earliest: dict[int, datetime] = {}
    latest: dict[int, datetime] = {}
    for record, _, _ in fresh:
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


def _add_up(
    book: Book,
    fresh: Sequence[Printed],
    found: Mapping[DeploymentName, DeploymentState],
    versions: Mapping[int, int],
) -> Iterator[UsageEventCells]:
    """Yield the events' rows, and add each to the roll-ups: the database writes one part of the
    batch while the next is added up.
    """
    places: dict[tuple[int, datetime], tuple[PeriodSums, Activity]] = {}
    activity_of_days = book.part(UsageActivity)
    for record, fingerprint, _ in fresh:
        account_id, source, event_id, name, resource, unit, quantity, _, amount, *_ = record
        place = (account_id, record.started_at)
        found_at = places.get(place)
        if found_at is None:
            found_at = places[place] = (book.slot_sums.at(*place), activity_of_days.at(*place))
        period_sums, activity = found_at
        period_sums.nanos[FlowColumn.SPENT] += amount
        measure = resource + RESOURCE_SEPARATOR + unit
        period_sums.resources[measure] = period_sums.resources.get(measure, 0) + quantity
        counted, deployment_id = not record.correction, None
        if name is not None:
            deployment = found[account_id, name]
            deployment.spend += amount
            deployment_id = deployment.id
            if counted:
                period_sums.deployments.add(deployment.ordinal)
        dimensions = (deployment_id or 0, resource, record.provider or "", record.gpu_model or "")
        sums = activity.all.get(dimensions)
        if sums is None:
            sums = activity.all[dimensions] = [0, 0]
        sums[0] += amount
        sums[1] += counted
        if record.project is not None:
            activity.add_project(dimensions, record.project, amount, counted)
        stored = (account_id, source, event_id, fingerprint, deployment_id)
        # A plain tuple of the cells, because the class takes a tenth of the whole transaction.
        yield cast("UsageEventCells", (*stored, *record[4:], book.now, versions[account_id]))
