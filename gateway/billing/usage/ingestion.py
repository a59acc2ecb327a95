"""Records usage from meters: invalid items are rejected one by one, and the rest is booked in one
transaction.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Final, NamedTuple

from gateway.audit.deeds import Act, Deed
from gateway.billing.book import Book
from gateway.billing.usage.deployments import DeploymentFacts
from gateway.billing.usage.recording import record_usage
from gateway.billing.usage.usage_record import UsageRecord
from gateway.clock import Clock
from gateway.errors import AlreadyRecorded, Fault, OutOfRange
from gateway.ids import KeyFactory
from gateway.money import format_amount
from gateway.principal import Actor
from gateway.store import Database, Transaction, accounts, usage_events
from gateway.store.engine.bitset import MAX_MEMBER
from gateway.store.engine.write import PIECE
from gateway.store.rows import AccountRow
from gateway.store.usage_units import MOST_UNITS

FUTURE_TOLERANCE: Final = timedelta(minutes=5)
"""How far a meter's clock may be ahead of ours."""


_CONFLICT: Final = (
    "An event with this `source` and `id` was already recorded with different content."
)
_SUM_OUT_OF_RANGE: Final = (
    "With this event, the balance or a total of a day, quarter hour or deployment would be out "
    "of range: money has 64 bits of nanos, a quantity has 38 digits, and an account has at most "
    f"{MAX_MEMBER + 1:,} deployments and, for a resource, {MOST_UNITS} units."
)


_UNCHARGED: Final = (
    "This correction exceeds the charges of the same source for this deployment and resource on "
    "the same day (UTC). A larger correction requires an API key with the scope credits:write."
)


class ItemCode(StrEnum):
    """Why an item was not booked."""

    INVALID = "INVALID"
    CONFLICT = "CONFLICT"
    TOO_LATE = "TOO_LATE"
    IN_FUTURE = "IN_FUTURE"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    FORBIDDEN = "FORBIDDEN"


class MeteredItem(NamedTuple):
    """An event as it was sent: for an account by the platform's name, its `record` without a key.

    `position` is its place in what was sent, from 0.
    """

    position: int
    account: str
    currency: str
    record: UsageRecord
    facts: DeploymentFacts | None


class RejectedItem(NamedTuple):
    """An item that was not booked: a code, its first fault as a sentence, and its listed faults."""

    position: int
    id: str | None
    code: ItemCode
    message: str
    faults: Sequence[Fault]


@dataclass(slots=True, kw_only=True)
class Ingested:
    """The outcome of a batch."""

    accepted: int = 0
    duplicates: int = 0
    rejected: list[RejectedItem] = field(default_factory=list)


async def ingest(
    database: Database,
    items: Sequence[MeteredItem],
    *,
    actor: Actor,
    clock: Clock,
    keys: KeyFactory,
    late_days: int,
    usage_delay_seconds: int,
    may_credit: bool = False,
) -> Ingested:
    """Book a batch in one transaction. Accounts that the actor may not write to look unknown to it.
    An actor that `may_credit` gives back any amount, every other one no more than its source
    charged.

    Rejected items have no effect. What is known already is a duplicate, however late it is. Where
    the batch as a whole would make a sum not fit, it is taken back and booked item by item: those
    with which a sum would not fit are OUT_OF_RANGE. One in which a known item turns up late is
    taken back too, and booked with all items looked up before.
    """
    book_items = partial(
        _book_items,
        items,
        actor=actor,
        clock=clock,
        keys=keys,
        late_days=late_days,
        usage_delay_seconds=usage_delay_seconds,
        may_credit=may_credit,
    )
    expects_new, one_by_one = True, False
    while True:
        try:
            async with database.writing(actor) as transaction:
                return await book_items(transaction, expects_new=expects_new, one_by_one=one_by_one)
        except AlreadyRecorded:
            if not expects_new:
                raise
        except OutOfRange:
            if one_by_one:
                raise
            one_by_one = True
        expects_new = False


async def _book_items(
    items: Sequence[MeteredItem],
    transaction: Transaction,
    *,
    actor: Actor,
    clock: Clock,
    keys: KeyFactory,
    late_days: int,
    usage_delay_seconds: int,
    may_credit: bool,
    expects_new: bool,
    one_by_one: bool,
) -> Ingested:
    result = Ingested()
    names = sorted({item.account for item in items})
    found = {
        row["external_id"]: row
        for row in await accounts.by_external_id(transaction, names)
        if actor.may_write(row["account_id"])
    }
    currencies = {name: row["currency"] for name, row in found.items()}
    known = [item for item in items if _is_known(item, currencies.get(item.account), result)]
    book = await Book.open(
        transaction,
        {found[item.account]["account_id"] for item in known},
        actor=actor,
        clock=clock,
        keys=keys,
        usage_delay_seconds=usage_delay_seconds,
    )
    timely = await _timely(known, found, book, late_days, result)
    records = await _records(timely, {name: row["account_id"] for name, row in found.items()})
    facts = [item.facts for item in timely]
    recorded = await record_usage(
        book,
        records,
        facts,
        one_by_one=one_by_one,
        only_charged=not may_credit,
        expects_new=expects_new,
    )
    book.acts += _corrections(book, recorded.corrected)
    await book.close()
    for positions, code, path, message in (
        (recorded.conflicts, ItemCode.CONFLICT, "id", _CONFLICT),
        (recorded.out_of_range, ItemCode.OUT_OF_RANGE, "", _SUM_OUT_OF_RANGE),
        (recorded.uncharged, ItemCode.FORBIDDEN, "amount", _UNCHARGED),
    ):
        result.rejected += [_rejected(timely[each], code, path, message) for each in positions]
    result.accepted, result.duplicates = recorded.accepted, recorded.duplicates
    result.rejected.sort()
    return result


def _corrections(book: Book, corrected: Mapping[int, int]) -> list[Act]:
    """Return the acts of correcting the usage of accounts by these nanos."""
    return [
        Act(
            Deed.USAGE_CORRECTED,
            account_id,
            details={
                "amount": format_amount(nanos, book.accounts[account_id].currency),
                "currency": book.accounts[account_id].currency,
            },
        )
        for account_id, nanos in corrected.items()
    ]


async def _records(
    items: Sequence[MeteredItem], account_ids: Mapping[str, int]
) -> list[UsageRecord]:
    """Return the records with their accounts' keys. Others have their turn after each piece."""
    records: list[UsageRecord] = []
    for first in range(0, len(items), PIECE):
        await asyncio.sleep(0)
        records += [
            UsageRecord._make((account_ids[item.account], *item.record[1:]))
            for item in items[first : first + PIECE]
        ]
    return records


def _is_known(item: MeteredItem, currency: str | None, result: Ingested) -> bool:
    """Say whether an item is in its account's currency; None where there is no account."""
    if currency == item.currency:
        return True
    path = "account" if currency is None else "currency"
    if currency is None:
        message = "`account`: not found, or this API key has no access to it."
    else:
        message = f"`currency`: the account's currency is {currency}; amounts are not converted."
    result.rejected.append(_rejected(item, ItemCode.INVALID, path, message))
    return False


async def _timely(
    items: Sequence[MeteredItem],
    found: Mapping[str, AccountRow],
    book: Book,
    late_days: int,
    result: Ingested,
) -> list[MeteredItem]:
    """Return the items that may be booked now, and the late ones that were booked in time."""
    earliest, latest = book.now - timedelta(days=late_days), book.now + FUTURE_TOLERANCE
    keys = {
        (found[item.account]["account_id"], *item.record[1:3])
        for item in items
        if item.record.started_at < earliest
    }
    booked = await usage_events.known(book.transaction, keys)
    timely = []
    for number, item in enumerate(items):
        if not number % PIECE:
            await asyncio.sleep(0)
        if item.record.started_at < earliest and (
            (found[item.account]["account_id"], *item.record[1:3]) not in booked
        ):
            message = f"`start`: usage may be sent until {late_days} days after it starts."
            result.rejected.append(_rejected(item, ItemCode.TOO_LATE, "start", message))
        elif item.record.ended_at > latest:
            message = "`end` lies in the future."
            result.rejected.append(_rejected(item, ItemCode.IN_FUTURE, "end", message))
        else:
            timely.append(item)
    return timely


def _rejected(item: MeteredItem, code: ItemCode, path: str, message: str) -> RejectedItem:
    faults = (Fault(path, message),)
    return RejectedItem(item.position, item.record.event_id, code, message, faults)
