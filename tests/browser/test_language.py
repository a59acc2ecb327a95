"""The page in the reader's language and calendar: chosen by the browser or by hand."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from playwright.async_api import Browser, Page, Request, expect

from tests.browser.conftest import ARTEFACTS, Site
from tests.browser.support import Json, body_of, fits, purchase_rows, settled, tab, violations
from tests.browser.test_usage import event
from tests.support.days import lasting_day
from tests.support.words import english_only

TABS = {"billing": "Guthaben im Zeitverlauf", "usage": "Kosten im Zeitverlauf"}
GREGORIAN = re.compile(r"\b20\d\d")
ARABIC, THAI = r"\u0600-\u06ff", r"\u0e00-\u0e7f"
TEXTS = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const texts = [document.title]
  while (walker.nextNode()) texts.push(walker.currentNode.data)
  for (const element of document.querySelectorAll('[title], [aria-label], [placeholder]'))
    for (const name of ['title', 'aria-label', 'placeholder'])
      texts.push(element.getAttribute(name) ?? '')
  return texts.map((text) => text.trim()).filter(Boolean)
}"""
LEGEND_LINES = """() => [...document.querySelectorAll('figure:has([role=application]) > ul')].map(
  (legend) => new Set([...legend.children].map((each) => each.offsetTop)).size)"""
# What of a name could pull what is beside it to its other side: texts that are not isolated, and
# attributes that have more than the name in them.
LOOSE = r"""(name) => {
  const isolates = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const { unicodeBidi, display } = getComputedStyle(each)
      if (/isolate|plaintext/.test(unicodeBidi)) return true
      if (!display.startsWith('inline')) return each.textContent.trim() === name
    }
    return false
  }
  const found = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode
    if (data.includes(name) && !isolates(parentElement)) found.push(parentElement.outerHTML)
  }
  const marked = `\u2068${name}\u2069`
  const isLoose = (text) => text.includes(name) && text !== name && !text.includes(marked)
  if (isLoose(document.title)) found.push(document.title)
  for (const element of document.querySelectorAll('[title], [aria-label]'))
    if (isLoose(element.title) || isLoose(element.getAttribute('aria-label') ?? ''))
      found.push(element.outerHTML)
  return found
}"""


async def choose(page: Page, label: str, language: str) -> None:
    await page.get_by_role("button", name=label).press("Enter")
    await page.get_by_role("option", name=language).press("Enter")


async def english_on(page: Page) -> frozenset[str]:
    await settled(page)
    return english_only() & frozenset(await page.evaluate(TEXTS))


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("view", TABS)
async def test_a_german_browser_reads_german(
    browser: Browser, site: Site, view: str, width: int
) -> None:
    size = {"width": width, "height": 900}
    async with tab(browser, site, locale="de-DE", viewport=size) as page:
        await page.goto(f"/?tab={view}")
        await expect(page.get_by_role("application", name=TABS[view])).to_be_visible()
        await expect(page.locator("html")).to_have_attribute("lang", "de")
        assert await violations(page) == []
        assert await english_on(page) == frozenset()
        assert await fits(page)
        if width == 1440:
            assert set(await page.evaluate(LEGEND_LINES)) == {1}
        await expect(page.locator(".balance .amount")).to_have_text(
            re.compile(r"^[\d.]+,\d\d\s\$$")
        )
        await expect(page.get_by_text("Stand: ")).to_have_text(re.compile(r"\d\d:\d\d:\d\d$"))
        await expect(page.locator("main time").nth(1)).to_have_text(
            re.compile(r"\d{1,2}\. \w+\.? 20\d\d")
        )
        await page.screenshot(path=ARTEFACTS / f"{view}-de-{width}.png", full_page=True)


async def test_the_calendar_is_german_too(browser: Browser, site: Site) -> None:
    async with tab(browser, site, locale="de-DE") as page:
        await page.goto("/?range=7d")
        await page.get_by_role("button", name="Zeitraum").click()
        calendar = page.get_by_role("dialog", name="Zeitraum")
        heads = calendar.get_by_role("grid").locator("th")
        await expect(heads.first).to_have_text("M")
        await expect(calendar.get_by_role("spinbutton").first).to_have_accessible_name("Tag, Von")
        assert await english_on(page) == frozenset()


async def test_a_language_chosen_by_hand_stays(browser: Browser, site: Site) -> None:
    async with tab(browser, site) as page:
        await page.goto("/?tab=usage")
        await expect(page.get_by_role("application", name="Spend over time")).to_be_visible()
        await expect(page).to_have_title(re.compile("Aurora.* · Usage · Billing & Usage"))
        url = page.url
        await choose(page, "Language", "Deutsch")
        await expect(page.get_by_role("tab")).to_have_text(["Abrechnung", "Verbrauch"])
        await expect(page.get_by_role("button", name="Sprache")).to_be_focused()
        assert await english_on(page) == frozenset()
        assert page.url == url
        title = "\u2068Aurora Inference GmbH\u2069 · Verbrauch · Abrechnung & Verbrauch"
        await expect(page).to_have_title(title)
        await page.reload()
        await expect(page.get_by_role("tab")).to_have_text(["Abrechnung", "Verbrauch"])
        await expect(page.locator("html")).to_have_attribute("lang", "de")
        await choose(page, "Sprache", "English")
        await expect(page.get_by_role("tab")).to_have_text(["Billing", "Usage"])
        await expect(page.locator("html")).to_have_attribute("lang", "en")
        await expect(page.get_by_role("application", name="Spend over time")).to_be_visible()


async def test_a_language_that_does_not_load_changes_nothing(browser: Browser, site: Site) -> None:
    async with tab(browser, site, viewport={"width": 360, "height": 800}) as page:
        await page.goto("/")
        await expect(purchase_rows(page)).to_have_count(10)
        await page.route(re.compile("/assets/de-"), lambda route: route.abort())
        await choose(page, "Language", "Deutsch")
        await expect(page.get_by_text("This language could not be loaded.")).to_be_visible()
        assert await violations(page) == []
        assert await fits(page)
        await page.screenshot(path=ARTEFACTS / "language-failed.png")
        await expect(page.get_by_role("tab")).to_have_text(["Billing", "Usage"])
        await page.unroute(re.compile("/assets/de-"))
        await page.reload()
        await expect(page.get_by_role("tab")).to_have_text(["Billing", "Usage"])
        await choose(page, "Language", "Deutsch")
        await expect(page.get_by_role("tab")).to_have_text(["Abrechnung", "Verbrauch"])


@pytest.mark.parametrize("locale", ["ar-EG", "fa-IR", "th-TH"])
async def test_every_browser_sees_the_year_of_the_receipt(
    browser: Browser, site: Site, locale: str
) -> None:
    sent: list[Json] = []

    def note(request: Request) -> None:
        if request.url.endswith("/graphql"):
            sent.append(body_of(request)["variables"])

    async with tab(browser, site, locale=locale) as page:
        page.on("request", note)
        for view, chart in (("billing", "Balance over time"), ("usage", "Spend over time")):
            await page.goto(f"/?tab={view}&range=7d")
            await expect(page.get_by_role("application", name=chart)).to_be_visible()
            await settled(page)
            days = page.get_by_role("button", name="Date range")
            await expect(days).to_contain_text(re.compile(r"Last 7 days, \w{3} \d"))
            await expect(page.locator("main time").nth(1)).to_contain_text(GREGORIAN)
            await days.click()
            await expect(page.locator(".calendar-heading")).to_contain_text(GREGORIAN)
            texts = "\n".join(await page.evaluate(TEXTS))
            assert re.findall(rf"[{ARABIC}{THAI}]+", texts) == []
            await expect(page.get_by_role("alert")).to_have_text([])
            await page.keyboard.press("Escape")
            await page.screenshot(path=ARTEFACTS / f"{view}-{locale}.png", full_page=True)
    first = {each["from"] for each in sent if each.get("interval")}
    assert first
    month_ago = datetime.now(UTC).date() - timedelta(days=30)
    assert all(date.fromisoformat(day) > month_ago for day in first)


@pytest.mark.parametrize("locale", ["en-US", "de-DE"])
async def test_names_of_the_other_direction_are_isolated(
    browser: Browser, site: Site, locale: str
) -> None:
    name = "\u05e9\u05dc\u05d5\u05dd 12"
    account = await site.operator.put_account("isolated", name=name)
    await site.operator.grant("isolated", "50.00", "isolated", description=name)
    yesterday = await lasting_day() - timedelta(days=1)
    answer = await site.operator.meter(event("isolated", 0, yesterday, 0, "1.00", name))
    assert answer["rejected"] == [], answer
    async with tab(browser, site, locale=locale) as page:
        for view in ("billing", "usage"):
            await page.goto(f"/?account={account}&tab={view}")
            await expect(page.locator(f".{view}, main")).to_contain_text(name)
            await settled(page)
            assert await page.evaluate(LOOSE, name) == []
            await page.locator(".account-switcher button").click()
            await expect(page.get_by_role("option", name=name)).to_be_visible()
            assert await page.evaluate(LOOSE, name) == []
