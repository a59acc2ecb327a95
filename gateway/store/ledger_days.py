"""The ledger's usage by the account's own day of recording: the sum of a day's entries, its
first and its last one, merged into what is there under the accounts' locks.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final, NamedTuple, Self, TypedDict
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Date, Table, and_, select

from gateway.models import LedgerCause, LedgerDay, table_of
from gateway.money import checked
from gateway.store.engine.database import Transaction
from gateway.store.engine.parameters import batch
from gateway.store.engine.sql import DialectName, Query
from gateway.store.engine.statement import Statement
from gateway.store.engine.write import Upsert
from gateway.store.ledger import Posting
from gateway.windows import local_day

DAY: Final = table_of(LedgerDay)


class UsageEntry(NamedTuple):
    """A day's cells from its first and its last usage entry."""

    version: int
    amount_nanos: int
    balance_nanos: int
    recorded_at: datetime

    @classmethod
    def of(cls, posting: Posting) -> Self:
        return cls(
            posting.version, posting.amount_nanos, posting.balance_nanos, posting.recorded_at
        )


class _Amount(TypedDict):
    account_id: int
    amount_nanos: int


class Day(NamedTuple):
    """A day's cells."""

    account_id: int
    day: date
    amount_nanos: int
    opening_nanos: int
    balance_nanos: int
    first_version: int
    first_at: datetime
    version: int
    recorded_at: datetime

    @classmethod
    def between(
        cls,
        account_id: int,
        day: date,
        amount_nanos: int,
        first: UsageEntry,
        last: UsageEntry,
    ) -> Self:
        """Return the day of which these are the first and the last usage entry."""
        return cls(
            account_id=account_id,
            day=day,
            amount_nanos=checked(amount_nanos),
            opening_nanos=first.balance_nanos - first.amount_nanos,
            balance_nanos=last.balance_nanos,
            first_version=first.version,
            first_at=first.recorded_at,
            version=last.version,
            recorded_at=last.recorded_at,
        )


def merging(table: Table) -> Upsert[Day]:
    """Return the statement that adds later entries to the days of a table."""
    kept = ("opening_nanos", "first_version", "first_at")
    return Upsert(table, Day, added=("amount_nanos",), kept=kept)


_MERGE: Final = merging(DAY)


def _amounts(dialect: DialectName) -> Query:
    wanted = batch(dialect, account_id=BigInteger(), day=Date())
    same = and_(DAY.c.account_id == wanted.c.account_id, DAY.c.day == wanted.c.day)
    return select(DAY.c.account_id, DAY.c.amount_nanos).select_from(wanted.join(DAY, same))


_AMOUNTS: Final = Statement[_Amount](_amounts)


async def amounts(transaction: Transaction, days: Mapping[int, date]) -> dict[int, int]:
    """Return the recorded usage of a day of each account, by account; accounts without usage are
    absent.
    """
    rows = await transaction.fetch(_AMOUNTS, account_id=list(days), day=list(days.values()))
    return {row["account_id"]: row["amount_nanos"] for row in rows}


async def merge(
    transaction: Transaction, postings: Iterable[Posting], zones: Mapping[int, ZoneInfo]
) -> None:
    """Add the usage entries among `postings`, in the order of their versions, to their days."""
    days: dict[tuple[int, date], list[Posting]] = {}
    for posting in postings:
        if posting.cause == LedgerCause.USAGE.value:
            day = local_day(posting.recorded_at, zones[posting.account_id])
            days.setdefault((posting.account_id, day), []).append(posting)
    await save(
        transaction,
        [
            Day.between(
                *place,
                sum(each.amount_nanos for each in entries),
                UsageEntry.of(entries[0]),
                UsageEntry.of(entries[-1]),
            )
            for place, entries in days.items()
        ],
    )


async def save(transaction: Transaction, days: Iterable[Day]) -> None:
    """Add days, or add later entries to existing days."""
    await transaction.upsert(_MERGE, [*days])
