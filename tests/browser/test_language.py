"""The page in the reader's language: chosen by the browser or by hand."""

import re

from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Site
from tests.browser.support import purchase_rows, settled, tab


async def choose(page: Page, label: str, language: str) -> None:
    await page.get_by_role("button", name=label).press("Enter")
    await page.get_by_role("option", name=language).press("Enter")


async def test_a_language_chosen_by_hand_stays(browser: Browser, site: Site) -> None:
    async with tab(browser, site) as page:
        await page.goto("/")
        await expect(purchase_rows(page)).to_have_count(10)
        url = page.url
        await choose(page, "Language", "Deutsch")
        await expect(page.get_by_role("tab")).to_have_text(["Abrechnung", "Verbrauch"])
        await expect(page.get_by_role("button", name="Sprache")).to_be_focused()
        assert page.url == url
        await page.reload()
        await expect(page.get_by_role("tab")).to_have_text(["Abrechnung", "Verbrauch"])
        await expect(page.locator("html")).to_have_attribute("lang", "de")
        await settled(page)
        await choose(page, "Sprache", "English")
        await expect(page.get_by_role("tab")).to_have_text(["Billing", "Usage"])
        await expect(page.locator("html")).to_have_attribute("lang", "en")
        await expect(purchase_rows(page)).to_have_count(10)
        await expect(purchase_rows(page).first).to_contain_text(re.compile(r"\$\d"))
