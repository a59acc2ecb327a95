"""A search of the purchases, and the words of a low balance."""

import re
from datetime import timedelta
from unicodedata import normalize
from urllib.parse import quote

from playwright.async_api import Browser, expect

from tests.browser.conftest import ARTEFACTS, Site
from tests.browser.support import card, fits, purchase_rows, settled, tab, violations
from tests.browser.test_usage import event
from tests.support.days import lasting_day

HEBREW = normalize("NFC", "\ufb2c" * 60)[:100]
"""The beginning of a text that NFC makes longer."""


async def bought(site: Site) -> str:
    account = await site.operator.put_account("searched")
    for number, words in enumerate(("Überweisung 7", "50% off_peak", "Straße", "Welcome")):
        await site.operator.grant("searched", f"{20 + number}.50", str(number), description=words)
    return account


async def test_a_search_is_kept_in_the_address(browser: Browser, each_site: Site) -> None:
    account = await bought(each_site)
    async with tab(browser, each_site) as page:
        await page.goto(f"/?account={account}")
        await expect(purchase_rows(page)).to_have_count(4)
        box = page.get_by_role("searchbox", name="Search purchases")
        await box.press_sequentially("ÜBERW", delay=20)
        await expect(purchase_rows(page)).to_have_count(1)
        await expect(page).to_have_url(re.compile(r"search=%C3%9CBERW"))
        for text, found in (("0% OFF_", 1), ("STRAẞE", 1), ("22.50", 1), ("_", 1), ("e", 4)):
            await box.fill(text)
            await box.press("Enter")
            await expect(purchase_rows(page)).to_have_count(found)
        await expect(card(page, "Credit purchases").get_by_text("$88.00")).to_have_count(2)

        await box.fill("nobody")
        await box.press("Enter")
        await expect(page.get_by_text("No purchase matches “nobody”")).to_be_visible()
        assert await violations(page) == []
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=ARTEFACTS / "search-nothing.png")
        await page.reload()
        await expect(box).to_have_value("nobody")
        await box.press("Escape")
        await expect(purchase_rows(page)).to_have_count(4)
        await expect(page).not_to_have_url(re.compile("search="))
        await page.go_back()
        await expect(box).to_have_value("nobody")
        await page.get_by_role("button", name="Clear search").click()
        await expect(box).to_be_focused()
        await expect(purchase_rows(page)).to_have_count(4)


async def test_a_link_says_only_what_the_gateway_takes(browser: Browser, site: Site) -> None:
    account = await bought(site)
    async with tab(browser, site) as page:
        box = page.get_by_role("searchbox", name="Search purchases")
        for given in ("\u200f", "\u2067 \u200e", "\ufffe", "\u0378", "\u200b"):
            await page.goto(f"/?account={account}&search={quote(given)}")
            await expect(purchase_rows(page)).to_have_count(4)
            await expect(box).to_have_value("")
        mixed = quote("off\u200f_\ufffepeak")
        await page.goto(f"/?account={account}&search={mixed}")
        await expect(box).to_have_value("off_ peak")
        await expect(page.get_by_text("No purchase matches “off_ peak”")).to_be_visible()
        for given, kept in (("a" + "😀" * 100, "a" + "😀" * 99), ("\ufb2c" * 60, HEBREW)):
            await page.goto(f"/?account={account}&search={quote(given)}")
            await expect(box).to_have_value(kept)
            await expect(page.get_by_text(f"No purchase matches “{kept}”")).to_be_visible()
        await box.fill("😀" * 101)
        await expect(box).to_have_value("😀" * 100)
        await box.press("Enter")
        await expect(page.get_by_text(f"No purchase matches “{'😀' * 100}”")).to_be_visible()
        await box.fill("\u200f")
        await expect(purchase_rows(page)).to_have_count(4)

        zone = page.get_by_role("button", name="Time zone")
        for given, shown in (
            ("Factory", "UTC"),
            ("SystemV/AST4", "UTC"),
            ("Asia/Calcutta", "Asia/Kolkata"),
            ("US/Eastern", "America/New York"),
            ("UTC", "UTC"),
        ):
            await page.goto(f"/?account={account}&zone={given}")
            await expect(purchase_rows(page)).to_have_count(4)
            await expect(zone).to_contain_text(shown)


async def test_a_search_fits_a_phone_in_german(browser: Browser, site: Site) -> None:
    account = await bought(site)
    phone = {"width": 360, "height": 780}
    async with tab(browser, site, locale="de-DE", viewport=phone) as page:
        await page.goto(f"/?account={account}&search=peak")
        await expect(page.get_by_role("searchbox", name="Aufladungen suchen")).to_have_value("peak")
        table = page.get_by_role("table", name="Aufladungen")
        await expect(table.locator("tbody tr:not(.waiting)")).to_have_count(1)
        await settled(page)
        assert await fits(page)
        assert await violations(page) == []
        await page.screenshot(path=ARTEFACTS / "search-360-de.png", full_page=True)


async def test_a_low_balance_says_its_threshold(browser: Browser, site: Site) -> None:
    money = await site.operator.put_account("threshold", lowBalance={"amount": "50.00"})
    await site.operator.grant("threshold", "12.00", "1")
    days = await site.operator.put_account("lasting", lowBalance={"days": 7})
    await site.operator.grant("lasting", "12.00", "1")
    today = await lasting_day()
    charges = [
        event("lasting", back, today - timedelta(days=back), 1, "4", "llm") for back in (1, 2)
    ]
    answer = await site.operator.meter(*charges)
    assert answer["rejected"] == [], answer
    for locale, amount, rate in (
        ("en-US", "$50.00 or less.", "at the current rate it lasts 7 days or less."),
        ("de-DE", "50,00 $ oder weniger.", "reicht es noch höchstens 7 Tage."),
    ):
        async with tab(browser, site, locale=locale) as page:
            for account, words in ((money, amount), (days, rate)):
                await page.goto(f"/?account={account}")
                await expect(page.get_by_text(words)).to_be_visible()
