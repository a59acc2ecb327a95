"""When a key was last used is kept, and nobody waits for it."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs
from typer.testing import CliRunner

from gateway.auth.key_store import KeyUse, issue_key
from gateway.cli.api_keys import api_key
from gateway.clock import FixedClock
from gateway.principal import Permission
from gateway.settings import load_settings
from gateway.store import Database, Snapshot, build_database
from gateway.store import api_keys as stored
from gateway.work.loops import Loops
from tests.support.books import ACTOR, NOW
from tests.support.patience import PATIENCE_SECONDS
from tests.support.served import serving

HALF = timedelta(minutes=30)


async def issue(database: Database, name: str = "meter") -> str:
    async with database.writing(ACTOR) as transaction:
        key = await issue_key(
            transaction,
            environment="dev",
            name=name,
            scopes=frozenset({Permission.USAGE_WRITE}),
            actor=ACTOR,
            clock=FixedClock(NOW),
        )
    return key.id


async def last_use(database: Database, key_id: str) -> datetime | None:
    async with Snapshot(database, ACTOR) as snapshot:
        row = await stored.by_id(snapshot, key_id)
    assert row is not None
    at: datetime | None = row["last_used_at"]
    return at


async def test_a_use_is_kept_at_most_once_an_hour(database: Database) -> None:
    key, other = await issue(database), await issue(database, "other")
    clock = FixedClock(NOW)
    # Two processes see the same uses.
    uses = [KeyUse(database, clock, Loops()) for _ in range(2)]
    kept = []
    for _ in range(5):
        for use in uses:
            async with use.writing():
                use.record(key)
        kept.append(await last_use(database, key))
        clock.instant += HALF
    hour = 2 * HALF
    assert kept == [NOW, NOW, NOW + hour, NOW + hour, NOW + 2 * hour]
    assert await last_use(database, other) is None


async def test_a_use_is_written_beside_the_requests(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async with serving(database, database_url, tmp_path) as served:
        headers = await served.key(Permission.USAGE_WRITE)
        wrong = headers["authorization"][:-49] + "0" * 49
        key_id = headers["authorization"].split("_")[2]
        for credential in (wrong, headers["authorization"]):
            assert await last_use(database, key_id) is None
            await served.client.post(
                "/v1/usage-events", json=[], headers={"authorization": credential}
            )
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await last_use(database, key_id) is None:  # noqa: ASYNC110  # it is in a database
                await asyncio.sleep(0.01)


async def test_a_use_that_cannot_be_written_harms_nobody() -> None:
    use = KeyUse(build_database(load_settings()), FixedClock(NOW), Loops())
    with capture_logs() as logs:
        async with use.writing():
            use.record("a")
    assert [line["reason"] for line in logs] == ["The gateway has not started yet."]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_failed_write_is_repeated(database: Database, database_url: str) -> None:
    key = await issue(database)
    closed = build_database(load_settings(database_url=SecretStr(database_url)))
    use = KeyUse(closed, FixedClock(NOW), Loops())
    async with use.writing():
        use.record(key)
    assert await last_use(database, key) is None
    await closed.open()
    async with use.writing():
        pass
    await closed.close()
    assert await last_use(database, key) == NOW


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_keys_are_listed_with_when_they_were_made_and_used(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_DATABASE_URL", database_url)
    used, unused = await issue(database), await issue(database, "spare")
    async with database.writing(ACTOR) as transaction:
        await stored.mark_used(transaction, [used], at=NOW, before=NOW)
    done = await asyncio.to_thread(CliRunner().invoke, api_key, ["list"])
    lines = {line.split("\t")[0]: line.split("\t")[4:] for line in done.output.splitlines()}
    made = f"made {NOW:%Y-%m-%d}"
    assert lines == {
        used: [made, f"last used {NOW:%Y-%m-%d %H:%M}", "meter"],
        unused: [made, "never used", "spare"],
    }
