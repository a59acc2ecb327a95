"""The demo's story: all of it there, the same each time, in one part or in several."""

import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from gateway.clock import FixedClock
from gateway.dev.demo.fill import fill
from gateway.dev.demo.people import find_people
from gateway.models import (
    CreditPurchaseKind,
    CreditPurchaseStatus,
    DisputeStatus,
    LedgerCause,
    RefundStatus,
)
from gateway.settings import load_settings
from gateway.store import Database, connect
from gateway.store.engine import bitset
from gateway.store.engine.stored_json import loads
from gateway.store.taxes import parse_taxes
from tests.support.books import NOW
from tests.support.invariants import check_books
from tests.support.tables import all_rows, table_rows

CLOCK = FixedClock(NOW)
DAYS = 60
BEGIN = datetime(2026, 9, 24, tzinfo=UTC)
Fresh = Callable[[], AbstractAsyncContextManager[Database]]


@pytest.fixture
def fresh(sqlite_template: Path, tmp_path: Path) -> Fresh:
    """Return what opens one empty database after another."""
    names = iter(range(100))

    @asynccontextmanager
    async def make() -> AsyncIterator[Database]:
        path = tmp_path / f"{next(names)}.sqlite3"
        shutil.copyfile(sqlite_template, path)
        database = await connect(load_settings(database_url=SecretStr(f"sqlite:///{path}")))
        yield database
        await database.close()

    return make


async def test_story_has_everything_and_its_books_are_right(database: Database) -> None:
    report = await fill(database, clock=CLOCK, days=DAYS)
    stored = await all_rows(database)
    await check_books(database)

    assert report.events == len(stored["usage_event"]) > 10_000
    purchases = stored["credit_purchase"]
    assert {row["status"] for row in purchases} == set(CreditPurchaseStatus)
    assert {row["kind"] for row in purchases} == set(CreditPurchaseKind)
    assert {row["payment_method_type"] for row in purchases} >= {
        *("CARD", "WALLET", "LINK", "BANK_ACCOUNT")
    }
    assert all(row["failure_reason"] for row in purchases if row["status"] == "FAILED")
    assert any(row["bonus_reversed_nanos"] for row in purchases)
    assert {row["status"] for row in stored["refund"]} == {
        *(RefundStatus.SUCCEEDED, RefundStatus.FAILED)
    }
    assert {row["state"] for row in stored["dispute"]} == set(DisputeStatus)
    entries = stored["ledger_entry"]
    assert all(row["description"] for row in entries if row["cause"] == "ADJUSTMENT")
    assert {row["cause"] for row in entries} == set(LedgerCause)
    # A refund that was booked failed after all: its entry is taken back.
    assert {row["amount_nanos"] > 0 for row in entries if row["cause"] == "REFUND"} == {True, False}
    # Its last weeks were recorded day by day.
    recorded = Counter(row["account_id"] for row in stored["ledger_day"])
    assert recorded.most_common(1)[0][1] >= 40

    deployments = stored["deployment"]
    assert {row["closed_at"] is None for row in deployments} == {True, False}
    assert all(2**63 <= int(row["external_id"]) < 2**64 for row in deployments)
    events = stored["usage_event"]
    assert {row["resource"] for row in events} == {
        *("CPU", "MEMORY", "STORAGE", "GPU", "NETWORK", "IP", "OTHER")
    }
    assert [row["amount_nanos"] < 0 for row in events if row["correction"]] == [True]
    assert any(row["deployment_id"] is None for row in events)


async def test_accounts_differ_as_accounts_do(database: Database) -> None:
    await fill(database, clock=CLOCK, days=DAYS)
    accounts = {row["external_id"]: row for row in await table_rows(database, "account")}
    assert {row["currency"] for row in accounts.values()} == {"USD", "JPY", "KWD", "EUR"}
    assert accounts["demo-render"]["balance_nanos"] < 0
    assert accounts["demo-new"]["ledger_version"] == 0
    others = set(accounts) - {"demo-render", "demo-new"}
    assert all(accounts[name]["balance_nanos"] > 0 for name in others)
    low = {name: row["low_balance"] for name, row in accounts.items() if row["low_balance"]}
    assert low == {"demo-render": "MONEY", "demo-falcon": "DAYS"}
    days = await table_rows(database, "rollup_day")
    tiny = accounts["demo-tinker"]["account_id"]
    spent = {row["spent_nanos"] for row in days if row["account_id"] == tiny}
    assert max(spent) == 799_992

    # The leader's documents name it and its tax; the taxes of each purchase add up.
    leader = accounts["demo-aurora"]["account_id"]
    for table in ("receipt", "statement"):
        rows = [row for row in await table_rows(database, table) if row["account_id"] == leader]
        documents = [loads(row["data"]) for row in rows]
        assert {each["buyer"]["billing"]["taxId"] for each in documents} == {"VAT ID DE000000000"}
        taxes = {
            (tax["name"], tax["percentage"]) for each in documents for tax in each.get("taxes", ())
        }
        assert taxes == {("VAT", "19")}
    rows = await table_rows(database, "credit_purchase")
    purchases = [row for row in rows if row["settled_at"]]
    lines = [parse_taxes(row["taxes"]) for row in purchases]
    assert {len(each) for each in lines} == {0, 1, 2}
    assert [sum(line.nanos for line in each) for each in lines] == [
        row["tax_nanos"] for row in purchases
    ]


async def test_usage_is_there_up_to_an_hour_ago(database: Database) -> None:
    await fill(database, clock=CLOCK, days=DAYS)
    started = [row["started_at"] for row in await table_rows(database, "usage_event")]
    assert max(started) < NOW - timedelta(hours=1) <= max(started) + timedelta(hours=1)


async def test_second_filling_changes_nothing(database: Database) -> None:
    await fill(database, clock=CLOCK, days=DAYS)
    before = await all_rows(database)
    assert (await fill(database, clock=CLOCK, days=DAYS)).events == 0
    assert await all_rows(database) == before


async def test_story_told_in_parts_is_the_story_told_at_once(fresh: Fresh) -> None:
    async with fresh() as whole, fresh() as parts:
        await fill(whole, clock=CLOCK, days=DAYS, begin=BEGIN)
        for hours in (31 * 24 + 7, 57 * 24 + 13, 58 * 24 + 1):
            end = BEGIN + timedelta(hours=hours, minutes=10)
            await fill(parts, clock=CLOCK, days=DAYS, begin=BEGIN, end=end)
        await fill(parts, clock=CLOCK, days=DAYS)
        await check_books(parts)
        assert await facts(parts) == await facts(whole)


async def repeatable_rows(database: Database) -> dict[str, Any]:
    """Return what is stored without the keys of audit events, of which no seed decides."""
    stored = await all_rows(database)
    for event in stored["audit_event"]:
        del event["id"]
    stored["audit_event"].sort(key=str)
    return stored


async def facts(database: Database) -> dict[str, Any]:
    """Return what is stored without keys, versions, revisions and times of recording."""
    stored = await all_rows(database)
    accounts = {row["account_id"]: row["external_id"] for row in stored["account"]}
    names = {
        (row["account_id"], row[key]): row["external_id"]
        for row in stored["deployment"]
        for key in ("id", "ordinal")
    }
    hidden = {"id", "purchase_id", "fingerprint", "received_at", "ordinal"}
    hidden |= {"ledger_version", "revision"}

    def as_text(row: dict[str, Any]) -> str:
        account_id = row["account_id"]
        said = {key: value for key, value in row.items() if key not in hidden | {"created_at"}}
        said["account_id"] = accounts[account_id]
        if row.get("deployment_id"):
            said["deployment_id"] = names[account_id, row["deployment_id"]]
        if "deployments" in row:
            members = bitset.members(bitset.decode(row["deployments"]))
            said["deployments"] = sorted(names[account_id, each] for each in members)
        return repr(sorted(said.items()))

    tables = ("credit_purchase", "refund", "dispute", "deployment", "usage_event")
    rollups = ("rollup_day", "rollup_slot", "rollup_activity")
    return {name: sorted(map(as_text, stored[name])) for name in (*tables, *rollups)}


async def test_same_seed_and_end_give_the_same_rows_and_another_seed_others(fresh: Fresh) -> None:
    async with fresh() as one, fresh() as two, fresh() as other:
        await fill(one, clock=CLOCK, days=20)
        await fill(two, clock=CLOCK, days=20)
        await fill(other, clock=CLOCK, days=20, seed=7)
        assert await repeatable_rows(one) == await repeatable_rows(two)
        assert await facts(one) != await facts(other)


async def test_interrupted_filling_is_gone_on_with(fresh: Fresh) -> None:
    class Interrupted(Exception):
        pass

    def interrupt(done: int, _total: int) -> None:
        if done == 4:
            raise Interrupted

    async with fresh() as whole, fresh() as parts:
        await fill(whole, clock=CLOCK, days=DAYS)
        with pytest.raises(Interrupted):
            await fill(parts, clock=CLOCK, days=DAYS, progress=interrupt)
        await fill(parts, clock=CLOCK, days=DAYS)
        assert await facts(parts) == await facts(whole)


async def test_people_have_their_accounts_and_not_each_others(database: Database) -> None:
    assert [person.accounts for person in await find_people(database)] == [(), ()]
    report = await fill(database, clock=CLOCK, days=3)
    ada, grace = await find_people(database)
    assert report.people == (ada, grace)
    assert (ada.subject, grace.subject) == ("ada@demo", "grace@demo")
    mine = {account.name for account in ada.accounts}
    hers = {account.name for account in grace.accounts}
    assert (len(mine), len(hers)) == (6, 4)
    assert hers - mine == {"Рендер-ферма «Искра»"}
    assert "صقر للذكاء الاصطناعي" in mine - hers
    assert all(account.id.startswith("acct_") for account in ada.accounts)
