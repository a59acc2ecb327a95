"""Rows that an earlier version imported: the same charges after the upgrade."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from gateway.clock import FixedClock
from gateway.exports.focus.imports.importer import import_focus
from gateway.exports.focus.imports.reader import FocusRejected
from gateway.exports.focus.imports.report import ImportReport
from gateway.migrations import migrate
from gateway.settings import load_settings
from gateway.store import Database, connect
from tests.gateway.exports.focus.imports.cost_files import write
from tests.support.books import NOW
from tests.support.raw import execute
from tests.support.tables import table_rows

START = datetime(2024, 9, 18, 22, tzinfo=UTC)
END = datetime(2024, 9, 18, 23, tzinfo=UTC)
ID = "0123456789abcdef0123456789abcdef"

# What each row of the file was as an event: id, deployment, quantity, amount, correction, provider.
EVENTS = [
    (ID, "7", 1_500_000_000, 1_250_000_000, "false", "'Cloud'"),
    (f"{ID}-2", "7", 1_500_000_000, 1_250_000_000, "false", "'Cloud'"),
    (ID[::-1], "NULL", 2, -123_456_789, "true", "'Cloud'"),
    (f"b{ID[1:]}", "NULL", 1_500_000_000, 1_250_000_000, "false", "'Other Cloud'"),
    # A meter may call itself so too.
    ("2024-09-18/1", "7", 1_500_000_000, 1_250_000_000, "false", "'Cloud'"),
]
MINE = [
    {},
    {},
    {"ResourceId": "", "ConsumedQuantity": "0.000000002", "BilledCost": "-0.12345678905"},
    {"ChargeCategory": "Tax", "BilledCost": "0.19"},
]
OTHERS = [{"ProviderName": "Other Cloud", "ResourceId": ""}]


def instant(at: datetime, url: str) -> str:
    sqlite = url.startswith("sqlite")
    return str(int(at.timestamp()) * 1_000_000) if sqlite else f"'{at.isoformat()}'"


async def fill(url: str) -> None:
    """Import the rows as the first version did."""
    start, end, empty = instant(START, url), instant(END, url), "X''"
    if not url.startswith("sqlite"):
        empty = "''::bytea"
    tax = "'Tax: GPU by the hour'"
    entries = [(f"usage:{version}", "USAGE", 0, "NULL") for version in range(1, 6)]
    entries += [(key, "ADJUSTMENT", -190_000_000, tax) for key in (f"focus:c{ID[1:]}", "other:1")]
    await execute(
        url,
        "INSERT INTO account (account_id, external_id, name, currency, time_zone, receipt_prefix, "
        "balance_nanos, ledger_version, balance_at, deployment_count, revision, created_at) VALUES "
        f"(1, 'acme', 'Acme', 'USD', 'UTC', 'ABCDEFGH', 0, 7, {start}, 1, 0, {start})",
        "INSERT INTO deployment (account_id, id, ordinal, external_id, spend_nanos, created_at, "
        f"started_at) VALUES (1, 7, 0, '18446744073709551615', 0, {start}, {start})",
        *(
            "INSERT INTO usage_event (account_id, source, event_id, fingerprint, deployment_id, "
            "resource, unit, quantity_nanos, amount_nanos, correction, provider, region, service, "
            "sku, started_at, ended_at, received_at, ledger_version) VALUES (1, 'focus', "
            f"'{id_}', {empty}, {deployment}, 'GPU', 'Hours', {quantity}, {amount}, {correction}, "
            f"{provider}, 'eu-1', 'Trainer', 'sku', {start}, {end}, {end}, {version})"
            for version, (id_, deployment, quantity, amount, correction, provider) in enumerate(
                EVENTS, 1
            )
        ),
        *(
            "INSERT INTO ledger_entry (account_id, version, cause, amount_nanos, balance_nanos, "
            f"source_key, description, effective_at, recorded_at) VALUES (1, {version}, '{cause}', "
            f"{amount}, 0, '{key}', {description}, {start}, {end})"
            for version, (key, cause, amount, description) in enumerate(entries, 1)
        ),
        "SELECT 1",
    )


@pytest.fixture
async def upgraded(empty_url: str) -> AsyncIterator[Database]:
    await migrate(empty_url, revision="0002")
    await fill(empty_url)
    await migrate(empty_url)
    database = await connect(load_settings(database_url=SecretStr(empty_url)))
    yield database
    await database.close()


async def take(database: Database, path: Path, *, restate: bool = False) -> ImportReport:
    return await import_focus(database, path, clock=FixedClock(NOW), restate=restate)


async def test_the_same_file_is_known_after_the_upgrade(upgraded: Database, tmp_path: Path) -> None:
    before = await table_rows(upgraded, "imported_charge")
    assert len(before) == 5
    for rows, known in ((MINE, (3, 1)), (OTHERS, (1, 0)), ([*MINE, *OTHERS], (4, 1))):
        report = await take(upgraded, write(tmp_path, *rows))
        assert (report.usage_known, report.adjustments_known) == known
        assert (report.usage_added, report.adjustments_added) == (0, 0)
    assert await table_rows(upgraded, "imported_charge") == before
    report = await take(upgraded, write(tmp_path, *MINE, {}))
    assert (report.usage_added, report.usage_known) == (1, 3)


async def test_rows_of_an_earlier_version_are_restated(upgraded: Database, tmp_path: Path) -> None:
    changed = write(tmp_path, {}, {"BilledCost": "2"}, *MINE[2:])
    with pytest.raises(FocusRejected, match="lacks 1 row imported before for account acme"):
        await take(upgraded, changed)
    report = await take(upgraded, changed, restate=True)
    assert (report.usage_corrected, report.usage_added, report.usage_known) == (1, 1, 2)
    report = await take(upgraded, write(tmp_path, *MINE), restate=True)
    assert (report.usage_corrected, report.usage_added, report.usage_known) == (1, 1, 2)
    [account] = await table_rows(upgraded, "account")
    assert account["balance_nanos"] == 0
    # The provider of a tax was not kept, and here is one of two: it is never missed.
    report = await take(upgraded, write(tmp_path, *MINE[:3]), restate=True)
    assert report.adjustments_corrected == 0
