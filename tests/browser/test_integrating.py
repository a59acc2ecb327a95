"""docs/integrating.md, from an empty Postgres to a customer who signs in and sees the balance."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import ARTEFACTS, browsing
from tests.browser.support import card, purchase_rows
from tests.support.document_exceptions import runnable_blocks
from tests.support.document_shell import Session, checkout, search_path, session
from tests.support.documents import ROOT, Block, matches
from tests.support.npm import NODE, installed
from tests.support.openid_node import SERVER
from tests.support.postgres import own_postgres
from tests.support.processes import answering, free_port, running

DOCUMENT: Final = ROOT / "docs" / "integrating.md"
BLOCKS: Final = runnable_blocks(DOCUMENT)


@pytest.mark.timeout(600)  # commands of a shell, one after another
async def test_a_platform_is_set_up_as_the_page_says(browser: Browser, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    # Roles are the whole server's, so this one is nobody else's.
    with own_postgres() as postgres:
        place = postgres.url.partition("@")[2].replace("/postgres", "/gateway", 1)
        async with documented_provider(url, tmp_path / "provider") as issuer:
            values = {
                "ADMIN_DATABASE_URL": postgres.url,
                "DATABASE": place,
                "BILLING_URL": url,
                "ISSUER": issuer,
                "GATEWAY_PORT": str(port),
            }
            async with session(BLOCKS, checkout(tmp_path), values, search_path()) as done:
                check_answers(BLOCKS, done)
                await see_the_balance(browser, url, issuer)


@asynccontextmanager
async def documented_provider(page_url: str, folder: Path) -> AsyncIterator[str]:
    """Serve the provider that the page prints; yields its issuer."""
    await asyncio.to_thread(_write_provider, folder)
    issuer = f"http://127.0.0.1:{free_port()}"
    command = (str(NODE), str(folder / "provider.mjs"))
    environment = os.environ | {"ISSUER": issuer, "BILLING_URL": page_url}
    async with running(*command, environment=environment, quiet=True) as process:
        await answering(f"{issuer}/.well-known/openid-configuration", process)
        yield issuer


def _write_provider(folder: Path) -> None:
    (source,) = re.findall(r"```js\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    folder.mkdir()
    (folder / "provider.mjs").write_text(source, "utf-8")
    (folder / "node_modules").symlink_to(installed(SERVER) / "node_modules")


def check_answers(blocks: Sequence[Block], done: Session) -> None:
    assert list(done.printed) == [each.name for each in blocks]
    for block in blocks:
        printed = done.printed[block.name]
        assert block.answer is None or matches(block.answer, printed), f"{block.name}:\n{printed}"


async def see_the_balance(browser: Browser, url: str, issuer: str) -> None:
    """Sign in at the provider, as the customer does, and read what the page promises."""
    async with browsing(browser, url, locale="en-US") as context:
        page = await context.new_page()
        await page.goto("/")
        await page.locator("[name=login]").fill("ada")
        await page.locator("[name=password]").fill("any")
        await page.get_by_role("button", name="Sign-in").click()
        async with page.expect_response(f"{issuer}/token") as signed_in:
            await page.get_by_role("button", name="Continue").click()
        # Tokens are renewed without another sign-in.
        assert "refresh_token" in await (await signed_in.value).json()
        await expect(page.get_by_text("Acme Labs")).to_be_visible()
        await expect(card(page, "Balance")).to_contain_text("$62.50")
        await expect(purchase_rows(page)).to_have_count(2)
        await page.screenshot(path=ARTEFACTS / "integrating.png")
        await page.get_by_role("tab", name="Usage").click()
        await expect(page.locator(".legend-label")).to_have_text("llama-70b")
