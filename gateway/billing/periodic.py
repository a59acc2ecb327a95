"""The periodic tasks of billing, and the jobs that they defer."""

from gateway.billing.balance import low_balance_sweep
from gateway.billing.statements.sweep import StatementJobs
from gateway.billing.usage import packing
from gateway.billing.zone_changes import ZoneChanges
from gateway.clock import Clock
from gateway.store import Database
from gateway.work.outbox import Outbox
from gateway.work.tasks import Tasks


def register(
    tasks: Tasks,
    database: Database,
    clock: Clock,
    outbox: Outbox,
    *,
    usage_delay_seconds: int,
    issues_statements: bool,
) -> None:
    """Have each task run now and again, in one process."""
    low_balance_sweep.register(tasks, database, clock, usage_delay_seconds)
    packing.register(tasks, database, clock)
    StatementJobs(database, clock, outbox, is_on=issues_statements).register(tasks)
    ZoneChanges(database, outbox).register(tasks)
