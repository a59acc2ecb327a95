"""Row-level security: Postgres itself shows and writes the rows of the caller's accounts alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import BigInteger, Text, bindparam, column, text

from gateway.links import LEDGER_PATH, PURCHASES_PATH, USAGE_PATH
from gateway.migrations import switch_row_security
from gateway.models import AccountMember, metadata, table_of
from gateway.principal import Actor, ActorKind, Caller, Permission, Principal
from gateway.settings import load_settings
from gateway.store import Database, Snapshot, Statement, Transaction, connect
from gateway.store.account_listing import ACCOUNT_BY_ID
from gateway.store.accounts import MemberCells
from gateway.store.engine.parameters import ListOf
from gateway.store.engine.write import Insert
from tests.support.books import ACTOR
from tests.support.graph import ADA, BOB, PLATFORM
from tests.support.raw import EVERY_ACCOUNT, REFUSALS, execute, same_database
from tests.support.row_security import remove_filter
from tests.support.rows import T0, account, member, purchase, put, receipt
from tests.support.sent import noted
from tests.support.served import serving

MINE, THEIRS = 1, 2
SHOWN_TO_ALL = {"seller"}
"""Tables without account data: the seller is the same for all accounts."""
READ = frozenset({Permission.BILLING_READ})


def key(account_id: int | None, *scopes: Permission) -> Principal:
    return Principal(subject="key", key_id="k", account_id=account_id, scopes=frozenset(scopes))


def writer(*account_ids: int) -> Actor:
    return Actor(kind=ActorKind.API_KEY, name="k", accounts=frozenset(account_ids))


CALLERS: list[tuple[Caller, list[int]]] = [
    (ADA, [MINE]),
    (BOB, [THEIRS]),
    (Principal(subject="eve"), []),
    (Principal(subject="o'; DROP TABLE account; --"), []),
    (key(MINE, Permission.BILLING_READ), [MINE]),
    (key(MINE, Permission.USAGE_WRITE), []),
    (key(None, Permission.USAGE_WRITE), []),
    (PLATFORM, [MINE, THEIRS]),
    (writer(THEIRS), [THEIRS]),
    (writer(), []),
    (Actor.of(ADA), [MINE]),
    (Actor.job("sweep"), [MINE, THEIRS]),
    (Actor.provider("stripe"), [MINE, THEIRS]),
]


class _Key(TypedDict):
    account_id: int


IDS = Statement[_Key](
    text("SELECT account_id FROM account ORDER BY account_id").columns(
        column("account_id", BigInteger())
    )
)


class _Listed(_Key):
    listed: str


NAMING = Statement[_Listed](
    text(
        "SELECT account_id, current_setting('app.accounts') AS listed FROM account "
        "WHERE :account_id IS NOT NULL ORDER BY account_id"
    )
    .bindparams(bindparam("account_id", type_=ListOf(BigInteger())))
    .columns(column("account_id", BigInteger()), column("listed", Text()))
)
"""Names accounts, and reads every account."""


@pytest.fixture
async def database(postgres_database_url: str) -> AsyncIterator[Database]:
    """A database with one connection for reads, so that callers take turns on it."""
    settings = load_settings(
        database_url=SecretStr(postgres_database_url),
        database_pool_size=3,
        database_pool_wait_seconds=60,
    )
    opened = await connect(settings)
    for account_id, name in ((MINE, "ada"), (THEIRS, "bob")):
        await put(
            opened,
            account(account_id),
            member(account_id, name),
            purchase(account_id, 11),
            receipt(account_id, 31, 11),
        )
    yield opened
    await opened.close()


async def seen(database: Database, caller: Caller) -> list[int]:
    async with Snapshot(database, caller) as snapshot:
        return [row["account_id"] for row in await snapshot.fetch(IDS)]


async def test_every_table_with_account_data_has_policies(postgres_database_url: str) -> None:
    rows = await execute(
        postgres_database_url,
        "SELECT relname, relrowsecurity AND relforcerowsecurity, "
        "(SELECT string_agg(p.polcmd::text, '' ORDER BY p.polcmd::text COLLATE \"C\") "
        "FROM pg_policy p WHERE p.polrelid = c.oid) FROM pg_class c "
        "WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace",
    )
    protected = {name for name, enforced, commands in rows if enforced and commands == "adrw"}
    tables = {name for name, _, _ in rows} - {"alembic_version"}
    assert tables == metadata.tables.keys()
    # A new table: `protect` in its migration (docs/development.md).
    assert tables - protected == SHOWN_TO_ALL


async def test_callers_see_their_accounts_on_one_connection(database: Database) -> None:
    for _ in range(2):
        for caller, expected in CALLERS:
            assert await seen(database, caller) == expected, caller


async def test_callers_see_their_accounts_in_one_statement_without_a_transaction(
    database: Database,
) -> None:
    ids = IDS.compiled("postgresql").bind({})
    for caller, expected in [*CALLERS, *CALLERS]:
        found = await database.read_once(caller, [ids, ids])
        assert found is not None
        for rows in found:
            assert [row["account_id"] for row in rows] == expected, caller
        await nobody_is_admitted(database)
        assert await seen(database, ADA) == [MINE]  # in a transaction, which stays open


async def test_accounts_that_a_statement_names_show_no_others(database: Database) -> None:
    for named in ([MINE], [THEIRS], [MINE, THEIRS, 99], []):
        statement = NAMING.compiled("postgresql").bind({"account_id": named})
        for caller, expected in CALLERS:
            found = await database.read_once(caller, [statement, statement])
            assert found is not None
            for rows in found:
                assert [row["account_id"] for row in rows] == expected, (caller, named)
        for caller, mine in ((ADA, MINE), (BOB, THEIRS)):
            (rows,) = await database.read_once(caller, [statement]) or []
            assert rows[0]["listed"] == (f"{{{mine}}}" if mine in named else "{}")


async def nobody_is_admitted(database: Database) -> None:
    pool = database._pool  # type: ignore[attr-defined]
    connection = await pool.acquire("read")
    if connection.is_in_transaction():
        await connection.execute("ROLLBACK")  # as whoever gets it does
    for name in ("app.accounts", "app.principal"):
        assert not await connection.fetchval("SELECT current_setting($1, true)", name)
    assert await connection.fetch("SELECT FROM account") == []
    pool.release("read", connection)


async def test_callers_write_their_accounts_alone(database: Database) -> None:
    rename = Statement[None](text("UPDATE account SET name = 'changed'"))
    changed = Statement[_Key](
        text("SELECT account_id FROM account WHERE name = 'changed' ORDER BY account_id").columns(
            column("account_id", BigInteger())
        )
    )

    class TakenBackError(Exception):
        """Ends a transaction without its changes."""

    for caller, expected in CALLERS:
        with suppress(TakenBackError):
            async with database.writing(caller) as transaction:
                await transaction.execute(rename)
                rows = await transaction.fetch(changed)
                assert [row["account_id"] for row in rows] == expected, caller
                raise TakenBackError


async def test_settings_end_with_their_transaction(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.reading(PLATFORM):
            raise ZeroDivisionError
    assert await seen(database, ADA) == [MINE]
    await nobody_is_admitted(database)


async def test_without_a_caller_nothing_is_seen(
    database: Database, postgres_database_url: str
) -> None:
    connection = await asyncpg.connect(postgres_database_url)
    for table in sorted(metadata.tables.keys() - SHOWN_TO_ALL):
        assert await connection.fetchval(f'SELECT count(*) FROM "{table}"') == 0
    await connection.execute(f"SET app.accounts = '{EVERY_ACCOUNT['app.accounts']}'")
    assert await connection.fetchval("SELECT count(*) FROM receipt") == 2
    await connection.close()


OTHERS = {
    "account": "UPDATE account SET account_id = 2 WHERE account_id = 1",
    "receipt_sequence": "INSERT INTO receipt_sequence VALUES (2, 2026, 1)",
    "account_member": "INSERT INTO account_member VALUES (2, 'ada', 'OWNER', now())",
    "api_key": "INSERT INTO api_key VALUES ('k', NULL, 'n', '', '', now())",
    "job": "INSERT INTO job (id, queue, task, payload, is_periodic, state, due_at, attempts, "
    "created_at) VALUES (1, 'q', 't', '{}', false, 'WAITING', now(), 0, now())",
    "webhook_invoice": "INSERT INTO webhook_invoice VALUES ('stripe', 'p', 'i')",
}


@pytest.mark.parametrize("caller", [writer(MINE), Actor.of(ADA)], ids=["key", "person"])
@pytest.mark.parametrize("table", OTHERS)
async def test_rows_of_others_are_not_written(
    database: Database, caller: Actor, table: str
) -> None:
    with pytest.raises(REFUSALS, match=f'row-level security policy for table "{table}"'):
        async with database.writing(caller) as transaction:
            await transaction.execute(Statement[None](text(OTHERS[table])))


async def test_a_person_changes_no_membership(database: Database) -> None:
    async with database.writing(Actor.of(ADA)) as transaction:
        await transaction.execute(Statement[None](text("UPDATE account_member SET role = 'X'")))
        await transaction.execute(Statement[None](text("DELETE FROM account_member")))
    assert await seen(database, ADA) == [MINE]


async def test_people_see_more_accounts_than_a_page_has(database: Database) -> None:
    many = range(1_000, 1_130)
    await put(database, *(account(each) for each in many))
    await put(database, *(member(each, "staff") for each in many))
    assert await seen(database, Principal(subject="staff")) == [*many]


async def test_a_removed_filter_shows_others_without_it(
    database: Database,
    postgres_url: str,
    postgres_database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    remove_filter(monkeypatch)

    async def found() -> list[bool]:
        async with Snapshot(database, ADA) as snapshot:
            rows = await ACCOUNT_BY_ID.fetch(snapshot, ADA, [(MINE,), (THEIRS,)])
        return [row is not None for row in rows]

    owner_url = same_database(postgres_url, postgres_database_url)
    assert await found() == [True, False]
    states = await switch_row_security(owner_url, on=False)
    assert {each.is_enforced for each in states} == {False}
    assert await found() == [True, True]
    await switch_row_security(owner_url, on=True)
    assert await found() == [True, False]


@pytest.mark.parametrize("is_on", [True, False])
async def test_one_statement_reads_the_memberships_of_all_it_names(
    postgres_url: str,
    postgres_database_url: str,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    is_on: bool,
) -> None:
    """The tenant filter holds with and without row-level security, also where the memberships of
    statements that are sent together are looked up once.
    """
    sent = noted(monkeypatch, "fetch")

    async def found(principal: Principal) -> list[list[bool]]:
        async with Snapshot(database, principal) as snapshot:
            snapshot.begin(reads_once=True)
            reading = (
                ACCOUNT_BY_ID.fetch(snapshot, principal, [(each,)]) for each in (MINE, THEIRS)
            )
            rows = await asyncio.gather(*reading)
            assert not snapshot.is_cut_short
            return [[row is not None for row in each] for each in rows]

    owner_url = same_database(postgres_url, postgres_database_url)
    await switch_row_security(owner_url, on=is_on)
    assert await found(ADA) == [[True], [False]]
    assert await found(BOB) == [[False], [True]]
    assert await found(Principal(subject="eve")) == [[False], [False]]
    assert await found(PLATFORM) == [[True], [True]]
    assert len(sent) == 4
    assert not any("EXISTS" in each for each in sent)
    await switch_row_security(owner_url, on=True)


@pytest.mark.parametrize("path", [PURCHASES_PATH, USAGE_PATH, LEDGER_PATH])
async def test_files_of_others_are_missing_without_the_filter(
    database: Database,
    postgres_database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    remove_filter(monkeypatch)
    async with serving(database, postgres_database_url, tmp_path) as served:
        headers = await served.key(Permission.BILLING_READ, account_id=MINE)
        for named, status in (("customer-1", 200), ("customer-2", 404)):
            answer = await served.client.get(path, params={"account": named}, headers=headers)
            assert answer.status_code == status, answer.text


async def _load(transaction: Transaction, members: Sequence[tuple[int, str]]) -> None:
    rows = [MemberCells(account_id, subject, "VIEWER", T0) for account_id, subject in members]
    await transaction.insert(Insert(table_of(AccountMember), MemberCells), rows)


async def test_many_rows_are_refused_like_one(database: Database) -> None:
    members = [(account_id, f"s{n}") for n in range(300) for account_id in (MINE, THEIRS)]
    with pytest.raises(REFUSALS, match="row-level security"):
        async with database.writing(writer(MINE)) as transaction:
            await _load(transaction, members)
    async with database.writing(ACTOR) as transaction:
        for part in (members[:300], members[300:]):  # both by way of one temporary table
            await _load(transaction, part)
    async with Snapshot(database, ACTOR) as snapshot:
        count = Statement[_Key](
            text("SELECT count(*) AS account_id FROM account_member").columns(
                column("account_id", BigInteger())
            )
        )
        assert [row["account_id"] for row in await snapshot.fetch(count)] == [602]
