"""An account's usage entries and their stored days, side by side in their order."""

from collections.abc import AsyncGenerator
from typing import Final

from sqlalchemy import BigInteger, bindparam, select

from gateway.models import LedgerCause
from gateway.store.engine.statement import Statement
from gateway.store.engine.stream import Chunk, Stream
from gateway.store.ledger import ENTRY
from gateway.store.ledger_days import DAY
from gateway.store.reconciliation.accounts import CHUNK_ROWS

_KEY: Final = bindparam("account_id", type_=BigInteger())
_NAMES: Final = ("version", "amount_nanos", "balance_nanos", "recorded_at")
_USAGE_ENTRIES: Final = Statement(
    select(*(ENTRY.c[name] for name in _NAMES))
    .where(ENTRY.c.account_id == _KEY, ENTRY.c.cause == LedgerCause.USAGE.value)
    .order_by(ENTRY.c.version)
)
_DAYS: Final = Statement(select(DAY).where(DAY.c.account_id == _KEY).order_by(DAY.c.day))


def usage_entries(stream: Stream, account_id: int) -> AsyncGenerator[Chunk]:
    """Return `version`, `amount_nanos`, `balance_nanos` and `recorded_at` of the usage entries."""
    return stream.chunks(_USAGE_ENTRIES, CHUNK_ROWS, account_id=account_id)


def days(stream: Stream, account_id: int) -> AsyncGenerator[Chunk]:
    """Return the stored days."""
    return stream.chunks(_DAYS, CHUNK_ROWS, account_id=account_id)
