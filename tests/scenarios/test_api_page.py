"""`docs/api.md`: printed from the code, and each of its commands run as it stands there."""

import asyncio
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway.principal import Permission
from gateway.routes.openapi.markdown import print_api
from gateway.settings import Settings
from tests.support.processes import GatewayProcess, gateway_process
from tests.support.stripe import SECRET

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
UNLIKE = re.compile(
    r"(acct|purchase|audit)_[0-9a-f]+|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
    r'|(?<="requestId": ")[0-9a-f]{32}|(?<="kind": "API_KEY", "name": ")\w+'
)


def commands() -> Iterator[tuple[str, str | None]]:
    """Yield each command with the answer below it, where one is shown."""
    blocks = re.findall(r"```(\w+)\n(.*?)\n```", PAGE, re.DOTALL)
    for (language, text), (following, answer) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if language == "sh" and "curl" in text:
            yield text, answer if following in {"json", "text"} else None


def alike(text: str | bytes) -> str:
    """Return the text of JSON without the values that differ each time."""
    return UNLIKE.sub("…", json.dumps(json.loads(text)))


def test_the_page_is_printed_from_the_code() -> None:
    assert print_api(Settings.model_construct()) == PAGE


async def receipt_number(gateway: GatewayProcess, key: str) -> str:
    async with httpx.AsyncClient(base_url=gateway.url) as client:
        answer = await client.get(
            "/exports/credit-purchases",
            params={"account": "acme", "format": "JSONL", "kind": "COUPON"},
            headers={"authorization": f"Bearer {key}"},
        )
    number: str = json.loads(answer.text.splitlines()[0])["receiptNumber"]
    return number


async def run(command: str, environment: dict[str, str], folder: Path) -> bytes:
    process = await asyncio.create_subprocess_exec(
        "sh",
        "-euc",
        command,
        cwd=folder,
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, command
    return printed


@pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("openssl")), reason="needs curl and openssl"
)
async def test_every_command_of_the_page_answers_as_shown(
    database_url: str, tmp_path: Path
) -> None:
    settings = {
        "usage_late_days": "3650",
        "stripe_webhook_secrets": SECRET,
        "seller_name": "Example Cloud",
        "seller_address": "1 Main Street|Springfield",
    }
    scopes = [
        part for scope in Permission if scope is not Permission.ADMIN for part in ("--scope", scope)
    ]
    ran = 0
    async with gateway_process(database_url, tmp_path, **settings) as gateway:
        key = await gateway.command("api-key", "create", "page", *scopes)
        staff = await gateway.command("api-key", "create", "staff", "--scope", Permission.ADMIN)
        environment = {"URL": gateway.url, "KEY": key, "STRIPE_WEBHOOK_SECRET": SECRET}
        for command, shown in commands():
            if "$NUMBER" in command:
                environment["NUMBER"] = await receipt_number(gateway, key)
            used = {"KEY": staff} if "/v1/audit-events" in command else {}
            printed = await run(command, environment | used, tmp_path)
            if shown is not None and shown.startswith("{"):
                assert alike(printed) == alike(shown), command
            elif shown is not None:
                assert printed.decode().strip() == shown
            ran += 1
    assert (tmp_path / "receipt.pdf").read_bytes().startswith(b"%PDF-")
    assert ran >= 20
