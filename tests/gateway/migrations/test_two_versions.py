"""This version replaces the one before it: both serve the database that this one has migrated."""

import asyncio
from asyncio.subprocess import DEVNULL
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from graphql import DocumentNode, print_ast

from tests.conftest import as_runtime
from tests.scenarios.chaos.load import OK, loaded
from tests.support.contract import declared_by, operations
from tests.support.operator import Operator
from tests.support.previous_version import previous_version, program_of
from tests.support.processes import GATEWAY, GatewayProcess, gateway_process

PATIENT = {
    "database_pool_wait_seconds": "60",
    "statement_timeout_seconds": "60",
    "operation_seconds": "60",
}
EXPORTS = ("credit-purchases", "usage", "ledger")
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
DAY = timedelta(days=1)


async def test_the_version_before_serves_what_this_one_migrated(
    empty_postgres_url: str, tmp_path: Path
) -> None:
    code = previous_version(tmp_path / "code")
    earlier = program_of(code)
    runtime_url = as_runtime(empty_postgres_url)
    as_owner = {
        "GATEWAY_MIGRATION_DATABASE_URL": empty_postgres_url,
        "GATEWAY_DATABASE_URL": runtime_url,
    }
    await run(*earlier, "migrate", **as_owner)
    async with gateway_process(runtime_url, tmp_path, program=earlier, **PATIENT) as before:
        key = await before.command("api-key", "create", "ops", "--scope", "admin")
        account = await Operator(url=before.url, key=key).put_account("acme")
        async with loaded(before.url, key, "acme") as load:
            await asyncio.sleep(0.5)
            await run(GATEWAY, "migrate", **as_owner)
            await asyncio.sleep(0.5)
        assert load.codes == set()
        assert load.answers["read", OK]
        assert load.answers["write", OK]
        await before.kill()
        await before.start()  # and is ready
        async with gateway_process(runtime_url, tmp_path, **PATIENT) as after:
            for number, gateway in enumerate((before, after, before)):
                await write(Operator(url=gateway.url, key=key), number)
            documents = operations(code / "tests" / "contract")
            for gateway in (before, after):
                await read(gateway, key, account, documents)
            balances = [await balance(gateway, account) for gateway in (before, after)]
            assert balances[0] == balances[1]
            await after.command("doctor")


async def run(*command: str, **environment: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=DEVNULL)
    assert await process.wait() == 0


async def write(operator: Operator, number: int) -> None:
    """Change the account, give credit and send usage."""
    await operator.put_account("acme", name=f"Acme {number}")
    await operator.grant("acme", "5", key=f"grant-{number}")
    start = TODAY - 2 * DAY
    event = {
        "account": "acme",
        "source": "meter",
        "deployment": {"externalId": "1", "name": "llm", "gpuModel": "H100"},
        "resource": "GPU",
        "quantity": "1",
        "unit": "gpu-hour",
        "amount": "0.5",
        "currency": "USD",
        "start": start.isoformat(),
        "end": (start + timedelta(hours=1)).isoformat(),
    }
    # The second of each is known already, from the other version.
    events = [event | {"id": str(each)} for each in (number, number + 1)]
    outcome = await operator.meter(*events)
    assert outcome["accepted"] + outcome["duplicates"] == len(events), outcome


async def read(
    gateway: GatewayProcess, key: str, account: str, documents: Mapping[str, DocumentNode]
) -> None:
    """Read what the clients of the version before ask for, and every export."""
    variables: dict[str, Any] = {
        "account": account,
        "id": account,
        "interval": "DAY",
        "from": (TODAY - 3 * DAY).date().isoformat(),
        "to": TODAY.date().isoformat(),
        "by": "GPU_MODEL",
        "first": 50,
    }
    headers = {"authorization": f"Bearer {gateway.token('ada@demo')}"}
    async with httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=60) as client:
        for name, document in documents.items():
            body = {"query": print_ast(document), "variables": declared_by(document, variables)}
            answer = (await client.post("/graphql", json=body)).json()
            codes = {each["extensions"]["code"] for each in answer.get("errors", ())}
            # The account is no purchase, and was not there as many days before.
            assert codes <= {"NOT_FOUND", "BAD_USER_INPUT"}, (name, answer)
        client.headers["authorization"] = f"Bearer {key}"
        for name in EXPORTS:
            answer = await client.get(f"/exports/{name}", params={"account": "acme"})
            assert answer.status_code == 200, (name, answer.text)


async def balance(gateway: GatewayProcess, account: str) -> Any:
    query = (
        "query ($id: ID!) { account(id: $id) { name balance { version available { amount } } } }"
    )
    return await gateway.ask("ada@demo", query, id=account)
