"""docs/integrating.md, from an empty Postgres to a customer who signs in and sees the balance."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, expect

from tests.browser.conftest import ARTEFACTS, browsing
from tests.browser.support import card, purchase_rows
from tests.support.document_exceptions import runnable_blocks
from tests.support.document_shell import Session, checkout, search_path, session
from tests.support.documents import ROOT, Block, matches
from tests.support.openid_node import node_provider
from tests.support.postgres import own_postgres
from tests.support.processes import free_port

BLOCKS: Final = runnable_blocks(ROOT / "docs" / "integrating.md")
CLIENT: Final = "billing-page"
PEOPLE: Final = {"ada": "Ada Okonkwo"}


async def test_a_platform_is_set_up_as_the_page_says(browser: Browser, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    # Roles are the whole server's, so this one is nobody else's.
    with own_postgres() as postgres:
        place = postgres.url.partition("@")[2].replace("/postgres", "/gateway", 1)
        async with node_provider(url, people=PEOPLE, client=CLIENT, audience=url) as issuer:
            values = {
                "ADMIN_DATABASE_URL": postgres.url,
                "DATABASE": place,
                "BILLING_URL": url,
                "ISSUER": issuer,
                "GATEWAY_PORT": str(port),
            }
            async with session(BLOCKS, checkout(tmp_path), values, search_path()) as done:
                check_answers(BLOCKS, done)
                await see_the_balance(browser, url)


def check_answers(blocks: Sequence[Block], done: Session) -> None:
    assert list(done.printed) == [each.name for each in blocks]
    for block in blocks:
        printed = done.printed[block.name]
        assert block.answer is None or matches(block.answer, printed), f"{block.name}:\n{printed}"


async def see_the_balance(browser: Browser, url: str) -> None:
    """Sign in at the provider, as the customer does, and read what the page promises."""
    async with browsing(browser, url, locale="en-US") as context:
        page = await context.new_page()
        await page.goto("/")
        await page.get_by_label("Login").fill("ada")
        await page.get_by_label("Password").fill("any")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_text("Ada Okonkwo")).to_be_visible()
        await expect(page.get_by_text("Acme Labs")).to_be_visible()
        await expect(card(page, "Balance")).to_contain_text("$62.50")
        await expect(purchase_rows(page)).to_have_count(2)
        await page.screenshot(path=ARTEFACTS / "integrating.png")
        await page.get_by_role("tab", name="Usage").click()
        await expect(page.get_by_text("llama-70b")).to_be_visible()
