"""What `gateway doctor` finds: nothing in books that are right, and each thing that is wrong."""

import re
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from gateway.billing.credits.posting import adjust_balance
from gateway.billing.ledger.source_key import SourceKey
from gateway.billing.reconciliation.accounts import reconcile_account
from gateway.billing.reconciliation.difference import Difference
from gateway.billing.statements.issuing import issue_next
from gateway.billing.usage.recording import record_usage
from gateway.cli.main import app
from gateway.clock import FixedClock
from gateway.dev.demo.fill import fill
from gateway.errors import NotFound
from gateway.ids import KeyFactory
from gateway.models import RefundStatus
from gateway.store import Database, reconciliation
from tests.gateway.billing.usage.test_recording import event
from tests.support.books import ACTOR, NOW, Books
from tests.support.facts import day, dispute, purchase, refund, save
from tests.support.raw import execute, execute_on_sqlite, same_database

ROLLUPS = {"quarter hour", "day", "breakdown of", "projects of"}
DERIVED = {*ROLLUPS, "what disputes hold"}
USAGE = {"usage entry's amount", "deployment's spend", *ROLLUPS}
LEDGER = {"ledger's usage of"}
WRONG = {
    "UPDATE ledger_entry SET version = version + 100 WHERE cause = 'ADJUSTMENT'": {
        "ledger entry's version"
    },
    "UPDATE ledger_entry SET balance_nanos = balance_nanos + 1 WHERE version = 1": {
        "ledger entry's balance"
    },
    "UPDATE ledger_entry SET recorded_at = effective_at WHERE version = 2": {
        "ledger entry's instant"
    },
    "UPDATE account SET balance_nanos = balance_nanos + 1": {"account's balance"},
    "UPDATE account SET ledger_version = ledger_version + 1": {"account's ledger version"},
    "UPDATE usage_event SET amount_nanos = amount_nanos + 1 WHERE event_id = '1'": USAGE,
    "UPDATE usage_event SET started_at = ended_at WHERE event_id = '1'": {
        "quarter hour",
    },
    "UPDATE usage_event SET ledger_version = 1000 WHERE event_id = '1'": {
        "usage entry's amount",
        "usage without its entry",
    },
    "UPDATE usage_event SET deployment_id = 7 WHERE event_id = '1'": {
        "usage of an unknown deployment",
        "deployment's spend",
        "breakdown of",
        "projects of",
    },
    "DELETE FROM usage_event WHERE event_id = '1'": USAGE,
    "UPDATE deployment SET spend_nanos = spend_nanos + 1": {"deployment's spend"},
    "UPDATE deployment SET ordinal = ordinal + 1": {
        "deployment's ordinal",
        "quarter hour",
        "day",
    },
    "UPDATE account SET deployment_count = 9": {"account's deployments"},
    "UPDATE credit_purchase SET bonus_nanos = bonus_nanos + 1": {"purchase's ledger entries"},
    "UPDATE refund SET amount_nanos = amount_nanos + 1": {
        "purchase's refunded sum",
        "credit note's total",
    },
    "UPDATE refund SET status = 'FAILED', settled_at = NULL WHERE settled_at IS NOT NULL": {
        "purchase's refunded sum",
        "credit note's cancellation",
    },
    "UPDATE receipt SET total_nanos = 1 WHERE cancels_id IS NOT NULL": {
        "credit note's cancellation"
    },
    "UPDATE dispute_movement SET amount_nanos = amount_nanos - 100000000": {"what disputes hold"},
    "UPDATE dispute SET held_nanos = 0": {"what disputes hold", "purchase's refunded sum"},
    "UPDATE receipt SET total_nanos = 1 WHERE refund_id IS NULL": {"receipt's total"},
    "DELETE FROM receipt WHERE refund_id IS NULL": {
        "receipt's total",
        "receipt's number",
    },
    "UPDATE credit_purchase SET receipted = FALSE": {"receipt's total", "credit note's total"},
    "UPDATE receipt SET sequence = 9 WHERE cancels_id IS NOT NULL": {
        "receipt's number",
        "last receipt's number",
    },
    "UPDATE receipt_sequence SET last_sequence = 9": {"last receipt's number"},
    "UPDATE statement SET opening_nanos = 7 WHERE month = '2026-12'": {
        "statement's opening balance"
    },
    "UPDATE statement SET closing_nanos = 7 WHERE month = '2026-12'": {
        "statement's closing balance"
    },
    "UPDATE statement SET first_version = 1 WHERE month = '2026-12'": {"statement's versions"},
    "UPDATE rollup_slot SET spent_nanos = spent_nanos + 1": {"quarter hour"},
    "UPDATE rollup_day SET resources = '{}'": {"day"},
    "DELETE FROM rollup_day": {"day"},
    "UPDATE rollup_day SET day = '2001-01-01' WHERE spent_nanos > 0": {"day"},
    "UPDATE rollup_activity SET events = 5": {"breakdown of"},
    "DELETE FROM rollup_activity": {"breakdown of"},
    "UPDATE rollup_project SET spent_nanos = spent_nanos + 1": {"projects of"},
    "DELETE FROM rollup_project": {"projects of"},
    "UPDATE ledger_day SET amount_nanos = amount_nanos + 1": {"ledger's usage of"},
    "UPDATE ledger_day SET first_version = version": {"ledger's usage of"},
    "DELETE FROM ledger_day": {"ledger's usage of"},
}


@pytest.fixture
async def owner_url(request: pytest.FixtureRequest, database_url: str) -> str:
    if database_url.startswith("sqlite"):
        return database_url
    return same_database(request.getfixturevalue("postgres_template"), database_url)


LATER = FixedClock(datetime(2027, 1, 2, tzinfo=UTC))


async def make_account(books: Books, name: str) -> int:
    """Make an account to which something of everything has happened."""
    account_id = await books.account(name, time_zone="Asia/Kathmandu")
    settled = purchase(account_id, succeeded_at=day(1))
    failed = refund("re_2", "5", status=RefundStatus.FAILED, has_succeeded=True)
    await save(books, account_id, settled, refund("re_1", "30"), failed, dispute("1", ("-1", NOW)))
    for event_id in ("1", "2"):
        async with books.open([account_id]) as book:
            await record_usage(book, [event(account_id, event_id, deployment="box", project="a")])
    async with books.open([account_id]) as book:
        adjust_balance(book, account_id, 5, source=SourceKey.adjustment("a"), occurred_at=NOW)
    keys = KeyFactory(LATER)
    for _ in range(2):
        assert await issue_next(books.database, account_id, actor=ACTOR, clock=LATER, keys=keys)
    return account_id


async def found_in(database: Database) -> list[Difference]:
    async with database.exporting(ACTOR) as stream:
        return [
            difference
            for account in await reconciliation.accounts.accounts(stream)
            async for difference in reconcile_account(stream, account)
        ]


def of_account(statement: str, account_id: int) -> str:
    before, _, condition = statement.partition(" WHERE ")
    return f"{before} WHERE account_id = {account_id} AND ({condition or 'TRUE'})"


async def change(url: str, statement: str) -> None:
    """Change facts, as only somebody can who takes the triggers away first."""
    table = statement.removeprefix("DELETE FROM ").removeprefix("UPDATE ").split()[0]
    if url.startswith("sqlite"):
        triggers = [
            f"DROP TRIGGER IF EXISTS {table}_refuses_{verb}" for verb in ("update", "delete")
        ]
        await execute(url, *triggers, statement)
    else:
        disable, enable = (
            f"ALTER TABLE {table} {verb} TRIGGER USER" for verb in ("DISABLE", "ENABLE")
        )
        await execute(url, disable, statement, enable)


async def test_what_is_wrong_is_found_and_nothing_else(
    database: Database, books: Books, owner_url: str
) -> None:
    accounts = {str(n): await make_account(books, str(n)) for n in range(len(WRONG))}
    assert await found_in(database) == []
    for statement, account_id in zip(WRONG, accounts.values(), strict=True):
        await change(owner_url, of_account(statement, account_id))
    found = await found_in(database)
    assert {
        statement: {each.what for each in found if each.account == name}
        for name, statement in zip(accounts, WRONG, strict=True)
    } == WRONG
    assert set().union(*WRONG.values()) == {*reconciliation.accounts.CHECKS, *DERIVED, *LEDGER}


async def test_a_difference_says_what_is_stored_and_what_should_be(
    database: Database, books: Books, owner_url: str
) -> None:
    account_id = await make_account(books, "acme")
    await change(owner_url, of_account("UPDATE rollup_activity SET events = 5", account_id))
    (found,) = await found_in(database)
    assert re.sub(r"\d{10,}", "…", str(found)) == (
        "acme: breakdown of (2026-11-02 … / GPU / provider-7 / h100 events): "
        "5 is stored, 2 follows from the facts"
    )


async def test_nothing_is_found_in_a_whole_story(database: Database) -> None:
    await fill(database, clock=FixedClock(NOW), days=30)
    assert await found_in(database) == []


def test_the_command_tells_by_its_exit_code(
    sqlite_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_DATABASE_URL", sqlite_database_url)
    run = CliRunner()
    assert run.invoke(app, ["account", "create", "acme", "--name", "Acme"]).exit_code == 0
    healthy = run.invoke(app, ["doctor"])
    assert (healthy.exit_code, healthy.stdout) == (0, "No difference in 1 account.\n")
    execute_on_sqlite(sqlite_database_url, ("UPDATE account SET balance_nanos = 5",))
    ill = run.invoke(app, ["doctor", "--account", "acme"])
    assert ill.exit_code == 1
    assert ill.stdout == (
        "acme: account's balance: 5 is stored, 0 follows from the facts\n"
        "1 difference in 1 account.\n"
    )
    assert isinstance(run.invoke(app, ["doctor", "--account", "nobody"]).exception, NotFound)
