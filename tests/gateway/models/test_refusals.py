"""What the databases themselves refuse, whoever asks."""

from typing import Any

import pytest
from sqlalchemy import text

from gateway.billing.usage.recording import record_usage
from gateway.receipts.seller import Seller, keep_seller
from gateway.store import Database, Statement
from tests.gateway.billing.usage.test_recording import event
from tests.support import rows
from tests.support.books import ACTOR, Books
from tests.support.facts import day, dispute, purchase, refund, save
from tests.support.raw import REFUSALS, execute, same_database
from tests.support.tables import all_rows

FACTS = ("ledger_entry", "receipt", "seller", "statement", "usage_event")
SELLER = Seller(details='{"name":"Northwind"}')


@pytest.fixture
async def owner_url(request: pytest.FixtureRequest, database_url: str) -> str:
    """The URL of the role that owns the tables; SQLite has no roles."""
    if database_url.startswith("sqlite"):
        return database_url
    return same_database(request.getfixturevalue("postgres_template"), database_url)


@pytest.fixture
async def full(database: Database) -> Database:
    """A database with a row in every table of facts."""
    books = Books(database)
    await keep_seller(database, SELLER, books.clock, actor=ACTOR)
    account_id = await books.account("acme")
    await books.account("euro", currency="EUR")
    settled = purchase(account_id, succeeded_at=day(1))
    await save(books, account_id, settled, refund("re_1", "30"), dispute("1", ("-1", day(5))))
    async with books.open([account_id]) as book:
        await record_usage(book, [event(account_id, "1")])
    await rows.put(database, rows.statement(account_id, 1, number="S"))
    return database


def key_of(table: str) -> str:
    return "id" if table == "seller" else "account_id"


@pytest.mark.parametrize("table", FACTS)
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {table} SET {key} = {key}", "DELETE FROM {table}", "TRUNCATE {table} CASCADE"],
)
async def test_facts_are_not_changed_even_by_the_owner(
    full: Database, database_url: str, owner_url: str, table: str, statement: str
) -> None:
    before = await all_rows(full)
    for url in {database_url, owner_url}:
        with pytest.raises(REFUSALS, match=r"never changed|permission denied|syntax error"):
            await execute(url, statement.format(table=table, key=key_of(table)))
    assert await all_rows(full) == before


@pytest.mark.parametrize("table", FACTS)
async def test_facts_are_not_replaced_by_an_insert(full: Database, table: str) -> None:
    before = await all_rows(full)
    replace = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
    if full.dialect == "postgresql":
        replace = (
            f"INSERT INTO {table} SELECT * FROM {table} "
            f"ON CONFLICT ON CONSTRAINT pk_{table} DO UPDATE SET {key_of(table)} = 1"
        )
    with pytest.raises(REFUSALS, match=r"never changed|permission denied"):
        async with full.writing(ACTOR) as transaction:
            await transaction.execute(Statement(text(replace)))
    assert await all_rows(full) == before


RECEIPT = (
    "INSERT INTO receipt (account_id, id, number, year, sequence, purchase_id, currency, "
    "total_nanos, tax_nanos, issued_at, data"
)
BAD_ROWS = {
    "negative refunded": "UPDATE credit_purchase SET refunded_nanos = -1",
    "more refunded than paid": "UPDATE credit_purchase SET refunded_nanos = amount_nanos + 1",
    "more disputed than refunded": "UPDATE credit_purchase SET disputed_nanos = refunded_nanos + 1",
    "more bonus reversed": "UPDATE credit_purchase SET bonus_reversed_nanos = bonus_nanos + 1",
    "nothing bought": "UPDATE credit_purchase SET amount_nanos = 0, refunded_nanos = 0",
    "negative tax": "UPDATE credit_purchase SET tax_nanos = -1",
    "settled without a time": "UPDATE credit_purchase SET settled_at = NULL",
    "a time without settling": "UPDATE credit_purchase SET status = 'PENDING'",
    "unknown status": "UPDATE credit_purchase SET status = 'PAID'",
    "unknown kind": "UPDATE credit_purchase SET kind = 'GIFT'",
    "unknown method": "UPDATE credit_purchase SET payment_method_type = 'CASH'",
    "another currency": "UPDATE credit_purchase SET currency = 'EUR'",
    "another currency of a refund": "UPDATE refund SET currency = 'EUR'",
    "another currency of the account": "UPDATE account SET currency = 'EUR' "
    "WHERE external_id = 'acme'",
    "a refund of nothing": "UPDATE refund SET amount_nanos = 0",
    "a refund booked without success": "UPDATE refund SET status = 'FAILED'",
    "unknown refund status": "UPDATE refund SET status = 'DONE'",
    "a dispute that holds less than nothing": "UPDATE dispute SET held_nanos = -1",
    "a movement without its dispute": "UPDATE dispute_movement SET dispute_id = 1",
    "unknown dispute state": "UPDATE dispute SET state = 'SHUT'",
    "negative version": "UPDATE account SET ledger_version = -1",
    "currency of two letters": "UPDATE account SET currency = 'EU' WHERE external_id = 'euro'",
    "a second account of a name": "UPDATE account SET external_id = 'acme'",
    "a shared receipt prefix": "UPDATE account SET receipt_prefix = '00000000'",
    "a deployment closed before its start": "UPDATE deployment SET closed_at = {early}",
    "a purchase without its account": "UPDATE credit_purchase SET account_id = 1",
    "an account with rows removed": "DELETE FROM account WHERE external_id = 'acme'",
    "a purchase with entries removed": "DELETE FROM credit_purchase",
    "a source booked twice": "INSERT INTO ledger_entry (account_id, version, cause, amount_nanos, "
    "balance_nanos, source_key, effective_at, recorded_at) SELECT account_id, version + 100, cause,"
    " amount_nanos, balance_nanos, source_key, effective_at, recorded_at FROM ledger_entry",
    "unknown cause": "INSERT INTO ledger_entry (account_id, version, cause, amount_nanos, "
    "balance_nanos, source_key, effective_at, recorded_at) SELECT account_id, version + 100, 'TIP',"
    " amount_nanos, balance_nanos, 'x', effective_at, recorded_at FROM ledger_entry "
    "WHERE version = 1",
    "a second receipt of a purchase": f"{RECEIPT}) SELECT account_id, id + 100, 'x', year, "
    "sequence + 100, purchase_id, currency, total_nanos, tax_nanos, issued_at, data "
    "FROM receipt WHERE refund_id IS NULL",
    "a cancellation of a receipt": f"{RECEIPT}, cancels_id) SELECT account_id, id + 100, 'x', "
    "year, sequence + 100, purchase_id, currency, total_nanos, tax_nanos, issued_at, data, id "
    "FROM receipt WHERE refund_id IS NULL",
    "a second credit note of a refund": f"{RECEIPT}, refund_id) SELECT account_id, id + 100, 'x', "
    "year, sequence + 100, purchase_id, currency, total_nanos, tax_nanos, issued_at, data, "
    "refund_id FROM receipt WHERE refund_id IS NOT NULL",
    "a second cancellation of a credit note": f"{RECEIPT}, refund_id, cancels_id) SELECT "
    "account_id, id + n, 'x' || n, year, sequence + n, purchase_id, currency, total_nanos, "
    "tax_nanos, issued_at, data, refund_id, id "
    "FROM receipt, (SELECT 100 AS n UNION ALL SELECT 200) AS twice WHERE refund_id IS NOT NULL",
}


@pytest.mark.parametrize("name", BAD_ROWS)
async def test_a_row_that_cannot_be_is_refused(full: Database, owner_url: str, name: str) -> None:
    before = await all_rows(full)
    early = "'2001-01-01'" if full.dialect == "postgresql" else "1"
    with pytest.raises(REFUSALS, match=r"(?i)constraint|too long|unique"):
        await execute(owner_url, BAD_ROWS[name].replace("{early}", early))
    assert await all_rows(full) == before


@pytest.fixture
async def as_runtime(postgres_database_url: str) -> Any:
    async def run(statement: str) -> list[tuple[Any, ...]]:
        return await execute(postgres_database_url, statement)

    return run


async def test_the_runtime_role_is_no_one_special(as_runtime: Any) -> None:
    (role,) = await as_runtime(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication "
        "FROM pg_roles WHERE rolname = current_user"
    )
    assert role == (False, False, False, False, False)
    owned = await as_runtime("SELECT tablename FROM pg_tables WHERE tableowner = current_user")
    assert owned == []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE account ADD COLUMN more integer",
        "DROP TABLE receipt",
        "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
        "DROP TRIGGER ledger_entry_is_append_only ON ledger_entry",
        "CREATE TABLE mine (id integer)",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE sql AS 'SELECT 1'",
        "SET LOCAL session_replication_role = replica",
        "UPDATE alembic_version SET version_num = '0000'",
        "TRUNCATE ledger_entry",
        "UPDATE receipt SET total_nanos = 0",
        "DELETE FROM usage_event",
    ],
)
async def test_the_runtime_role_cannot_change_what_it_serves(
    as_runtime: Any, statement: str
) -> None:
    with pytest.raises(REFUSALS, match=r"must be owner|permission denied"):
        await as_runtime(statement)


async def test_the_runtime_role_may_do_what_serving_needs(as_runtime: Any) -> None:
    tables = await as_runtime(
        "SELECT tablename, has_table_privilege(tablename::regclass, 'SELECT, INSERT'), "
        "has_table_privilege(tablename::regclass, 'SELECT'), "
        "has_table_privilege(tablename::regclass, 'UPDATE'), "
        "has_table_privilege(tablename::regclass, 'DELETE') "
        "FROM pg_tables WHERE schemaname = 'public'"
    )
    for name, _, may_select, may_update, may_delete in tables:
        changes = name not in {*FACTS, "audit_event", "alembic_version"}
        deletes = changes or name == "audit_event"  # old events, which a trigger tells from young
        assert (may_select, may_update, may_delete) == (True, changes, deletes), name
