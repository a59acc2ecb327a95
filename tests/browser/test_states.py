"""The page without data, with very much of it, and with failures."""

import asyncio
import csv
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser, Locator, Page, Request, Route, expect
from pydantic import SecretStr

from gateway.billing.book import Book
from gateway.billing.purchases.purchase_state import PurchaseFacts
from gateway.billing.purchases.recording import record_purchase
from gateway.clock import SystemClock
from gateway.ids import KeyFactory, parse_global_id
from gateway.models import CreditPurchaseKind
from gateway.money import NANOS
from gateway.settings import load_settings
from gateway.store import connect
from tests.browser.conftest import ARTEFACTS, DemoDatabase, Site
from tests.browser.support import (
    at_first,
    body_of,
    card,
    expect_cells,
    figure,
    fits,
    purchase_rows,
    settled,
    tab,
    violations,
)
from tests.support.books import ACTOR
from tests.support.days import lasting_day

MANY = 10_000
# Far from what it takes where nothing else runs, so that a busy machine passes too.
TURN_SECONDS = 5
LONG_NAME = "Gesellschaft für wissenschaftliche Datenverarbeitung und Rechenzeit"[:60]
NARROW: Any = {"width": 360, "height": 800}


def purchases(page: Page) -> Locator:
    return page.get_by_role("region", name="Credit purchases")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_an_account_without_credit_is_told_how_to_begin(
    browser: Browser, site: Site, theme: Any
) -> None:
    account = await site.operator.put_account("empty")
    async with tab(browser, site, color_scheme=theme) as page:
        await page.goto(f"/?account={account}")
        await expect(page.get_by_text("No credit purchases yet")).to_be_visible()
        await expect(figure(page, "Runs out")).to_contain_text("No credit yet")
        await settled(page)
        await expect(page.get_by_role("region", name="Balance over time")).to_have_count(0)
        assert await violations(page) == []
        await page.screenshot(path=ARTEFACTS / f"billing-empty-{theme}.png")
        await page.get_by_role("tab", name="Usage").click()
        await expect(page.get_by_text("No usage in this period").first).to_be_visible()
        assert await violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_a_failure_keeps_the_filter_and_is_tried_again(
    browser: Browser, site: Site, theme: Any
) -> None:
    async def answer(route: Route) -> None:
        variables = body_of(route.request)["variables"]
        if failing and "filter" in variables:
            await route.fulfill(status=500, body="")
        else:
            await route.continue_()

    failing = True
    async with tab(browser, site, color_scheme=theme) as page:
        await page.route("**/graphql", answer)
        await page.goto("/?status=succeeded&range=90d")
        failed = purchases(page).get_by_role("alert")
        await expect(failed).to_contain_text("This could not be loaded")
        await expect(page.get_by_role("button", name="Date range")).to_contain_text("Last 90 days")
        await expect(page.get_by_role("button", name="Status")).to_contain_text("Succeeded")
        assert await violations(page) == []
        failing = False
        await failed.get_by_role("button", name="Try again").click()
        await expect(purchase_rows(page).first).to_contain_text("Succeeded")
        await expect(failed).to_have_count(0)
        await expect(purchases(page)).to_be_focused()


async def test_a_throttled_page_waits_and_loads(browser: Browser, site: Site) -> None:
    refused = 0

    async def answer(route: Route) -> None:
        nonlocal refused
        if refused < 2:
            refused += 1
            error = {"message": "Too few points.", "extensions": {"code": "THROTTLED"}}
            headers = {"retry-after": "1", "content-type": "application/graphql-response+json"}
            await route.fulfill(status=429, headers=headers, json={"errors": [error]})
        else:
            await route.continue_()

    async with tab(browser, site) as page:
        await page.route("**/graphql", answer)
        await page.goto("/?range=90d")
        await expect(purchase_rows(page).first).to_be_visible()
        await expect(page.get_by_role("alert")).to_have_count(0)
    assert refused == 2


async def refuse_facts(route: Route) -> None:
    """Let everything through but queries of the account alone."""
    if body_of(route.request)["variables"].keys() == {"account"}:
        await route.fulfill(status=503, body="")
    else:
        await route.continue_()


async def test_the_page_stays_without_the_accounts_facts(browser: Browser, site: Site) -> None:
    async with tab(browser, site) as page:
        await page.route("**/graphql", refuse_facts)
        # One that is never answered: nothing is pushed either.
        await page.route_web_socket("**/graphql", lambda socket: None)
        await page.goto("/?status=succeeded&range=90d")
        balance = page.get_by_role("region", name="Balance", exact=True)
        await expect(balance.get_by_role("alert")).to_contain_text("This could not be loaded")
        await expect(balance.locator(".live")).to_have_text("Connecting…")
        days = page.get_by_role("button", name="Date range")
        zone = page.get_by_role("button", name="Time zone")
        await expect(days).to_contain_text("Last 90 days")
        await expect(zone).to_contain_text("UTC")
        await expect(page.get_by_role("button", name="Status")).to_contain_text("Succeeded")
        await expect(purchase_rows(page).first).to_contain_text("Succeeded")
        assert await violations(page) == []
        await page.screenshot(path=ARTEFACTS / "billing-no-facts.png")

        await page.get_by_role("tab", name="Usage").click()
        await expect(page.get_by_role("group", name="Interval")).to_be_visible()
        await expect(days).to_contain_text("Last 90 days")
        await expect(page.get_by_role("alert")).to_have_count(1)
        assert await violations(page) == []
        async with page.expect_response(lambda answer: answer.status == 503):
            await balance.get_by_role("button", name="Try again").click()
        await expect(balance.get_by_role("alert")).to_be_visible()
        await expect(days).to_be_visible()

        await page.unroute("**/graphql", refuse_facts)
        await balance.get_by_role("button", name="Try again").click()
        await expect(balance.locator(".amount")).to_contain_text("$")
        await expect(zone).to_contain_text("Europe/Berlin")
        await expect(figure(page, "Total spend")).to_contain_text("$")
        await settled(page)
        await expect(page.get_by_role("alert")).to_have_count(0)


async def test_a_pushed_balance_stays_without_the_accounts_facts(
    browser: Browser, site: Site
) -> None:
    account = await site.operator.put_account("factless", timeZone="Asia/Tokyo")
    await site.operator.grant("factless", "10", "factless-1")
    async with tab(browser, site) as page:
        await page.route("**/graphql", refuse_facts)
        await page.goto(f"/?account={account}")
        balance = page.get_by_role("region", name="Balance", exact=True)
        notice = balance.get_by_role("status").filter(has_text="time zone could not be loaded")
        await expect(notice).to_be_visible()
        await expect(balance.locator(".live")).to_have_text("Live")
        await expect(balance.locator(".amount")).to_have_text("$10.00")
        await expect(balance.locator(".skeleton")).to_have_count(0)
        await expect(page.get_by_role("alert")).to_have_count(0)
        await site.operator.grant("factless", "5", "factless-2")
        await expect(balance.locator(".amount")).to_have_text("$15.00")
        assert await violations(page) == []
        await page.screenshot(path=ARTEFACTS / "billing-pushed-no-facts.png")

        await page.unroute("**/graphql", refuse_facts)
        await balance.get_by_role("button", name="Try again").click()
        await expect(page.get_by_role("button", name="Time zone")).to_contain_text("Asia/Tokyo")
        await expect(notice).to_have_count(0)
        await expect(balance).to_be_focused()


@pytest.mark.parametrize("view", ["?range=90d", "?tab=usage&range=90d"])
async def test_other_filters_clear_the_error_of_an_export(
    browser: Browser, site: Site, view: str
) -> None:
    async def answer(route: Route) -> None:
        if "format" in body_of(route.request)["variables"]:
            await route.fulfill(status=503, body="")
        else:
            await route.continue_()

    async with tab(browser, site) as page:
        await page.route("**/graphql", answer)
        await page.goto(f"/{view}")
        notice = page.get_by_text("Export failed")
        days = page.get_by_role("button", name="Date range")
        export = page.get_by_role("button", name="Export").first
        await expect(export).to_be_visible()
        await settled(page)
        await export.click()
        await page.get_by_role("menuitem", name="CSV").first.click()
        await expect(notice).to_be_visible()
        await days.click()
        await page.get_by_role("option", name="Last 7 days").click()
        await expect(page).to_have_url(re.compile("range=7d"))
        await expect(days).to_contain_text("Last 7 days")
        await expect(notice).to_have_count(0)
        await page.go_back()
        await expect(page).to_have_url(re.compile("range=90d"))
        await expect(days).to_contain_text("Last 90 days")
        await expect(notice).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_without_a_network_what_was_there_stays(
    browser: Browser, site: Site, theme: Any
) -> None:
    async with tab(browser, site, color_scheme=theme) as page:
        await page.goto("/")
        mark = page.get_by_role("region", name="Balance", exact=True).locator(".live")
        await expect(mark).to_have_text("Live")
        await expect(purchase_rows(page)).to_have_count(10)
        await settled(page)
        await page.context.set_offline(True)
        await expect(mark).to_have_text("Offline")
        await expect(purchase_rows(page)).to_have_count(10)
        assert await violations(page) == []
        await purchases(page).get_by_label("Rows").select_option("20")
        failed = purchases(page).get_by_role("alert")
        await expect(failed).to_contain_text("We can't reach the server.")
        assert await violations(page) == []
        await page.screenshot(path=ARTEFACTS / f"billing-offline-{theme}.png")
        await page.context.set_offline(False)
        await expect(mark).to_have_text("Live")
        await expect(purchase_rows(page)).to_have_count(20)


async def test_a_part_without_its_code_leaves_the_rest(browser: Browser, site: Site) -> None:
    async with tab(browser, site) as page:
        await page.route("**/plot-*.js", lambda route: route.abort())
        await page.goto("/")
        chart = page.get_by_role("region", name="Balance over time")
        failed = chart.get_by_role("alert")
        await expect(failed).to_contain_text("This part of the page could not be loaded")
        await expect(purchase_rows(page)).to_have_count(10)
        assert await violations(page) == []
        await page.screenshot(path=ARTEFACTS / "billing-no-chart.png", full_page=True)
        await page.unroute("**/plot-*.js")
        await failed.get_by_role("button", name="Try again").click()
        await expect(chart.get_by_role("application", name="Balance over time")).to_be_visible()
        await expect(chart).to_be_focused()


async def test_empty_lists_and_forbidden_payments_are_explained(
    browser: Browser, site: Site
) -> None:
    viewed = await site.operator.put_account(
        "viewed", members=[{"subject": "ada@demo", "role": "VIEWER"}]
    )
    async with tab(browser, site) as page:
        await page.goto("/?account=acct_0000000000000001")
        await expect(
            page.get_by_text("Account not found, or you don't have access")
        ).to_be_visible()
        assert await violations(page) == []
        await page.goto(f"/?account={viewed}")
        await expect(page.get_by_text("Your role can't see payments")).to_be_visible()
        await expect(page.get_by_role("button", name="Export")).to_have_count(0)
        assert await violations(page) == []


@pytest.mark.parametrize(
    ("requested", "shown"),
    [
        ("america/new_york", "America/New York"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("+02:00", "Europe/Berlin"),
        ("Europe/Nowhere", "Europe/Berlin"),
    ],
)
async def test_a_zone_in_a_link_gets_its_canonical_name(
    browser: Browser, site: Site, requested: str, shown: str
) -> None:
    async with tab(browser, site) as page:
        await page.goto("/?" + urlencode({"zone": requested}))
        await expect(page.get_by_role("button", name="Time zone")).to_contain_text(shown)
        await expect(purchase_rows(page)).to_have_count(10)
        await expect(page.get_by_role("application", name="Balance over time")).to_be_visible()
        await settled(page)
        await expect(page.get_by_role("alert")).to_have_count(0)


async def test_purchases_wait_for_the_zone_of_their_dates(browser: Browser, site: Site) -> None:
    async def hold(route: Route) -> None:
        if body_of(route.request)["variables"].keys() == {"account"}:
            await looked.wait()
        await route.continue_()

    looked = asyncio.Event()
    account = await site.operator.put_account("dated", timeZone="Asia/Tokyo")
    await site.operator.grant("dated", "5", "dated-1", occurredAt="2026-01-05T20:00:00+00:00")
    async with tab(browser, site) as page:
        await page.route("**/graphql", hold)
        await page.goto(f"/?account={account}")
        await expect(figure(page, "Credit added")).to_contain_text("$5.00")
        await expect(purchase_rows(page)).to_have_count(0)
        looked.set()
        await expect_cells(purchases(page), "date", ["Jan 6, 2026"])


async def test_a_zone_is_found_in_the_reader_s_language(browser: Browser, site: Site) -> None:
    async with tab(browser, site, locale="de-DE") as page:
        await page.goto("/")
        await page.get_by_role("button", name="Zeitzone").click()
        zones = page.get_by_role("listbox", name="Zeitzone")
        found = zones.get_by_role("option").first.locator(".option-text")
        for sought, zone in (
            ("MEZ", "Europe/Berlin"),
            ("Norwegen", "Europe/Oslo"),
            ("Germany", "Europe/Berlin"),
            ("EST", "America/New York"),
        ):
            await page.get_by_role("searchbox", name="Zeitzonen").fill(sought)
            await expect(found).to_have_text(zone)


async def test_a_zone_is_found_by_what_people_call_it(browser: Browser, site: Site) -> None:
    async with tab(browser, site) as page:
        await page.goto("/")
        await page.get_by_role("button", name="Time zone").click()
        options = page.get_by_role("listbox", name="Time zone").get_by_role("option")
        await expect(options.nth(0)).to_contain_text("Europe/Berlin")
        await expect(options.nth(1)).to_contain_text("UTC")
        field = page.get_by_role("searchbox", name="Search time zones")

        async def search(sought: str, found: str) -> None:
            """Wait for what Enter would choose, too: it follows the typing after a while."""
            await field.fill(sought)
            await expect(options.first.locator(".option-text")).to_have_text(found)
            chosen = re.compile(f"{re.escape(found.replace(' ', '_'))}$")
            await expect(field).to_have_attribute("aria-activedescendant", chosen)

        for sought, found in (
            ("UTC", "UTC"),
            ("gmt", "UTC"),
            ("kiev", "Europe/Kyiv"),
            ("calcutta", "Asia/Kolkata"),
            ("us/eastern", "America/New York"),
            ("gmt+5:45", "Asia/Kathmandu"),
            ("rome", "Europe/Rome"),
            ("st john", "America/St Johns"),
            ("EST", "America/New York"),
            ("edt", "America/New York"),
            ("CST", "America/Chicago"),
            ("pst", "America/Los Angeles"),
            ("CET", "Europe/Berlin"),
            ("IST", "Asia/Kolkata"),
            ("JST", "Asia/Tokyo"),
            ("india", "Asia/Kolkata"),
            ("Germany", "Europe/Berlin"),
            ("norway", "Europe/Oslo"),
            ("canada", "America/Toronto"),
            ("australia", "Australia/Sydney"),
            ("brazil", "America/Sao Paulo"),
            ("united states", "America/New York"),
            ("UK", "Europe/London"),
            ("new york", "America/New York"),
            ("eastern standard", "America/New York"),
        ):
            await search(sought, found)
        await search("utc", "UTC")
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(re.compile("zone=UTC"))


async def bought(demo: DemoDatabase, account_id: int, count: int) -> None:
    """Book payments to an account, one an hour."""
    settings = load_settings(
        environment="dev", database_url=SecretStr(demo.url), data_dir=demo.data_dir
    )
    database, clock = await connect(settings), SystemClock()
    begin = datetime.now(UTC) - count * timedelta(hours=1)
    try:
        async with database.writing(ACTOR, unlimited=True) as transaction:
            book = await Book.open(
                transaction, [account_id], actor=ACTOR, clock=clock, keys=KeyFactory(clock)
            )
            for number in range(count):
                at = begin + number * timedelta(hours=1)
                facts = PurchaseFacts(
                    account_id=account_id,
                    kind=CreditPurchaseKind.CARD,
                    amount=(number + 1) * NANOS,
                    currency="USD",
                    created_at=at,
                    succeeded_at=at,
                )
                record_purchase(book, facts)
            await book.close()
    finally:
        await database.close()


async def test_ten_thousand_purchases_load_as_fast_as_ten(
    browser: Browser, each_site: Site, tmp_path: Path
) -> None:
    account = await each_site.operator.put_account("many")
    await bought(each_site.demo, parse_global_id(account).account_id, MANY)
    async with tab(browser, each_site) as page:
        await page.goto(f"/?account={account}&size=100")
        await expect(purchase_rows(page)).to_have_count(100)
        pages = purchases(page).get_by_role("navigation", name="Pages")
        await expect(pages).to_contain_text(f"100 of {MANY:,}")
        for number in range(1, 6):
            began = time.monotonic()
            await pages.get_by_role("button", name="Next page").click()
            await expect(purchase_rows(page).first).to_contain_text(f"${MANY - 100 * number:,}.00")
            took = time.monotonic() - began
            assert took < TURN_SECONDS
        print(f"a page's turn took {1000 * took:.0f} ms")
        await pages.get_by_role("button", name="Previous page").click()
        await expect(purchase_rows(page).first).to_contain_text(f"${MANY - 400:,}.00")
        await purchases(page).get_by_role("button", name="Export").click()
        async with page.expect_download() as download:
            await page.get_by_role("menuitem", name="CSV").click()
        file = tmp_path / "many.csv"
        await (await download.value).save_as(file)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        amounts = [row["Amount"] for row in csv.DictReader(lines)]
    assert amounts == [f"{number + 1}.00" for number in range(MANY)]


@pytest.mark.parametrize("name", [LONG_NAME, "صقر للذكاء الاصطناعي"])
async def test_names_of_any_length_and_direction_have_their_place(
    browser: Browser, site: Site, name: str
) -> None:
    account = await site.operator.put_account(f"named-{len(name)}", name=name)
    for viewport in (NARROW, {"width": 1440, "height": 900}):
        async with tab(browser, site, viewport=viewport) as page:
            await page.goto(f"/?account={account}")
            switcher = page.get_by_role("button", name="Account")
            await expect(switcher).to_contain_text(name)
            await expect(page.get_by_text("No credit purchases yet")).to_be_visible()
            await settled(page)
            assert await fits(page)
            box = await switcher.bounding_box()
            assert box
            assert box["height"] < 60
            assert await violations(page) == []


async def test_an_account_beyond_the_first_hundred_has_its_name(
    browser: Browser, site: Site
) -> None:
    members = [{"subject": "grace@demo", "role": "OWNER"}]
    for number in range(100):
        await site.operator.put_account(f"crowd-{number}", members=members)
    last = await site.operator.put_account("the-last", name="The last of many", members=members)
    async with tab(browser, site) as page:
        await page.add_init_script("sessionStorage.setItem('dev-person', 'Grace Lindqvist')")
        await page.goto(f"/?account={last}")
        await expect(page.get_by_label("Signed in as")).to_have_value("Grace Lindqvist")
        await expect(page.get_by_role("button", name="Account")).to_contain_text("The last of many")


@pytest.mark.parametrize(
    ("account", "amount"),
    [("株式会社ニンバス", r"¥[\d,]+"), ("صقر للذكاء الاصطناعي", r"KWD\s[\d,]+\.\d{3}")],
)
async def test_amounts_have_the_digits_of_their_currency(
    browser: Browser, site: Site, account: str, amount: str
) -> None:
    async with tab(browser, site) as page:
        await page.goto("/")
        await page.get_by_role("button", name="Account").click()
        await page.get_by_role("option", name=re.compile(f"^{account}.*(JPY|KWD)$")).click()
        await expect(page.get_by_role("button", name="Account")).to_contain_text(account)
        paid = figure(page, "Charged to cards").locator(".figure-value data")
        await expect(paid).to_have_text(re.compile(f"^{amount}$"))
        await expect(purchase_rows(page).first.locator("td.credit data").first).to_have_text(
            re.compile(f"^{amount}$")
        )
        await page.screenshot(path=ARTEFACTS / f"billing-{account}.png", full_page=True)


async def test_a_colleague_sees_the_same_and_back_leads_back(browser: Browser, site: Site) -> None:
    async with tab(browser, site) as page:
        await page.goto("/")
        await expect(purchase_rows(page)).to_have_count(10)
        await page.get_by_role("button", name="Status").click()
        await page.get_by_role("option", name="Succeeded").click()
        await expect(page).to_have_url(re.compile("status=succeeded"))
        await page.keyboard.press("Escape")
        await settled(page)
        # A refund of a purchase may have failed; its own status is a word by itself.
        await expect(purchase_rows(page).get_by_text("Failed", exact=True)).to_have_count(0)
        await purchases(page).get_by_role("button", name="Next page").click()
        await expect(page).to_have_url(re.compile("after="))
        await expect(purchases(page).get_by_role("button", name="Previous page")).to_be_enabled()
        await settled(page)
        shown, url = await purchase_rows(page).all_inner_texts(), page.url

        async with tab(browser, site, timezone_id="Asia/Tokyo") as other:
            await other.goto(url)
            await expect(
                purchases(other).get_by_role("button", name="Previous page")
            ).to_be_enabled()
            await settled(other)
            assert await purchase_rows(other).all_inner_texts() == shown

        await page.get_by_role("tab", name="Usage").click()
        await expect(page.get_by_role("tab", name="Usage")).to_have_attribute(
            "aria-selected", "true"
        )
        await page.go_back()
        await expect(purchase_rows(page)).to_have_text([re.compile(".")] * len(shown))
        await expect(purchases(page).get_by_role("button", name="Previous page")).to_be_enabled()
        await page.go_back()
        await expect(page).not_to_have_url(re.compile("after="))
        await expect(purchases(page).get_by_role("button", name="Next page")).to_be_enabled()
        await expect(purchases(page).get_by_role("button", name="Previous page")).to_be_disabled()
        await page.go_back()
        await expect(page).not_to_have_url(re.compile("status="))
        await page.go_forward()
        await expect(page.get_by_role("button", name="Status")).to_contain_text("Succeeded")
        await page.go_forward()
        await expect(page).to_have_url(url)


async def test_a_place_in_a_list_stays_with_its_tab(browser: Browser, site: Site) -> None:
    until = await lasting_day("Europe/Berlin") - timedelta(days=10)
    async with tab(browser, site) as page:
        billing, usage = (page.get_by_role("tab", name=name) for name in ("Billing", "Usage"))
        await page.goto("/?range=90d")
        activity, daily = card(page, "Activity"), card(page, "Day by day")
        await expect(activity.locator("tbody tr:not(.waiting)")).to_have_count(10)
        await settled(page)
        await activity.get_by_role("button", name="Next page").press("Enter")
        await expect(page).to_have_url(re.compile("activity-after="))
        await settled(page)
        shown = await activity.locator("tbody").inner_text()

        await usage.click()
        await expect(page).not_to_have_url(re.compile("after="))
        await expect(daily.locator("tbody tr:not(.waiting)")).to_have_count(10)
        await settled(page)
        await daily.get_by_role("button", name="Next page").press("Enter")
        await expect(page).to_have_url(re.compile(f"daily-until={until}"))
        first = daily.locator("td.date time").first
        await expect(first).to_have_attribute("datetime", str(until))
        await page.reload()
        await expect(first).to_have_attribute("datetime", str(until))

        await page.go_back()
        await page.go_back()
        await expect(page).to_have_url(re.compile("activity-after="))
        await settled(page)
        assert await activity.locator("tbody").inner_text() == shown

        await usage.click()
        await expect(page).not_to_have_url(re.compile("after="))
        await billing.click()
        await expect(page).to_have_url(re.compile("activity-after="))
        await settled(page)
        assert await activity.locator("tbody").inner_text() == shown

        await usage.click()
        await page.get_by_role("button", name="Last 90 days").click()
        await page.get_by_role("option", name="Last 30 days").click()
        await billing.click()
        await expect(page).not_to_have_url(re.compile("after="))


async def test_a_list_that_loads_has_no_next_page(browser: Browser, site: Site) -> None:
    async def hold(route: Route) -> None:
        if "status" in body_of(route.request)["variables"].get("filter", {}):
            await looked.wait()
        await route.continue_()

    looked = asyncio.Event()
    async with tab(browser, site) as page:
        await page.route("**/graphql", hold)
        await page.goto("/")
        turn = purchases(page).get_by_role("button", name="Next page")
        await expect(turn).to_be_enabled()
        await page.get_by_role("button", name="Status").click()
        await page.get_by_role("option", name="Succeeded").click()
        await expect(page).to_have_url(re.compile("status=succeeded"))
        await page.keyboard.press("Escape")
        await expect(turn).to_be_disabled()
        looked.set()
        await expect(turn).to_be_enabled()


async def test_a_link_names_the_account_that_nobody_chose(browser: Browser, site: Site) -> None:
    key = await site.gateway.command(
        "api-key", "create", "linking", "--account", "demo-nimbus", "--scope", "billing:read"
    )
    async with tab(browser, site) as page, tab(browser, site) as other:
        await page.add_init_script("window.began = history.length")
        await page.goto("/?range=90d")
        await expect(page.get_by_role("button", name="Account")).to_contain_text("Aurora")
        await expect(page).to_have_url(re.compile("account=acct_.*range=90d"))
        # The next one may have another.
        await page.get_by_role("button", name="Sign out").click()
        await expect(page).not_to_have_url(re.compile("account="))

        sent: list[Request] = []
        page.on("request", lambda request: sent.append(request))
        began = await page.evaluate("Date.now()")
        await page.get_by_label("API key").fill(key)
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(re.compile("account=acct_.*range=90d"))
        amount = page.locator(".balance .amount")
        await expect(amount).to_contain_text("¥")
        await expect(purchase_rows(page).first).to_contain_text("¥")
        await settled(page)
        posted = [each.post_data for each in at_first(sent, began) if each.post_data]
        assert len(posted) == len(set(posted))
        assert await page.evaluate("history.length === began")

        # Her own first account is Aurora.
        await other.add_init_script("sessionStorage.setItem('dev-person', 'Grace Lindqvist')")
        await other.goto(page.url)
        await expect(other.get_by_label("Signed in as")).to_have_value("Grace Lindqvist")
        await expect(other.get_by_role("button", name="Account")).to_contain_text("ニンバス")
        await expect(other.locator(".balance .amount")).to_have_text(await amount.inner_text())
