"""Low balances that change with time alone: the burn rate rises or falls while nothing is
written.
"""

from collections.abc import Sequence
from typing import Final

import structlog

from gateway.billing.balance.book_balances import LowBalances
from gateway.billing.balance.low_balance import find_low
from gateway.billing.book import Book
from gateway.billing.book_account import BookAccount
from gateway.clock import Clock
from gateway.errors import ServiceUnavailable
from gateway.ids import KeyFactory
from gateway.principal import Actor
from gateway.store import Database, Snapshot, accounts
from gateway.store.rows import LockedAccount
from gateway.work.jobs import NoPayload, Task
from gateway.work.periodic import Periodic
from gateway.work.tasks import Tasks

SWEEP_SECONDS: Final = 600
"""About how long a low balance may go untold where nothing is written."""
SWEEP: Final = Task(name="low_balance.sweep", payload=NoPayload, timeout_seconds=SWEEP_SECONDS)
ACTOR: Final = Actor.job(SWEEP.name)
TOGETHER: Final = 500
"""Accounts of one statement."""

log = structlog.get_logger(__name__)


async def sweep(database: Database, *, clock: Clock, usage_delay_seconds: int) -> int:
    """Bring the states of the accounts with a threshold in days up to date; return how many
    changed. Only accounts that change are locked; a concurrent sweep finds nothing to do. An
    account that cannot be looked at is logged, and keeps nobody else from their turn.
    """
    after, changed = -1, 0
    while True:
        async with Snapshot(database, ACTOR) as snapshot:
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
                    log.exception("low_balance.check_failed", account_id=row["account_id"])
        if len(rows) < TOGETHER:
            return changed
        after = rows[-1]["account_id"]


async def _sweep_rows(
    database: Database, rows: Sequence[LockedAccount], clock: Clock, usage_delay_seconds: int
) -> int:
    holders = [BookAccount.from_row(row) for row in rows]
    async with Snapshot(database, ACTOR) as snapshot:
        states = await find_low(
            snapshot, holders, now=clock.now(), usage_delay_seconds=usage_delay_seconds
        )
    stale = [each.account_id for each in holders if states[each.account_id] is not each.low]
    return await _reassess(database, stale, clock, usage_delay_seconds) if stale else 0


async def _reassess(
    database: Database, account_ids: list[int], clock: Clock, usage_delay_seconds: int
) -> int:
    async with database.writing(ACTOR) as transaction:
        book = await Book.open(
            transaction,
            account_ids,
            actor=ACTOR,
            clock=clock,
            keys=KeyFactory(clock),
            usage_delay_seconds=usage_delay_seconds,
        )
        for account_id in account_ids:
            book.part(LowBalances).reassess(account_id)
        await book.close()
        return sum(each.low is not each.stored_low for each in book.accounts.values())


def register(tasks: Tasks, database: Database, clock: Clock, usage_delay_seconds: int) -> None:
    """Have the sweep run now and again, in one process."""

    async def run() -> None:
        await sweep(database, clock=clock, usage_delay_seconds=usage_delay_seconds)

    tasks.add_periodic(Periodic(task=SWEEP, seconds=SWEEP_SECONDS, at_once=False), run)
