"""Row-level security in databases of earlier versions: off until the operator turns it on."""

import asyncio
import secrets

import asyncpg
import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.errors import ServiceUnavailable
from gateway.migrations import migrate, row_security, switch_row_security
from tests.support.raw import REFUSALS, execute

EARLIER = "0018"
"""The last revision without policies."""
AN_ACCOUNT = (
    "INSERT INTO account (account_id, external_id, name, currency, time_zone, receipt_prefix, "
    "balance_nanos, ledger_version, balance_at, deployment_count, revision, created_at) "
    "VALUES (1, 'acme', 'Acme', 'USD', 'UTC', 'AAAAAAAA', 0, 0, now(), 0, 1, now())"
)
A_MEMBER = (
    "INSERT INTO account_member (account_id, subject, role, created_at) "
    "VALUES (1, 'ada', 'OWNER', now())"
)
COUNT = "SELECT count(*) FROM account"


@pytest.fixture
async def runtime_url(empty_postgres_url: str) -> str:
    """The URL of the role that serves a database with an account that an earlier version made."""
    url = make_url(empty_postgres_url).set(username=f"serves_{secrets.token_hex(4)}", password="p")
    text = url.render_as_string(hide_password=False)
    await migrate(empty_postgres_url, runtime_url=text, revision=EARLIER)
    await execute(text, AN_ACCOUNT, A_MEMBER, "SELECT 1")
    await migrate(empty_postgres_url, runtime_url=text)
    return text


async def count(url: str) -> int:
    """Return how many accounts a version sees that names no caller."""
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(COUNT))
    finally:
        await connection.close()


async def test_an_earlier_version_still_runs(empty_postgres_url: str, runtime_url: str) -> None:
    assert await count(runtime_url) == 1
    await switch_row_security(empty_postgres_url, on=True)
    assert await count(runtime_url) == 0
    await switch_row_security(empty_postgres_url, on=False)
    assert await count(runtime_url) == 1


async def test_a_later_table_is_protected_like_the_others(
    empty_postgres_url: str, runtime_url: str
) -> None:
    await switch_row_security(empty_postgres_url, on=True)
    await execute(
        empty_postgres_url,
        "CREATE TABLE later (account_id bigint)",
        "CREATE POLICY rows_seen ON later FOR SELECT USING (false)",
        "INSERT INTO later VALUES (1)",
        "SELECT 1",
    )
    await migrate(empty_postgres_url, runtime_url=runtime_url)
    states = await switch_row_security(empty_postgres_url, on=None)
    assert ("later", True) in states
    assert {is_enforced for _, is_enforced in states} == {True}


async def test_the_policies_bind_the_owner(empty_postgres_url: str, runtime_url: str) -> None:
    owner = f"owns_{secrets.token_hex(4)}"
    tables = "SELECT string_agg('ALTER TABLE ' || quote_ident(tablename) || ' OWNER TO "
    (alter,) = await execute(
        empty_postgres_url,
        f"CREATE ROLE {owner} LOGIN PASSWORD 'p'",
        f"GRANT CREATE, USAGE ON SCHEMA public TO {owner}",
        f"{tables}{owner}', '; ') FROM pg_tables WHERE schemaname = 'public'",
    )
    await execute(empty_postgres_url, *str(alter[0]).split("; "), "SELECT 1")
    url = make_url(empty_postgres_url).set(username=owner, password="p")
    owner_url = url.render_as_string(hide_password=False)
    await switch_row_security(owner_url, on=True)
    assert await count(owner_url) == 0
    await migrate(owner_url, runtime_url=runtime_url)  # with every row in sight


async def test_the_role_may_make_temporary_tables(
    empty_postgres_url: str, runtime_url: str
) -> None:
    name = make_url(empty_postgres_url).database
    await execute(
        empty_postgres_url, f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC", "SELECT 1"
    )
    staging = "CREATE TEMPORARY TABLE staged AS SELECT 1"
    with pytest.raises(REFUSALS, match="permission denied"):
        await execute(runtime_url, staging, "SELECT 1")
    await migrate(empty_postgres_url, runtime_url=runtime_url)
    await execute(runtime_url, staging, "SELECT 1")


async def test_a_table_in_use_is_a_sentence(
    empty_postgres_url: str, runtime_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_security, "LOCK_SECONDS", 1)
    busy = await asyncpg.connect(runtime_url)
    async with busy.transaction():
        await busy.fetch(COUNT)
        with pytest.raises(ServiceUnavailable, match="has used account for 1 seconds"):
            await switch_row_security(empty_postgres_url, on=True)
    await busy.close()


def test_the_command_turns_it_on_and_off(
    empty_postgres_url: str, runtime_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_MIGRATION_DATABASE_URL", empty_postgres_url)
    monkeypatch.setenv("GATEWAY_DATABASE_URL", runtime_url)

    def run(*words: str) -> str:
        return CliRunner().invoke(app, ["row-security", *words]).stdout

    assert "receipt\toff\n" in run()
    assert run("on").startswith("Row-level security is on for ")
    assert "receipt\ton\n" in run()
    assert asyncio.run(count(runtime_url)) == 0
    assert run("off").startswith("Row-level security is off for ")
