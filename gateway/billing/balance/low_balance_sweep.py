"""Low balances that time alone changes: what is used up, or burns no more, while nothing is
written.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog

from gateway.billing.balance.low_balance import find_low
from gateway.billing.book import Book, BookAccount
from gateway.clock import Clock
from gateway.errors import GatewayError, ServiceUnavailable
from gateway.ids import KeyFactory
from gateway.store import Database, Row, Snapshot, accounts

SWEEP_SECONDS: Final = 600
"""About how long a low balance may go untold where nothing is written."""
TOGETHER: Final = 500
"""Accounts of one statement."""

log = structlog.get_logger(__name__)


async def sweep(database: Database, *, clock: Clock, usage_delay_seconds: int) -> int:
    """Bring the states of the accounts with a threshold in days up to date; return how many
    changed. Only those that change are locked, and whoever sweeps beside finds nothing to do. An
    account that cannot be looked at is logged, and keeps nobody else from their turn.
    """
    after, changed = -1, 0
    while True:
        async with Snapshot(database) as snapshot:
            rows = await accounts.warned_by_days(snapshot, after=after, limit=TOGETHER)
        try:
            changed += await _sweep_rows(database, rows, clock, usage_delay_seconds)
        except ServiceUnavailable:
            raise
        except Exception:
            # One of them is at fault: the others have their turn each by itself.
            for row in rows:
                try:
                    changed += await _sweep_rows(database, [row], clock, usage_delay_seconds)
                except ServiceUnavailable:
                    raise
                except Exception:
                    log.exception("low_balance.not_looked_at", account_id=row["account_id"])
        if len(rows) < TOGETHER:
            return changed
        after = rows[-1]["account_id"]


async def _sweep_rows(
    database: Database, rows: Sequence[Row], clock: Clock, usage_delay_seconds: int
) -> int:
    holders = [BookAccount.from_row(row) for row in rows]
    async with Snapshot(database) as snapshot:
        states = await find_low(
            snapshot, holders, now=clock.now(), usage_delay_seconds=usage_delay_seconds
        )
    stale = [each.account_id for each in holders if states[each.account_id] is not each.low]
    return await _reassess(database, stale, clock, usage_delay_seconds) if stale else 0


async def _reassess(
    database: Database, account_ids: list[int], clock: Clock, usage_delay_seconds: int
) -> int:
    async with database.writing() as transaction:
        book = await Book.open(
            transaction,
            account_ids,
            clock=clock,
            keys=KeyFactory(clock),
            usage_delay_seconds=usage_delay_seconds,
        )
        for account_id in account_ids:
            book.reassess(account_id)
        await book.close()
        return sum(each.low is not each.stored_low for each in book.accounts.values())


@asynccontextmanager
async def sweeping(
    database: Database, clock: Clock, usage_delay_seconds: int, seconds: float = SWEEP_SECONDS
) -> AsyncIterator[None]:
    """Sweep now and again while entered; nothing that fails ends it."""
    leaving = asyncio.Event()

    async def keep_sweeping() -> None:
        while not leaving.is_set():
            # Not all processes at once.
            pause = random.uniform(seconds / 2, seconds * 3 / 2)  # noqa: S311  # only spreads load
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await leaving.wait()
                    return
            try:
                await sweep(database, clock=clock, usage_delay_seconds=usage_delay_seconds)
            except GatewayError as error:
                log.warning("low_balance.not_looked_at", reason=error.message)
            except Exception:
                log.exception("low_balance.not_looked_at")

    task = asyncio.create_task(keep_sweeping())
    try:
        yield
    finally:
        leaving.set()
        await task
