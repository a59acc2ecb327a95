"""Deletes old audit events: those of reads before those of deeds."""

from datetime import datetime, timedelta
from typing import Final

from gateway.audit.deeds import Deed
from gateway.clock import Clock
from gateway.ids import first_key
from gateway.principal import Actor
from gateway.settings.audit import AuditSettings
from gateway.store import Database, audit_events
from gateway.work.jobs import NoPayload, Task
from gateway.work.periodic import Periodic
from gateway.work.tasks import Tasks

RETENTION: Final = Task(name="audit.retention", payload=NoPayload, timeout_seconds=600)
ACTOR: Final = Actor.job(RETENTION.name)
PAUSE_SECONDS: Final = 3_600
TOGETHER: Final = 2_000
"""Most events of one transaction."""


async def delete_old(database: Database, now: datetime, settings: AuditSettings) -> int:
    """Delete the events that are older than their retention; return their number."""
    reads = await _delete(database, now - timedelta(days=settings.read_days), Deed.DATA_READ)
    return reads + await _delete(database, now - timedelta(days=settings.days), None)


async def _delete(database: Database, before: datetime, deed: Deed | None) -> int:
    deleted = 0
    while True:
        async with database.writing(ACTOR) as transaction:
            found = await audit_events.delete_before(
                transaction, first_key(before), most=TOGETHER, deed=deed
            )
        deleted += found
        if found < TOGETHER:
            return deleted


def register(tasks: Tasks, database: Database, clock: Clock, settings: AuditSettings) -> None:
    """Have one process delete old events every hour."""

    async def run() -> None:
        await delete_old(database, clock.now(), settings)

    tasks.add_periodic(Periodic(task=RETENTION, seconds=PAUSE_SECONDS, at_once=False), run)
