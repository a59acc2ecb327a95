"""The whole page without a mouse."""

import re
from datetime import timedelta

from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.conftest import Site
from tests.browser.support import card, purchase_rows, settled, tab
from tests.support.days import lasting_day

FAR = 120


async def reach(page: Page, target: Locator) -> None:
    """Press Tab until the target has the focus; everything that has it on the way can be seen."""
    for _ in range(FAR):
        if await target.evaluate("(element) => element.matches(':focus')"):
            return
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.checkVisibility()")
    raise AssertionError(f"{target} cannot be reached")


async def test_billing_by_keyboard_alone(browser: Browser, site: Site) -> None:
    async with tab(browser, site) as page:
        await page.goto("/")
        rows = purchase_rows(page)
        await expect(rows).to_have_count(10)
        await expect(page.get_by_role("application", name="Balance over time")).to_be_visible()
        await settled(page)
        press = page.keyboard.press

        await press("Tab")
        await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        await press("Enter")
        await expect(page.get_by_role("main")).to_be_focused()

        billing, usage = (page.get_by_role("tab", name=name) for name in ("Billing", "Usage"))
        await reach(page, billing)
        await press("ArrowRight")
        await expect(usage).to_be_focused()
        await expect(page).to_have_url(re.compile("tab=usage"))
        await press("ArrowLeft")
        await expect(billing).to_have_attribute("aria-selected", "true")
        await expect(billing).to_be_focused()
        await expect(rows).to_have_count(10)
        await settled(page)

        days = page.get_by_role("button", name="Date range")
        await reach(page, days)
        await press("Enter")
        presets = page.get_by_role("listbox", name="Preset ranges")
        await expect(presets.get_by_role("option", name="All time")).to_be_focused()
        await press("Home")
        await press("Enter")
        await expect(days).to_contain_text("Last 7 days")
        await expect(days).to_be_focused()

        today = await lasting_day()
        first, last = today - timedelta(days=100), today - timedelta(days=1)
        await press("Enter")
        await expect(presets.get_by_role("option", name="Last 7 days")).to_be_focused()
        for name, day in (("From", first), ("To", last)):
            field = page.get_by_role("group", name=name, exact=True)
            await reach(page, field.get_by_role("spinbutton").first)
            await page.keyboard.type(f"{day:%m%d%Y}")
        await reach(page, page.get_by_role("button", name="Apply"))
        await press("Enter")
        await expect(page).to_have_url(re.compile(f"from={first}&to={last}"))
        await expect(days).to_be_focused()

        await press("Enter")
        await expect(presets.get_by_role("option").first).to_be_focused()
        await press("Escape")
        await expect(presets).to_have_count(0)
        await expect(days).to_be_focused()
        await settled(page)

        status = page.get_by_role("button", name="Status")
        await reach(page, status)
        await press("Enter")
        await expect(page.get_by_role("listbox", name="Status")).to_be_focused()
        await page.keyboard.type("succ")
        await expect(page.get_by_role("option", name="Succeeded")).to_be_focused()
        await press("Enter")
        await expect(page).to_have_url(re.compile("status=succeeded"))
        await press("Escape")
        await expect(status).to_be_focused()
        await expect(rows.first).to_contain_text("Succeeded")
        await settled(page)

        export = card(page, "Credit purchases").get_by_role("button", name="Export")
        await reach(page, export)
        await press("Enter")
        await expect(page.get_by_role("menuitem", name="CSV")).to_be_focused()
        async with page.expect_download() as download:
            await press("Enter")
        assert (await download.value).suggested_filename.endswith(".csv")
        await expect(export).to_be_focused()

        await reach(page, page.get_by_role("button", name=re.compile("Download receipt")).first)
        async with page.expect_download() as download:
            await press("Enter")
        assert (await download.value).suggested_filename.endswith(".pdf")

        await reach(page, card(page, "Credit purchases").get_by_role("button", name="Next page"))
        await press("Enter")
        await expect(page).to_have_url(re.compile("after="))
        await settled(page)

        chart = page.get_by_role("region", name="Purchased and spent")
        await reach(page, chart.get_by_role("radio", name="Chart"))
        await press("ArrowRight")
        table = chart.get_by_role("region", name="Purchased and spent: Table")
        await reach(page, table)
        await expect(table.get_by_role("columnheader", name="Refunded")).to_be_visible()
        await page.keyboard.press("Shift+Tab")
        await expect(chart.get_by_role("radio", name="Table")).to_be_focused()
        await press("ArrowLeft")
        points = chart.get_by_role("application")
        await reach(page, points)
        await press("End")
        await expect(chart.get_by_role("status")).to_contain_text("Purchased $")
        await press("Escape")
        await expect(chart.locator(".tooltip")).to_have_count(0)


async def test_a_button_that_disappears_moves_the_focus(browser: Browser, site: Site) -> None:
    async with tab(browser, site) as page:
        search = page.get_by_role("searchbox", name="Search purchases")
        purchases = card(page, "Credit purchases")
        # With nothing that matches there is a second one, in the list's place.
        for view, count in (("status=failed", 1), ("status=refunded&kind=trial_grant", 2)):
            await page.goto(f"/?{view}")
            clear = purchases.get_by_role("button", name="Clear filters")
            await expect(clear).to_have_count(count)
            await clear.last.press("Enter")
            await expect(clear).to_have_count(0)
            await expect(purchases).to_be_focused()
            await page.keyboard.press("Tab")
            await expect(search).to_be_focused()

        await page.get_by_role("button", name="Sign out").press("Enter")
        await expect(page.get_by_role("heading", name="Billing & Usage")).to_be_focused()


async def test_the_last_page_keeps_the_focus_on_its_button(browser: Browser, site: Site) -> None:
    account = await site.operator.put_account("turned")
    for number in range(11):
        await site.operator.grant("turned", "1", f"turned-{number}")
    for title, view in (("Credit purchases", ""), ("Day by day", "&tab=usage&range=30d&size=20")):
        async with tab(browser, site) as page:
            await page.goto(f"/?account={account}{view}")
            pages = card(page, title).get_by_role("navigation", name="Pages")
            turns = [pages.get_by_role("button", name=name) for name in ("Next", "Previous")]
            for turn, other in (turns, turns[::-1]):
                await expect(turn).to_be_enabled()
                await turn.press("Enter")
                await expect(other).to_be_enabled()
                await expect(turn).to_be_disabled()
                await expect(turn).to_be_focused()
                await turn.press("Enter")
                await settled(page)
                await expect(other).to_be_enabled()
