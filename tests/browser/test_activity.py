"""The Activity section: every change of the balance, why, and what was left after it."""

import asyncio
import csv
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.browser.conftest import ARTEFACTS, Site
from tests.browser.support import (
    ask,
    body_of,
    card,
    change_settings,
    expect_cells,
    fits,
    settled,
    tab,
    violations,
)
from tests.browser.test_charges import paid_and_refunded
from tests.browser.test_keyboard import reach
from tests.browser.test_usage import event
from tests.support.days import lasting_day

LEDGER = """
query ($account: ID!, $filter: LedgerFilter) {
  account(id: $account) {
    ledger(first: 100, filter: $filter) {
      nodes { cause amount { amount } balance { amount } }
    }
  }
}
"""
NAMES = ["Adjustment", "Usage", "Coupon", "Refund", "Bonus", "Purchase"]


async def moved(site: Site, name: str) -> str:
    """Make an account of Ada's with a row of every cause but a dispute, from the last to the first
    as `NAMES` has them.
    """
    account = await paid_and_refunded(site, name)
    await site.operator.grant(name, "5", f"{name}-coupon", description="Welcome")
    yesterday = await lasting_day() - timedelta(days=1)
    answer = await site.operator.meter(event(name, 1, yesterday, 1, "3.0004", "llm"))
    assert answer["rejected"] == [], answer
    why = {"kind": "ADJUSTMENT", "description": "Price error in October"}
    await site.operator.grant(name, "-2.5", f"{name}-adjusted", **why)
    return account


def rows(page: Page) -> Locator:
    return page.get_by_role("table", name="Activity").locator("tbody tr:not(.waiting)")


async def test_activity_lists_every_change_with_its_reason(
    browser: Browser, each_site: Site, tmp_path: Path
) -> None:
    account = await moved(each_site, "moved")
    expected = (await ask(each_site, LEDGER, account=account))["account"]["ledger"]["nodes"]
    async with tab(browser, each_site) as page:
        await page.goto(f"/?account={account}")
        activity = card(page, "Activity")
        await expect_cells(activity, "what", NAMES)
        await expect_cells(
            activity, "amount", ["-$2.50", "-$3.00", "+$5.00", "-$50.00", "+$10.00", "+$100.00"]
        )
        for column, name in (("amount", "amount"), ("after", "balance")):
            cells = activity.locator(f"td.{column} data")
            values = await cells.evaluate_all("(all) => all.map((each) => each.value)")
            assert values == [row[name]["amount"] for row in expected]
        texts = activity.locator("td.description")
        await expect(texts.nth(0)).to_have_text("Price error in October")
        await expect(texts.nth(1)).to_contain_text("Recorded on ")
        await expect(texts.nth(2)).to_have_text("Welcome")
        await expect(texts.nth(3)).to_have_text("Requested by customer")

        await activity.get_by_role("button", name="Export").click()
        formats = page.get_by_role("menuitem")
        names = ("CSV", "Excel", "JSON Lines", "Parquet")
        await expect(formats).to_have_text([re.compile(f"^{name}") for name in names])
        async with page.expect_download() as download:
            await formats.first.click()
        file = tmp_path / "activity.csv"
        await (await download.value).save_as(file)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        exported = list(csv.DictReader(lines))
    assert [row["Amount"] for row in exported] == [
        row["amount"]["amount"] for row in expected[::-1]
    ]


async def test_the_type_filters_the_url_and_the_export(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    account = await moved(site, "typed")
    async with tab(browser, site) as page:
        await page.goto(f"/?account={account}")
        await expect(rows(page)).to_have_count(len(NAMES))
        activity = card(page, "Activity")
        await activity.get_by_role("button", name="Type").click()
        for name in ("Adjustment", "Refund"):
            await page.get_by_role("option", name=name).click()
        await page.keyboard.press("Escape")
        await expect(page).to_have_url(re.compile(r"cause=refund%2Cadjustment"))
        await expect_cells(activity, "what", ["Adjustment", "Refund"])
        await activity.get_by_role("button", name="Export").click()
        async with page.expect_download() as download:
            await page.get_by_role("menuitem", name="JSON Lines").click()
        file = tmp_path / "activity.jsonl"
        await (await download.value).save_as(file)
        lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        assert [line["cause"] for line in lines] == ["REFUND", "ADJUSTMENT"]

        await page.goto(f"/?account={account}&cause=dispute")
        await expect(activity).to_contain_text("Nothing matches these filters")
        await activity.get_by_role("button", name="Clear filters").press("Enter")
        await expect(activity).to_be_focused()
        await expect_cells(activity, "what", NAMES)


async def test_a_row_leads_to_its_purchase_and_its_document(browser: Browser, site: Site) -> None:
    account = await moved(site, "leading")
    async with tab(browser, site) as page:
        await page.goto(f"/?account={account}&kind=coupon")
        row = rows(page).filter(has_text="Refund")
        async with page.expect_download() as download:
            await row.get_by_role("button", name=re.compile("Download credit note")).click()
        assert (await download.value).suggested_filename.endswith(".pdf")
        link = row.get_by_role("link", name=re.compile("^Payment, "))
        shown = await link.get_attribute("href")
        await link.press("Enter")
        await expect(card(page, "Credit purchases")).to_be_focused()
        await expect_cells(card(page, "Credit purchases"), "kind", ["Payment"])
        assert shown
        assert page.url.endswith(shown)


async def test_pages_of_both_lists_turn_independently(browser: Browser, each_site: Site) -> None:
    account = await each_site.operator.put_account("turning")
    for number in range(12):
        await each_site.operator.grant("turning", str(number + 1), f"turning-{number}")
    async with tab(browser, each_site) as page:
        await page.goto(f"/?account={account}")
        activity, purchases = card(page, "Activity"), card(page, "Credit purchases")
        await expect(rows(page)).to_have_count(10)
        await activity.get_by_role("button", name="Next page").press("Enter")
        await expect_cells(activity, "amount", ["+$2.00", "+$1.00"])
        await expect(page).to_have_url(re.compile("activity-after="))
        await expect_cells(purchases, "credit", [f"${12 - at}.00" for at in range(10)])
        await page.reload()
        await expect_cells(activity, "amount", ["+$2.00", "+$1.00"])
        await activity.get_by_role("button", name="Previous page").press("Enter")
        await expect(rows(page)).to_have_count(10)

        await page.goto(f"/?account={account}&activity-after=nonsense")
        await activity.get_by_role("button", name="Go to the first page").press("Enter")
        await expect(rows(page)).to_have_count(10)
        await expect(page).not_to_have_url(re.compile("activity-after="))


async def test_an_adjustment_appears_by_itself(browser: Browser, each_site: Site) -> None:
    account = await each_site.operator.put_account("adjusted")
    async with tab(browser, each_site) as page:
        await page.goto(f"/?account={account}")
        activity = card(page, "Activity")
        await expect(activity).to_contain_text("No activity yet")
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        why = {"kind": "ADJUSTMENT", "description": "Goodwill"}
        await each_site.operator.grant("adjusted", "7", "adjusted-1", **why)
        await expect_cells(activity, "description", ["Goodwill"])
        await expect(card(page, "Balance over time")).to_be_visible()


async def test_a_viewer_has_no_activity(browser: Browser, site: Site) -> None:
    members = [{"subject": "ada@demo", "role": "VIEWER"}]
    account = await site.operator.put_account("watched", members=members)
    async with tab(browser, site) as page:
        await page.goto(f"/?account={account}")
        await expect(page.get_by_text("Your role can't see payments")).to_be_visible()
        await settled(page)
        await expect(page.get_by_role("region", name="Activity")).to_have_count(0)
        await expect(page.get_by_role("alert")).to_have_text([])


async def test_the_activity_by_keyboard_alone(browser: Browser, site: Site) -> None:
    account = await moved(site, "typing")
    async with tab(browser, site) as page:
        await page.goto(f"/?account={account}")
        await expect(rows(page)).to_have_count(len(NAMES))
        await settled(page)
        activity, press = card(page, "Activity"), page.keyboard.press
        kind = activity.get_by_role("button", name="Type")
        await kind.focus()
        await press("Enter")
        await expect(page.get_by_role("listbox", name="Type")).to_be_focused()
        await page.keyboard.type("usa")
        await expect(page.get_by_role("option", name="Usage")).to_be_focused()
        await press("Enter")
        await press("Escape")
        await expect(kind).to_be_focused()
        await expect_cells(activity, "what", ["Usage"])
        export = activity.get_by_role("button", name="Export")
        await reach(page, export)
        await press("Enter")
        await expect(page.get_by_role("menuitem", name="CSV")).to_be_focused()
        await press("Escape")
        await reach(page, activity.get_by_label("Rows"))
        await reach(page, activity.get_by_role("button", name="Previous page"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
async def test_axe_finds_nothing_in_any_state_of_the_activity(
    browser: Browser, site: Site, theme: Any, width: int
) -> None:
    async def answer(route: Route) -> None:
        variables = body_of(route.request)["variables"]
        if "filter" not in variables or "cause" not in variables["filter"]:
            await route.continue_()
        elif failing:
            await route.fulfill(status=500, body="")
        else:
            await looked.wait()
            await route.continue_()

    account = await moved(site, "seen")
    failing, looked = True, asyncio.Event()
    size: Any = {"width": width, "height": 900}
    async with tab(browser, site, color_scheme=theme, viewport=size) as page:
        await page.route("**/graphql", answer)
        await page.goto(f"/?account={account}&cause=usage,refund")
        activity = card(page, "Activity")
        failed = activity.get_by_role("alert")
        await expect(failed).to_contain_text("This could not be loaded")
        assert await violations(page) == []
        failing = False
        await failed.get_by_role("button", name="Try again").press("Enter")
        await expect(activity.locator("tr.waiting").first).to_be_visible()
        await expect(activity.get_by_role("button", name="Type")).to_contain_text("2 selected")
        assert await violations(page, loading=True) == []
        looked.set()
        await expect_cells(activity, "what", ["Usage", "Refund"])
        await expect(activity).to_be_focused()
        await page.goto(f"/?account={account}")
        await expect_cells(activity, "what", NAMES)
        assert await violations(page) == []
        assert await fits(page)
        await activity.screenshot(path=ARTEFACTS / f"activity-{width}-{theme}.png")


async def test_a_format_without_its_extra_is_not_offered(browser: Browser, site: Site) -> None:
    async with tab(browser, site) as page:
        await change_settings(page, site, {"exportFormats": ["CSV", "JSONL", "FOCUS", "XLSX"]})
        for view, menus in (("?tab=billing", 2), ("?tab=usage", 1)):
            await page.goto(f"/{view}")
            exports = page.get_by_role("button", name="Export")
            await expect(exports).to_have_count(menus)
            for number in range(menus):
                await exports.nth(number).click()
                offered = page.get_by_role("menuitem")
                await expect(offered.filter(has_text="Excel").first).to_be_visible()
                await expect(offered.filter(has_text="Parquet")).to_have_count(0)
                await page.keyboard.press("Escape")
