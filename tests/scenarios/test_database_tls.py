"""TLS to Postgres by libpq's parameters, for migrating, serving and listening."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.conftest import RUNTIME_ROLE
from tests.support.debian_postgres import TlsPostgres, tls_postgres
from tests.support.processes import GATEWAY, gateway_process


@pytest.fixture(scope="module")
def server() -> Iterator[TlsPostgres]:
    with tls_postgres() as server:
        yield server


async def test_migrating_serving_and_listening_use_tls(server: TlsPostgres, tmp_path: Path) -> None:
    verified = {"sslmode": "verify-full", "sslrootcert": str(server.folder / "ca.crt")}
    runtime = server.url(f"{RUNTIME_ROLE}:runtime", **verified)
    urls = {"migration_database_url": server.url(), "listen_database_url": server.url()}
    async with gateway_process(runtime, tmp_path, **urls):
        owner = await asyncpg.connect(server.url())
        rows = await owner.fetch(
            "SELECT application_name AS name, usename AS role, ssl FROM pg_stat_activity "
            "JOIN pg_stat_ssl USING (pid) WHERE application_name LIKE 'gateway%'"
        )
        await owner.close()
    assert {(row["name"], row["role"], row["ssl"]) for row in rows} == {
        ("gateway", RUNTIME_ROLE, True),
        ("gateway-live", "postgres", True),
    }


@pytest.mark.parametrize(
    ("command", "host", "changes", "reason"),
    [
        ("migrate", "127.0.0.1", {}, "certificate is not valid for '127.0.0.1'"),
        ("migrate", "localhost", {"sslrootcert": "other.crt"}, "self-signed certificate"),
        ("migrate", "localhost", {"sslmode": "disable"}, "no encryption"),
        ("migrate", "localhost", {"sslcert": "other.crt", "sslkey": "other.key"}, "connection"),
        ("doctor", "127.0.0.1", {}, "certificate is not valid for '127.0.0.1'"),
    ],
)
def test_what_tls_refuses_is_a_sentence(
    server: TlsPostgres,
    tmp_path: Path,
    command: str,
    host: str,
    changes: dict[str, str],
    reason: str,
) -> None:
    own = {name: str(server.folder / value) for name, value in changes.items()}
    parameters = own | {name: value for name, value in changes.items() if name == "sslmode"}
    variables = {
        "GATEWAY_ENVIRONMENT": "dev",
        "GATEWAY_DATA_DIR": str(tmp_path),
        "GATEWAY_DATABASE_URL": server.url(host=host, password="hunter2", **parameters),
    }
    done = subprocess.run(
        [GATEWAY, command],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {1, 2}
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "hunter2" not in done.stderr
