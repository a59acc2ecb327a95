"""An account's usage entries and their stored days, side by side in their order."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Final, TypedDict

from sqlalchemy import BigInteger, bindparam, select

from gateway.models import LedgerCause
from gateway.store.engine.statement import Statement
from gateway.store.engine.stream import Chunk, Stream
from gateway.store.ledger import ENTRY
from gateway.store.ledger_days import DAY
from gateway.store.reconciliation.accounts import CHUNK_ROWS
from gateway.store.rows import LedgerDayRow

_KEY: Final = bindparam("account_id", type_=BigInteger())


class UsageEntryRow(TypedDict):
    """A usage entry."""

    version: int
    amount_nanos: int
    balance_nanos: int
    recorded_at: datetime


_USAGE_ENTRIES: Final = Statement[UsageEntryRow](
    select(*(ENTRY.c[name] for name in UsageEntryRow.__annotations__))
    .where(ENTRY.c.account_id == _KEY, ENTRY.c.cause == LedgerCause.USAGE.value)
    .order_by(ENTRY.c.version)
)
_DAYS: Final = Statement[LedgerDayRow](
    select(DAY).where(DAY.c.account_id == _KEY).order_by(DAY.c.day)
)


def usage_entries(stream: Stream, account_id: int) -> AsyncGenerator[Chunk[UsageEntryRow]]:
    """Return the usage entries."""
    return stream.chunks(_USAGE_ENTRIES, CHUNK_ROWS, account_id=account_id)


def days(stream: Stream, account_id: int) -> AsyncGenerator[Chunk[LedgerDayRow]]:
    """Return the stored days."""
    return stream.chunks(_DAYS, CHUNK_ROWS, account_id=account_id)
