"""SQLite files that are no whole database."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Integer, column, text

from gateway.errors import ConfigurationError, ServiceUnavailable
from gateway.migrations import migrate, readiness_check
from gateway.settings import load_settings
from gateway.store import Snapshot, connect
from gateway.store.engine.sqlite_driver import DAMAGED
from gateway.store.engine.statement import Statement
from tests.support.books import ACTOR

PAGE = 4_096
ACCOUNTS = Statement[dict[str, int]](
    text("SELECT count(name) AS n FROM account").columns(column("n", Integer()))
)


def damage(path: Path, kind: str) -> None:
    content = path.read_bytes()
    if kind == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif kind == "overwritten":
        path.write_bytes(content[:PAGE] + os.urandom(len(content) - PAGE))
    else:
        path.write_bytes(b"Not a database. " * 1_000)


@pytest.mark.parametrize("kind", ["truncated", "overwritten", "foreign"])
async def test_a_damaged_file_is_a_sentence_at_the_start(
    sqlite_database_url: str, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "gateway.sqlite3"
    damage(path, kind)
    with pytest.raises(ConfigurationError, match="restore it from a backup"):
        await connect(load_settings(database_url=SecretStr(sqlite_database_url)))
    with pytest.raises(ConfigurationError, match="cannot be migrated"):
        await migrate(sqlite_database_url)


async def test_an_empty_file_becomes_no_new_database(tmp_path: Path) -> None:
    path = tmp_path / "gateway.sqlite3"
    path.touch()
    with pytest.raises(ConfigurationError, match="is empty"):
        await migrate(f"sqlite:///{path}")
    assert path.stat().st_size == 0
    path.unlink()
    await migrate(f"sqlite:///{path}")
    assert not path.with_name(f"{path.name}.new").exists()


async def test_damage_while_it_serves_ends_readiness(
    sqlite_database_url: str, tmp_path: Path
) -> None:
    database = await connect(load_settings(database_url=SecretStr(sqlite_database_url)))
    ready = readiness_check(database)
    await ready()
    damage(tmp_path / "gateway.sqlite3", "overwritten")
    with pytest.raises(ServiceUnavailable) as caught:
        async with Snapshot(database, ACTOR) as snapshot:
            await snapshot.fetch(ACCOUNTS)
    assert caught.value.message == DAMAGED
    with pytest.raises(ServiceUnavailable):
        await ready()
    await database.close()
