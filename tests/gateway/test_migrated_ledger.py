"""A ledger that was kept before people could read it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from gateway.migrations import migrate
from gateway.settings import Settings
from gateway.store import connect
from tests.support.invariants import check_ledger, check_ledger_days
from tests.support.raw import REFUSALS, execute
from tests.support.tables import table_rows

EVENING = datetime(2026, 11, 1, 17, tzinfo=UTC)
"""75 minutes before midnight in Kathmandu."""

# Cause, source key, and the minutes after which it was recorded.
ENTRIES = [
    ("PURCHASE", "purchase:11", 0),
    ("USAGE", "usage:2", 10),
    ("REFUND", "refund:21", 20),
    ("USAGE", "usage:4", 74),
    ("DISPUTE", "dispute:51", 80),
    ("USAGE", "usage:6", 85),
    ("REFUND", "refund:21:7", 83),  # by a process with a slower clock
    ("DISPUTE", "dispute-release:51:21", 90),
    ("DISPUTE", "dispute-won:51:9", 90),
    ("BONUS", "bonus-reversal:51", 91),
    ("BONUS", "bonus-reversal:21:11", 92),
    ("BONUS", "bonus:21", 93),
    ("ADJUSTMENT", "adjustment:refund:21", 94),
    ("USAGE", "usage:14", 95),
]


def instant(minutes: int, *, sqlite: bool) -> str:
    at = EVENING + timedelta(minutes=minutes)
    return str(int(at.timestamp()) * 1_000_000) if sqlite else f"'{at.isoformat()}'"


def statements(*, sqlite: bool) -> list[str]:
    begin = instant(0, sqlite=sqlite)
    found = [
        (
            "INSERT INTO account (account_id, external_id, name, currency, time_zone, receipt_prefix, "
            "balance_nanos, ledger_version, balance_at, deployment_count, revision, created_at) VALUES "
            f"(1, 'acme', 'Acme', 'USD', 'Asia/Kathmandu', 'ABCDEFGH', 14, 14, {begin}, 0, 0, {begin})"
        ),
        (
            "INSERT INTO credit_purchase (account_id, id, kind, status, currency, amount_nanos, "
            "tax_nanos, bonus_nanos, refunded_nanos, bonus_reversed_nanos, disputed_nanos, created_at, "
            f"settled_at, revision) SELECT 1, 11, 'CARD', 'SUCCEEDED', 'USD', 9, 0, 0, 0, 0, 0, "
            f"{begin}, {begin}, 0"
        ),
        (
            "INSERT INTO refund (account_id, id, purchase_id, status, currency, amount_nanos, "
            f"tax_nanos, bonus_reversed_nanos, created_at) SELECT 1, 21, 11, 'PENDING', 'USD', 1, 0, "
            f"0, {begin}"
        ),
        (
            "INSERT INTO dispute (account_id, id, purchase_id, state, amount_nanos, debited_nanos, "
            f"credited_nanos, created_at) SELECT 1, 51, 11, 'OPEN', 1, 0, 0, {begin}"
        ),
    ]
    for version, (cause, source_key, minutes) in enumerate(ENTRIES, 1):
        purchase = "NULL" if cause in {"USAGE", "ADJUSTMENT"} else "11"
        found.append(
            "INSERT INTO ledger_entry (account_id, version, cause, amount_nanos, balance_nanos, "
            "source_key, purchase_id, effective_at, recorded_at) SELECT "
            f"1, {version}, '{cause}', 1, {version}, '{source_key}', {purchase}, {begin}, "
            f"{instant(minutes, sqlite=sqlite)}"
        )
    return [*found, "SELECT 1"]


@pytest.fixture
async def tables(empty_url: str) -> dict[str, list[dict[str, Any]]]:
    """The account and its ledger after the migration."""
    await migrate(empty_url, revision="0002")
    await execute(empty_url, *statements(sqlite=empty_url.startswith("sqlite")))
    await migrate(empty_url)
    database = await connect(Settings(database_url=SecretStr(empty_url)))
    try:
        names = ("account", "ledger_entry", "ledger_day")
        return {name: await table_rows(database, name) for name in names}
    finally:
        await database.close()


async def test_refunds_and_disputes_are_named_in_columns(
    tables: dict[str, list[dict[str, Any]]],
) -> None:
    named = [(row["refund_id"], row["dispute_id"]) for row in tables["ledger_entry"]]
    refund, dispute, nothing = (21, None), (None, 51), (None, None)
    assert named == [
        *(nothing, nothing, refund, nothing, dispute, nothing, refund),
        *((21, 51), dispute, dispute, refund, nothing, nothing, nothing),
    ]
    assert [row["source_key"] for row in tables["ledger_entry"]] == [each[1] for each in ENTRIES]
    check_ledger(tables["account"][0], tables["ledger_entry"])


async def test_usage_is_added_up_by_the_accounts_days(
    tables: dict[str, list[dict[str, Any]]],
) -> None:
    (account,) = tables["account"]
    check_ledger_days(account, tables)
    days = [(row["day"], row["amount_nanos"], row["version"]) for row in tables["ledger_day"]]
    assert days == [(date(2026, 11, 1), 2, 4), (date(2026, 11, 2), 2, 14)]
    assert account["balance_at"] == EVENING + timedelta(minutes=95)
    # No entry is recorded before the one before it any more.
    assert tables["ledger_entry"][6]["recorded_at"] == EVENING + timedelta(minutes=85)


@pytest.mark.usefixtures("tables")
async def test_the_ledger_stays_append_only(empty_url: str) -> None:
    for change in ("UPDATE ledger_entry SET version = version", "DELETE FROM ledger_entry"):
        with pytest.raises(REFUSALS, match="never changed"):
            await execute(empty_url, change)
