"""Who sells: only the server puts its settings in force, whatever a shell says."""

import asyncio
import json
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.cli.serve import store_seller
from gateway.cli.stripe import require_seller
from gateway.clock import FixedClock
from gateway.errors import ConfigurationError
from gateway.receipts.seller import Seller, keep_seller
from gateway.settings import load_settings
from gateway.store import Database
from tests.gateway.exports.focus.imports.cost_files import write
from tests.support.books import ACTOR, NOW
from tests.support.tables import table_rows

SELLER = Seller(details='{"name":"Northwind Compute"}')
DEMO = ("demo", "--scale", "0.0001")


async def names(database: Database) -> list[str]:
    """Return the sellers, that in force last."""
    rows = await table_rows(database, "seller")
    return [json.loads(row["details"])["name"] for row in rows]


@pytest.fixture
def in_a_shell(
    sqlite_database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> tuple[str, str]:
    """A shell that knows the database and not the server's other settings; the command that imports
    a file.
    """
    monkeypatch.setenv("GATEWAY_DATABASE_URL", sqlite_database_url)
    return "import-focus", str(write(tmp_path, {}))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_servers_seller_stays_in_force(
    database: Database, in_a_shell: tuple[str, str]
) -> None:
    await keep_seller(database, SELLER, FixedClock(NOW), actor=ACTOR)
    for command in (in_a_shell, DEMO):
        done = await asyncio.to_thread(CliRunner().invoke, app, command)
        assert done.exit_code == 0, done.output
    assert await names(database) == ["Northwind Compute"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_seller_is_named_by_what_issues_receipts(
    database: Database, in_a_shell: tuple[str, str]
) -> None:
    for command, expected in ((in_a_shell, []), (DEMO, ["Demo Compute"])):
        done = await asyncio.to_thread(CliRunner().invoke, app, command)
        assert done.exit_code == 0, done.output
        assert await names(database) == expected


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_backfill_without_a_seller_is_refused(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_DATABASE_URL", database_url)
    monkeypatch.setenv("GATEWAY_STRIPE_API_KEY", "rk_live_1")
    done = await asyncio.to_thread(CliRunner().invoke, app, ["stripe-backfill"])
    assert isinstance(done.exception, ConfigurationError)
    assert [line.partition(":")[0] for line in done.exception.message.splitlines()] == [
        "GATEWAY_SELLER_NAME",
        "GATEWAY_SELLER_ADDRESS",
    ]
    assert await names(database) == []


async def test_a_shell_takes_the_servers_word_on_receipts(
    database: Database, database_url: str
) -> None:
    url = SecretStr(database_url)
    shell = load_settings(database_url=url)
    with pytest.raises(ConfigurationError, match="GATEWAY_SELLER_NAME"):
        await require_seller(shell, database)
    await require_seller(load_settings(database_url=url, receipts=False), database)
    await require_seller(shell, database)
    rows = await table_rows(database, "seller")
    assert [row["issues_receipts"] for row in rows] == [False]


async def test_a_server_puts_its_own_seller_in_force(database: Database, database_url: str) -> None:
    await keep_seller(database, SELLER, FixedClock(NOW), actor=ACTOR)
    await store_seller(load_settings(database_url=SecretStr(database_url), seller_name="Southwind"))
    assert await names(database) == ["Northwind Compute", "Southwind"]
