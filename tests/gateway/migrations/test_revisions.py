"""An earlier version serves a database that a later one has added to, and no other."""

import pytest
from pydantic import SecretStr

from gateway.cli.resources import open_database
from gateway.errors import ConfigurationError, ServiceUnavailable
from gateway.migrations import migrate, readiness_check
from gateway.migrations.revisions import head, serves
from gateway.settings import load_settings
from gateway.store import Database, connect
from tests.support.raw import execute


@pytest.mark.parametrize(
    ("needed", "stored", "is_served"),
    [
        ("0021", "0021", True),
        ("0021", "0022", True),
        ("0021", "0999", True),
        ("0022", "0021", False),
        ("0021", "1000", False),
        ("1000", "1001", True),
        ("1000", "0999", False),
        ("0021", "ae1027a6acf", False),
        ("0021", "٠٠٢٢", False),
    ],
)
def test_code_serves_what_later_versions_added_to(
    needed: str, stored: str, is_served: bool
) -> None:
    assert serves(needed, stored) == is_served


async def at_revision(url: str, revision: str) -> Database:
    await execute(url, f"UPDATE alembic_version SET version_num = '{revision}'")
    return await connect(load_settings(database_url=SecretStr(url)))


async def test_an_earlier_version_is_ready_and_migrates_nothing(empty_url: str) -> None:
    await migrate(empty_url)
    database = await at_revision(empty_url, "0999")
    await readiness_check(database)()
    await database.close()
    await migrate(empty_url)
    assert await execute(empty_url, "SELECT version_num FROM alembic_version") == [("0999",)]
    async with open_database(load_settings(database_url=SecretStr(empty_url))):
        """It opens for commands too."""


async def test_a_later_version_that_took_something_away_is_not_served(empty_url: str) -> None:
    await migrate(empty_url)
    database = await at_revision(empty_url, "1000")
    with pytest.raises(ServiceUnavailable, match="has not been migrated to this version"):
        await readiness_check(database)()
    await database.close()
    with pytest.raises(ConfigurationError, match=f"at revision 1000.* it needs {head()}"):
        await migrate(empty_url)
