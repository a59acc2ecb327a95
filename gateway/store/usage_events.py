"""Usage events: which of a batch are known, and adding those that are not."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, String, and_, select

from gateway.models import UsageEvent, table_of
from gateway.store.database import Transaction
from gateway.store.statement import DialectName, Statement, batch

EVENT: Final = table_of(UsageEvent)
COLUMNS: Final = tuple(column.name for column in EVENT.columns)

EventKey = tuple[int, str, str]
"""account, source, event id"""


def _known(dialect: DialectName) -> Any:
    wanted = batch(dialect, account_id=BigInteger(), source=String(), event_id=String())
    same = and_(
        EVENT.c.account_id == wanted.c.account_id,
        EVENT.c.source == wanted.c.source,
        EVENT.c.event_id == wanted.c.event_id,
    )
    return select(wanted.c.n, EVENT.c.fingerprint).select_from(wanted.join(EVENT, same))


_KNOWN: Final = Statement(_known)


async def known(transaction: Transaction, keys: Sequence[EventKey]) -> dict[int, bytes]:
    """Return the fingerprints of those events that are there, by position in `keys`."""
    accounts, sources, event_ids = zip(*keys, strict=True)
    rows = await transaction.fetch(
        _KNOWN, account_id=list(accounts), source=list(sources), event_id=list(event_ids)
    )
    return {row["n"] - 1: row["fingerprint"] for row in rows}


async def append(transaction: Transaction, events: Sequence[Sequence[Any]]) -> None:
    """Add events, cells in the order of `COLUMNS`."""
    await transaction.insert(EVENT, COLUMNS, events)
