"""What Postgres may do while clients read, write and listen: no acknowledged row is lost, failures
say SERVICE_UNAVAILABLE, and all is well soon after.

FAULT_SECONDS=60 make soak ARGS="-k faults"
"""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
)
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr
from structlog.testing import capture_logs

from gateway.errors import StorageFull
from gateway.ids import parse_global_id
from gateway.migrations import READY_SECONDS
from gateway.settings import load_settings
from gateway.store import connect
from tests.conftest import RUNTIME_ROLE, as_runtime
from tests.scenarios.chaos.load import CREDIT, OK, Load, loaded
from tests.scenarios.chaos.test_disk_full import ingest
from tests.support.books import Books
from tests.support.invariants import check_books
from tests.support.live import Client
from tests.support.operator import Operator
from tests.support.patience import PATIENCE_SECONDS
from tests.support.postgres import OwnPostgres
from tests.support.processes import GatewayProcess, gateway_process
from tests.support.replicas import version_of, watching

SECONDS: Final = float(os.environ.get("FAULT_SECONDS", "1"))
TERMINATE_SECONDS: Final = 0.15
RECOVERY_SECONDS: Final = 5
QUICK: Final = {
    "statement_timeout_seconds": "1",
    "database_pool_wait_seconds": "1",
    "stop_grace_seconds": "3",
}
ANSWER_SECONDS: Final = 6
"""Longest answer of a gateway with these settings: a wait, a statement, and a busy machine."""

pytestmark = pytest.mark.asyncio(loop_scope="module")

Fault = Callable[[OwnPostgres, Any], Awaitable[None]]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def gateway(
    postgres: OwnPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[GatewayProcess]:
    """One gateway for all the faults, one after another."""
    folder = tmp_path_factory.mktemp("faults")
    async with gateway_process(as_runtime(postgres.url), folder, **QUICK) as gateway:
        yield gateway


@pytest_asyncio.fixture(loop_scope="module")
async def owner(postgres: OwnPostgres) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(postgres.url)
    yield connection
    connection.terminate()


async def new_account(gateway: GatewayProcess, key: str, name: str) -> int:
    """Make an account of Ada."""
    account_id = await Operator(url=gateway.url, key=key).put_account(
        name, members=[{"subject": "ada", "role": "OWNER"}]
    )
    return parse_global_id(account_id).account_id


async def restarted(postgres: OwnPostgres, _: Any) -> None:
    await asyncio.to_thread(postgres.stop)
    await asyncio.sleep(SECONDS)
    await asyncio.to_thread(postgres.start)


async def frozen(postgres: OwnPostgres, _: Any) -> None:
    with postgres.frozen():
        await asyncio.sleep(4 + SECONDS)


async def terminated(_: OwnPostgres, owner: Any) -> None:
    ends = time.monotonic() + 2 * SECONDS
    while time.monotonic() < ends:
        await owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1 "
            "ORDER BY random() LIMIT 1",
            RUNTIME_ROLE,
        )
        await asyncio.sleep(TERMINATE_SECONDS)


async def made_read_only(_: OwnPostgres, owner: Any) -> None:
    await owner.execute("SET default_transaction_read_only = off")  # its own
    for command in ("SET %s = on", "RESET %s"):
        await owner.execute(f"ALTER SYSTEM {command % 'default_transaction_read_only'}")
        await owner.execute("SELECT pg_reload_conf()")
        await asyncio.sleep(SECONDS)


async def refused(_: OwnPostgres, owner: Any) -> None:
    await owner.execute(f"ALTER ROLE {RUNTIME_ROLE} NOLOGIN")
    await owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", RUNTIME_ROLE
    )
    await asyncio.sleep(SECONDS)
    await owner.execute(f"ALTER ROLE {RUNTIME_ROLE} LOGIN")


@pytest.mark.timeout(300 + 10 * SECONDS)
@pytest.mark.parametrize("fault", [restarted, frozen, terminated, made_read_only, refused])
async def test_a_fault_is_said_and_survived(
    postgres: OwnPostgres, owner: Any, key: str, gateway: GatewayProcess, fault: Fault
) -> None:
    account = await new_account(gateway, key, fault.__name__)
    async with watching(gateway, account) as subscriber:
        wanted: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        following = asyncio.create_task(follow(subscriber, wanted))
        async with loaded(gateway.url, key, fault.__name__) as load:
            await asyncio.sleep(SECONDS)
            await fault(postgres, owner)
            ended_at = time.monotonic()
            await recovered(load, ended_at)
        print(fault.__name__, load.figures(ended_at))
        # Thawed, Postgres cancels the statements that it had begun before; so does a busy machine.
        assert load.codes <= {"SERVICE_UNAVAILABLE", "TIMEOUT"}
        assert load.failed_at - ended_at < RECOVERY_SECONDS
        assert load.slowest < ANSWER_SECONDS + SECONDS
        given = await credits_given(postgres, account)
        assert load.acknowledged <= given <= load.sent
        wanted.set_result(given)
        await asyncio.wait_for(following, PATIENCE_SECONDS)
    await check(postgres, account)


async def follow(subscriber: Client, wanted: asyncio.Future[int]) -> None:
    """Read balances until one has the version that is wanted, once that is known."""
    version = 0
    while True:
        reading = asyncio.ensure_future(version_of(subscriber))
        if version:
            await asyncio.wait([reading, wanted], return_when=asyncio.FIRST_COMPLETED)
        if wanted.done() and version >= wanted.result():
            reading.cancel()
            return
        version = await reading


async def recovered(load: Load, ended_at: float) -> None:
    """Wait until requests are answered well for a second, or longer than they may take."""
    while time.monotonic() - max(load.failed_at, ended_at) < 1:
        await asyncio.sleep(0.05)
        assert time.monotonic() - ended_at < PATIENCE_SECONDS
    assert load.answers["read", OK]


async def check(postgres: OwnPostgres, account: int) -> None:
    """Compare the account's figures with its facts."""
    database = await connect(load_settings(database_url=SecretStr(as_runtime(postgres.url))))
    await check_books(database, account)
    await database.close()


async def credits_given(postgres: OwnPostgres, account: int) -> int:
    connection = await asyncpg.connect(postgres.url)
    given: int = await connection.fetchval(
        "SELECT count(*) FROM ledger_entry WHERE account_id = $1", account
    )
    await connection.close()
    return given


async def test_every_endpoint_answers_while_postgres_is_frozen(
    postgres: OwnPostgres, key: str, gateway: GatewayProcess
) -> None:
    await new_account(gateway, key, "slow")
    headers = {"authorization": f"Bearer {key}", "idempotency-key": "slow"}
    body = {"name": "Slow", "currency": "USD", "timeZone": "UTC"}
    query = {"query": '{ account(externalId: "slow") { name } }'}
    async with httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=30) as client:
        requests = {
            "/readyz": client.get("/readyz"),
            "/graphql": client.post("/graphql", json=query),
            "accounts": client.put("/v1/accounts/slow", json=body),
            "credits": client.post("/v1/credits", json=CREDIT | {"account": "slow"}),
            "usage": client.post("/v1/usage-events", json=[usage_event("slow")]),
            "exports": client.get("/exports/ledger", params={"account": "slow"}),
        }
        with postgres.frozen():
            seconds = await asyncio.gather(*map(timed, requests.values()))
    took = dict(zip(requests, seconds, strict=True))
    print("frozen", {name: f"{each:.1f} s" for name, each in took.items()})
    assert max(took.values()) < ANSWER_SECONDS
    assert took["/readyz"] < READY_SECONDS + 0.5


async def timed(request: Awaitable[httpx.Response]) -> float:
    """Return the seconds until a request was refused because Postgres is away."""
    began = time.monotonic()
    answer = await request
    assert "The database cannot answer at the moment" in answer.text
    return time.monotonic() - began


def usage_event(account: str) -> Mapping[str, object]:
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    return {
        "account": account,
        "source": "meter",
        "id": "1",
        "deployment": {"externalId": "box"},
        "resource": "GPU",
        "quantity": "0.25",
        "unit": "gpu-hour",
        "amount": "0.01",
        "currency": "USD",
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=1)).isoformat(),
    }


def fill(file: Path) -> None:
    """Write to a file until its disk is full."""
    with suppress(OSError), file.open("wb", buffering=0) as opened:
        while opened.write(bytes(4_096)):
            pass


async def logged_by_refused_usage(
    postgres: OwnPostgres, account_id: int
) -> Sequence[MutableMapping[str, Any]]:
    """Send usage that a full disk has no room for; return the lines of the log."""
    database = await connect(load_settings(database_url=SecretStr(as_runtime(postgres.url))))
    try:
        with capture_logs() as lines, pytest.raises(StorageFull):
            await ingest(Books(database), account_id, 0)
    finally:
        await database.close()
    return lines


@pytest.fixture
def small_disk(postgres: OwnPostgres, tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MB for Postgres. Skips the test where none can be mounted."""
    folder = Path("/mnt") / tmp_path.name
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    if subprocess.run(mounting, check=False, capture_output=True).returncode:
        folder.rmdir()
        pytest.skip("nothing can be mounted here")
    shutil.chown(folder, Path(postgres.server.pgdata).owner())
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


async def test_a_full_disk_refuses_writes_until_there_is_room(
    postgres: OwnPostgres, owner: Any, key: str, gateway: GatewayProcess, small_disk: Path
) -> None:
    account = await new_account(gateway, key, "full")
    await owner.execute(f"CREATE TABLESPACE small LOCATION '{small_disk}'")
    await owner.execute("ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE small")
    try:
        async with loaded(gateway.url, key, "full") as load:
            await asyncio.sleep(SECONDS)
            await asyncio.to_thread(fill, small_disk / "filling")
            async with asyncio.timeout(PATIENCE_SECONDS):
                while "STORAGE_FULL" not in load.codes:  # noqa: ASYNC110  # clients count, they signal nothing
                    await asyncio.sleep(0.05)
            lines = await logged_by_refused_usage(postgres, account)
            await asyncio.sleep(SECONDS)
            (small_disk / "filling").unlink()
            ended_at = time.monotonic()
            await recovered(load, ended_at)
        print("full", load.figures(ended_at))
        (line,) = lines
        assert (line["event"], line["code"]) == ("database.failed", "STORAGE_FULL")
        assert line["sqlstate"] == "53100"
        assert "No space left on device" in line["reason"]
        assert load.codes <= {"STORAGE_FULL", "TIMEOUT"}
        assert {kind for kind, code in load.answers if code == "STORAGE_FULL"} == {"write"}
        assert load.failed_at - ended_at < RECOVERY_SECONDS
        assert load.acknowledged <= await credits_given(postgres, account)
    finally:
        await owner.execute("ALTER TABLE ALL IN TABLESPACE small SET TABLESPACE pg_default")
        await owner.execute("DROP TABLESPACE small")
    await check(postgres, account)
