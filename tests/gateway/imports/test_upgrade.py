"""Rows that an earlier version imported: the same charges after the upgrade."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from gateway.clock import FixedClock
from gateway.imports.focus import FocusRejected
from gateway.imports.focus_rows import FocusAccount
from gateway.imports.importer import import_focus
from gateway.store import Database
from tests.gateway.imports.cost_files import write
from tests.gateway.imports.test_importer import SAMPLE
from tests.support.books import NOW
from tests.support.invariants import check_books
from tests.support.tables import table_rows

MIGRATION = importlib.import_module("gateway.migrations.versions.0011_imported_charges")


async def upgrade(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what rows charge, as an earlier version did not keep it, and derive it again."""
    monkeypatch.setattr(MIGRATION, "create_imported_charge", lambda: None)
    monkeypatch.setattr(MIGRATION, "PART", 100)

    def derive(connection: Connection) -> None:
        connection.exec_driver_sql("DELETE FROM imported_charge")
        with Operations.context(MigrationContext.configure(connection)):
            MIGRATION.upgrade()

    await on(url, derive)


async def on(url: str, change: Callable[[Connection], None]) -> None:
    if url.startswith("sqlite"):
        engine = create_engine(url, poolclass=NullPool)
        with engine.begin() as connection:
            change(connection)
        return
    address = make_url(url).set(drivername="postgresql+asyncpg")
    async_engine = create_async_engine(address, poolclass=NullPool)
    async with async_engine.begin() as async_connection:
        await async_connection.run_sync(change)
    await async_engine.dispose()


async def charges(database: Database) -> list[tuple[Any, ...]]:
    rows = await table_rows(database, "imported_charge")
    return [(row["digest"], row["event_id"], row["is_usage"], row["started_at"]) for row in rows]


async def test_a_real_file_is_known_after_the_upgrade(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await import_focus(database, SAMPLE, account_by=FocusAccount.SUB)
    before = await charges(database)
    await upgrade(database_url, monkeypatch)
    assert await charges(database) == before
    report = await import_focus(database, SAMPLE, account_by=FocusAccount.SUB)
    assert (report.usage_added, report.adjustments_added) == (0, 0)
    assert (report.usage_known, report.adjustments_known) == (997, 3)


async def test_an_earlier_versions_rows_can_be_restated(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tax = {"ChargeCategory": "Tax", "BilledCost": "0.19"}
    clock = FixedClock(NOW)
    for name in ("Cloud", "Other Cloud"):
        of = {"ProviderName": name}
        await import_focus(database, write(tmp_path, of, of, tax | of), clock=clock)
    await upgrade(database_url, monkeypatch)
    changed = write(tmp_path, {}, {"BilledCost": "2"})
    with pytest.raises(FocusRejected, match="lacks 1 row imported before"):
        await import_focus(database, changed, clock=clock)
    for number in (1, 2):
        report = await import_focus(database, changed, clock=clock, restate=True)
        assert report.usage_corrected == (number == 1)
    # Which provider the two taxes are of was not kept, so they are left as they are.
    assert await check_books(database) == [-2 * 190_000_000 - 3 * 1_250_000_000 - 2 * 10**9]


async def test_events_that_no_file_had_are_left_alone(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await import_focus(database, write(tmp_path, {}, {}), clock=FixedClock(NOW))
    monkeypatch.setattr(MIGRATION, "IMPORTED", MIGRATION.re.compile("[^-]*"))
    await upgrade(database_url, monkeypatch)
    assert len(await charges(database)) == 1
