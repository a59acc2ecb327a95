"""A ledger that was kept before people could read it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from gateway.migrations import migrate
from gateway.settings import load_settings
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


def insert(table: str, cells: dict[str, Any]) -> str:
    return f"INSERT INTO {table} ({', '.join(cells)}) SELECT {', '.join(map(str, cells.values()))}"


def statements(*, sqlite: bool) -> list[str]:
    begin = instant(0, sqlite=sqlite)
    own, purchase = {"account_id": 1}, {"account_id": 1, "purchase_id": 11}
    taken = {"created_at": begin, "amount_nanos": 1}
    zeros = ("tax_nanos", "bonus_nanos", "refunded_nanos", "bonus_reversed_nanos", "disputed_nanos")
    found = [
        insert(
            "account",
            own
            | {"external_id": "'acme'", "name": "'Acme'", "currency": "'USD'"}
            | {"time_zone": "'Asia/Kathmandu'", "receipt_prefix": "'ABCDEFGH'"}
            | {"balance_nanos": len(ENTRIES), "ledger_version": len(ENTRIES)}
            | {"balance_at": begin, "created_at": begin, "deployment_count": 0, "revision": 0},
        ),
        insert(
            "credit_purchase",
            own
            | {"id": 11, "kind": "'CARD'", "status": "'SUCCEEDED'", "currency": "'USD'"}
            | {"amount_nanos": 9, "created_at": begin, "settled_at": begin, "revision": 0}
            | dict.fromkeys(zeros, 0),
        ),
        insert(
            "refund",
            purchase
            | taken
            | {"id": 21, "status": "'PENDING'", "currency": "'USD'"}
            | {"tax_nanos": 0, "bonus_reversed_nanos": 0},
        ),
        insert(
            "dispute",
            purchase
            | taken
            | {"id": 51, "state": "'OPEN'", "debited_nanos": 0, "credited_nanos": 0},
        ),
    ]
    for version, (cause, source_key, minutes) in enumerate(ENTRIES, 1):
        belongs = cause not in {"USAGE", "ADJUSTMENT"}
        cells = (purchase if belongs else own) | {
            "version": version,
            "cause": f"'{cause}'",
            "amount_nanos": 1,
            "balance_nanos": version,
            "source_key": f"'{source_key}'",
            "effective_at": begin,
            "recorded_at": instant(minutes, sqlite=sqlite),
        }
        found.append(insert("ledger_entry", cells))
    return [*found, "SELECT 1"]


@pytest.fixture
async def tables(empty_url: str) -> dict[str, list[dict[str, Any]]]:
    """The account and its ledger after the migration."""
    await migrate(empty_url, revision="0002")
    await execute(empty_url, *statements(sqlite=empty_url.startswith("sqlite")))
    await migrate(empty_url)
    database = await connect(load_settings(database_url=SecretStr(empty_url)))
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
