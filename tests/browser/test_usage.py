"""The Usage tab: it shows what the API says, in any zone, by mouse and by keyboard, and live."""

import csv
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Route, expect

from tests.browser.conftest import ARTEFACTS, Site
from tests.browser.support import (
    Json,
    ask,
    body_of,
    card,
    exact,
    expect_cells,
    figure,
    fits,
    printed,
    read,
    settled,
    tab,
    violations,
)
from tests.support.days import lasting_day

# How long the figures may rest while charges come, in milliseconds.
SOON = 30_000
FIRST = datetime.now(UTC).date() - timedelta(days=20)
WEEK = [FIRST + timedelta(days=day) for day in range(7)]
USAGE = """
query ($account: ID!, $interval: UsageInterval!, $from: Date!, $to: Date!, $zone: TimeZone!) {
  account(id: $account) {
    usage(interval: $interval, from: $from, to: $to, timeZone: $zone) {
      summary { totalSpend { amount } averageDailySpend { amount } totalDeployments }
      buckets { deployments spend { amount } cumulativeSpend { amount } }
      breakdown(by: DEPLOYMENT) { label deployments spend { amount } }
    }
  }
}
"""


def event(account: str, number: int, day: date, hour: int, amount: str, name: str) -> Json:
    """One hour of a GPU in a deployment of that name; of none without a name."""
    start = datetime.combine(day, time(hour), UTC)
    deployment = {"externalId": name, "name": name, "provider": "north", "gpuModel": "H100"}
    return {
        "account": account,
        "source": "tests",
        "id": f"e{number}",
        "resource": "GPU",
        "quantity": "1.5",
        "unit": "gpu-hour",
        "amount": amount,
        "currency": "USD",
        "start": start.isoformat(),
        "end": (start + timedelta(hours=1)).isoformat(),
    } | ({"deployment": deployment} if name else {})


async def metered(site: Site, account: str, charges: Iterable[tuple[date, int, str, str]]) -> str:
    """Make an account of Ada's with these charges: day, hour, amount, deployment."""
    global_id = await site.operator.put_account(account)
    events = [event(account, number, *charge) for number, charge in enumerate(charges)]
    answer = await site.operator.meter(*events)
    assert answer["rejected"] == [], answer
    return global_id


async def usage_of(site: Site, **variables: Any) -> Json:
    """Return the account's usage as the API gives it."""
    usage: Json = (await ask(site, USAGE, **variables))["account"]["usage"]
    return usage


async def open_tab(page: Page, account: str, **view: object) -> None:
    await page.goto("/?" + urlencode({"account": account, "tab": "usage"} | view))
    await expect(figure(page, "Total spend")).to_contain_text("$")


# In the first zone 03:00 UTC is the evening before, in the second 20:00 UTC is the next morning.
CHARGES = [
    (day, hour, amount, name)
    for number, day in enumerate(WEEK)
    for hour, amount, name in (
        (3, f"{number}.000000001", "llm"),
        (20, f"1{number}.25", "embeddings"),
    )
]


@pytest.mark.parametrize(
    ("zone", "browsers_zone"),
    [("America/Los_Angeles", "Asia/Tokyo"), ("Asia/Kolkata", "America/Los_Angeles")],
)
async def test_usage_views_of_a_window_match_the_api(
    browser: Browser, site: Site, tmp_path: Path, zone: str, browsers_zone: str
) -> None:
    account = await metered(site, "agreeing", CHARGES)
    window = {"from": WEEK[1].isoformat(), "to": WEEK[5].isoformat(), "zone": zone}
    usage = await usage_of(site, account=account, interval="DAY", **window)
    async with tab(browser, site, timezone_id=browsers_zone) as page:
        await open_tab(page, account, interval="day", **window)
        total = figure(page, "Total spend").locator("data")
        await expect(total).to_have_attribute("value", usage["summary"]["totalSpend"]["amount"])
        average = figure(page, "Daily average").locator("data")
        mean = usage["summary"]["averageDailySpend"]["amount"]
        await expect(average).to_have_attribute("value", mean)
        await expect(figure(page, "Deployments").locator(".figure-value")).to_have_text("2")

        labels = [f"{day:%a, %b} {day.day}, {day.year}" for day in WEEK[1:6]]
        spend = [bucket["spend"]["amount"] for bucket in usage["buckets"]]
        await expect(page.get_by_role("application", name="Spend over time")).to_be_visible()
        chart = card(page, "Spend over time")
        await chart.get_by_text("Table", exact=True).click()
        await expect_cells(chart, "period", labels)
        await expect_cells(chart, "spend", [read(each) for each in spend])
        cumulative = [bucket["cumulativeSpend"]["amount"] for bucket in usage["buckets"]]
        await expect_cells(chart, "cumulative", [read(each) for each in cumulative])

        days = card(page, "Day by day")
        await expect_cells(days, "date", labels[::-1])
        amounts = days.locator("data")
        await expect(amounts).to_have_count(len(spend))
        for at, amount in enumerate(reversed(spend)):
            await expect(amounts.nth(at)).to_have_attribute("title", exact(amount))
        await expect_cells(days, "deployments", ["2"] * 5)
        await expect_cells(days, "resources", ["GPU 3 GPU hours"] * 5)

        rows = card(page, "Where it went")
        labels = [row["label"] for row in usage["breakdown"]]
        await expect(rows.locator(".share-name")).to_have_text(labels)

        await page.get_by_role("button", name="Export").click()
        charges = page.get_by_role("group", name="Every charge")
        async with page.expect_download() as download:
            await charges.get_by_role("menuitem", name="CSV").click()
        file = tmp_path / "usage.csv"
        await (await download.value).save_as(file)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        exported = sum(Decimal(row["Amount"]) for row in csv.DictReader(lines))
    assert exported == Decimal(usage["summary"]["totalSpend"]["amount"])


async def test_arrow_keys_select_and_announce_points_of_a_chart(
    browser: Browser, site: Site
) -> None:
    account = await metered(site, "walked", [(day, 12, "1.5004", "llm") for day in WEEK])
    async with tab(browser, site) as page:
        await open_tab(page, account, **{"from": WEEK[0], "to": WEEK[6]})
        points = page.get_by_role("application", name="Spend over time")
        await points.press("Home")
        announced = page.locator(".chart [role=status]")

        def point(at: int) -> str:
            day = WEEK[at]
            return f"{day:%a, %b} {day.day}, {day.year}: Spend $1.50, llm $1.50"

        await expect(announced).to_have_text(point(0))
        await expect(page.locator(".tooltip")).to_contain_text("$1.50")
        await points.press("ArrowRight")
        await expect(announced).to_have_text(point(1))
        await points.press("End")
        await expect(announced).to_have_text(point(6))
        await points.press("ArrowRight")
        await expect(announced).to_have_text(point(6))
        await points.press("ArrowLeft")
        await expect(announced).to_have_text(point(5))
        await card(page, "Spend over time").get_by_text("Cumulative", exact=True).click()
        await expect(page).to_have_url(re.compile("chart=cumulative"))
        await points.press("End")
        await expect(announced).to_contain_text(": Cumulative spend $10.50")
        await points.press("Escape")
        await expect(page.locator(".tooltip")).to_have_count(0)


@pytest.mark.parametrize(("system", "chosen"), [("dark", "light"), ("light", "dark")])
async def test_a_chart_keeps_forced_colours_in_each_theme(
    browser: Browser, site: Site, system: Any, chosen: str
) -> None:
    async with tab(browser, site, color_scheme=system, forced_colors="active") as page:
        await page.add_init_script(f"localStorage.setItem('theme', '{chosen}')")
        await page.goto("/?tab=usage")
        plot = card(page, "Spend over time").locator(".chart-plot")
        text = await plot.evaluate("(element) => getComputedStyle(element).color")
        await expect(plot.locator("text").first).to_have_css("fill", text)
        # Bars have the colour that stands out from the system's canvas.
        bar = {"light": "rgb(59, 91, 219)", "dark": "rgb(139, 163, 255)"}[system]
        await expect(plot.locator(".chart-bars").first).to_have_css("fill", bar)


async def test_less_than_a_cent_a_day_is_not_nothing(browser: Browser, site: Site) -> None:
    account = await metered(site, "tiny", [(day, 12, "0.0004", "tiny") for day in WEEK])
    async with tab(browser, site) as page:
        await open_tab(page, account, **{"from": WEEK[0], "to": WEEK[6]})
        await expect(figure(page, "Total spend").locator("data")).to_have_text("$0.0028")
        await expect(figure(page, "Daily average").locator("data")).to_have_text("$0.0004")
        days = card(page, "Day by day")
        await expect_cells(days, "amount", ["$0.0004"] * 7)
        await expect(card(page, "Where it went").locator("td.spend")).to_have_text("$0.0028")


async def test_the_interval_is_in_the_url(browser: Browser, site: Site) -> None:
    today = await lasting_day()
    week = [today - timedelta(days=20 - day) for day in range(7)]
    # The account's first day, from which on there is something to compare with.
    first = (week[0] - timedelta(days=14), 12, "0", "old")
    before = [(week[0] - timedelta(days=2), 12, "40", "old"), (week[0], 12, "1", "old")]
    account = await metered(site, "changing", [first, *before, (week[6], 12, "22", "new")])
    async with tab(browser, site) as page:
        await open_tab(page, account, **{"from": week[1], "to": week[6]})
        spend = figure(page, "Total spend")
        await expect(spend.locator(".change")).to_have_text("46.3% less than before")
        compared = page.locator(".usage-comparison")
        await expect(compared).to_contain_text("compared with the previous 6 days, ")
        await expect(compared.locator("data")).to_have_text(["$22.00", "$41.00"])
        await open_tab(page, account, **{"from": week[6], "to": week[6]})
        await expect(spend.locator(".figure-note")).to_have_text("previously $0.00")
        await open_tab(page, account, **{"from": week[0], "to": week[1]})
        await expect(spend.locator(".change")).to_have_text("97.5% less than before")
        await open_tab(page, account, **{"from": week[3], "to": today})
        await expect(spend.locator(".change")).to_have_text("46.3% less than before")
        days = (today - week[3]).days
        await expect(compared).to_contain_text(f"compared with the previous {days} days, ")
        await open_tab(page, account, **{"from": week[6] - timedelta(days=3), "to": week[6]})
        await expect(spend.locator(".figure-note")).to_have_text("2,100% more than before")


async def test_a_new_account_has_averages_but_no_comparison(
    browser: Browser, each_site: Site
) -> None:
    today = await lasting_day()
    charges = [(today - timedelta(days=ago), 1, "3", "llm") for ago in (1, 2)]
    account = await metered(each_site, "young", charges)
    async with tab(browser, each_site) as page:
        await open_tab(page, account, range="30d")
        await expect(figure(page, "Daily average").locator("data")).to_have_text("$3.00")
        per_day = figure(page, "Deployments per day")
        await expect(per_day.locator(".figure-value")).to_have_text("1")
        compared = page.locator(".usage-comparison")
        await expect(compared).to_have_text("Not enough history to compare")
        await expect(page.locator(".change")).to_have_count(0)
        yesterday = today - timedelta(days=1)
        await open_tab(page, account, **{"from": yesterday, "to": today})
        await expect(compared).to_contain_text("compared with the previous day, ")
        await expect(page.locator(".change")).to_have_text("0% change")


async def test_the_interval_sets_the_window_until_days_are_chosen(
    browser: Browser, site: Site
) -> None:
    account = await metered(site, "intervals", [(WEEK[0], 12, "1", "llm")])
    async with tab(browser, site) as page:
        await open_tab(page, account)
        intervals = page.get_by_role("group", name="Interval").first
        shown = page.get_by_role("button", name="Date range")
        for name, days, labels in (
            ("Week", "Last 12 weeks", 12),
            ("Month", "Last 12 months", 12),
            ("Year", "Last 5 years", 5),
            ("Day", "Last 30 days", 30),
        ):
            await intervals.get_by_text(name, exact=True).click()
            await expect(shown).to_contain_text(days)
            await expect(page).to_have_url(re.compile(f"interval={name.lower()}"))
            chart = card(page, "Spend over time")
            await chart.get_by_text("Table", exact=True).click()
            await settled(page)
            await expect(chart.locator("tbody td.period")).to_have_count(labels)
        await page.go_back()
        await expect(intervals.get_by_role("radio", name="Year")).to_be_checked()


async def test_a_breakdown_adds_up_with_its_other_rows(browser: Browser, site: Site) -> None:
    charges = [(WEEK[0], 1, f"{number + 1}.5", f"d{number:02}") for number in range(13)]
    account = await metered(site, "broken-down", [*charges, (WEEK[1], 1, "100", "")])
    async with tab(browser, site) as page:
        await open_tab(page, account, **{"from": WEEK[0], "to": WEEK[6]})
        rows = card(page, "Where it went")
        await expect(rows.locator("td.name")).to_have_count(11)
        await expect(rows.locator(".share-name").first).to_have_text("No deployment")
        await expect(rows.locator(".share-name").last).to_have_text("Other")
        assert await summed(rows) == Decimal("197.5")
        await rows.get_by_role("button", name="Show more rows").click()
        await expect(rows).to_be_focused()
        await expect(rows.locator("td.name")).to_have_count(14)
        assert await summed(rows) == Decimal("197.5")
        for by, names in (
            ("Project", ["No project"]),
            ("Provider", ["Unknown provider", "north"]),
            ("GPU model", ["No GPU model", "H100"]),
            ("Resource", ["GPU"]),
        ):
            await page.get_by_label("Group by").select_option(by)
            await expect(rows.locator(".share-name")).to_have_text(names)
            assert await summed(rows) == Decimal("197.5")


async def summed(rows: Locator) -> Decimal:
    """Return what the rows that are there add up to."""
    amounts = rows.locator("td.spend data")
    values = await amounts.evaluate_all("(all) => all.map((each) => each.value)")
    return sum(map(Decimal, values), Decimal())


A4_WIDTH = 595
PRESSED = {
    "Day",
    "Export",
    "Filter",
    "Saved views",
    "Group by",
    "Previous period",
    "Chart",
    "Table",
    "Show more rows",
    "Rows",
    "Live",
    "Sign out",
}


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_both_themes_print_everything_in_order(
    browser: Browser, site: Site, theme: Any
) -> None:
    names = [f"d{number:02}" for number in range(9, -1, -1)]
    charges = [(day, 1, f"{number + 1}", f"d{number:02}") for day in WEEK for number in range(10)]
    account = await metered(site, "printed", charges)
    async with tab(browser, site, color_scheme=theme) as page:
        await open_tab(page, account, **{"from": WEEK[0], "to": WEEK[6]})
        await expect(page.get_by_role("application", name="Spend over time")).to_be_visible()
        await expect(card(page, "Where it went").locator("td.name")).to_have_count(10)
        await expect(card(page, "Day by day").locator("td.amount")).to_have_count(7)
        await settled(page)
        paper = await printed(page, f"usage-{theme}")
        days = [f"{day:%a, %b} {day.day}, {day.year}" for day in reversed(WEEK)]
        expected = ["$60", "Where it went", *names, "Day by day", *days]
        expected.append("7 in all")
        texts = [each.text for each in paper]
        # The names are in the legend too, above the axis.
        read_first = texts[: texts.index("$60")]
        assert {"Spend over time", "d09", "Other"} <= {*read_first}
        assert [text for text in texts[len(read_first) :] if text in expected] == expected
        assert PRESSED.isdisjoint(texts)
        assert max(each.left for each in paper) < A4_WIDTH

        await page.emulate_media(media="print")
        await expect(page.locator("html")).to_have_css("color", "rgb(23, 26, 33)")
        for painted in (".key-texture", ".share-bar"):
            await expect(page.locator(painted).first).to_have_css("print-color-adjust", "exact")


async def test_a_charge_moves_the_figures_without_a_reload(browser: Browser, site: Site) -> None:
    # What ends in the future is refused, and today has just begun at times.
    yesterday = await lasting_day() - timedelta(days=1)
    account = await metered(site, "moving", [(WEEK[0], 1, "1", "llm")])
    async with tab(browser, site) as page:
        await page.clock.install()
        await open_tab(page, account, range="30d")
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        answer = await site.operator.meter(event("moving", 99, yesterday, 0, "2.5", "llm"))
        assert answer["rejected"] == [], answer
        await expect(page.get_by_role("region", name="Balance")).to_contain_text("-$3.50")
        await page.clock.fast_forward(SOON)
        await expect(figure(page, "Total spend").locator("data")).to_have_text("$3.50")
        await expect(card(page, "Where it went").locator("td.spend")).to_have_text("$3.50")
        day = page.locator(f"time[datetime='{yesterday}']")
        row = card(page, "Day by day").get_by_role("row").filter(has=day)
        await expect(row.locator("td.amount")).to_have_text("$2.50")


async def test_a_page_left_open_moves_on_at_midnight(browser: Browser, site: Site) -> None:
    account = await metered(site, "staying-up", [(WEEK[0], 1, "1", "llm")])
    today = await lasting_day()
    tomorrow = today + timedelta(days=1)
    async with tab(browser, site) as page:
        await page.clock.install(time=datetime.combine(today, time(23, 58), UTC))
        await open_tab(page, account, range="7d", zone="UTC")
        days = page.get_by_role("button", name="Date range")
        await expect(days).to_contain_text(f"{today.day}, {today.year}")
        await page.clock.fast_forward(5 * 60_000)
        await expect(days).to_contain_text(f"{tomorrow.day}, {tomorrow.year}")
        newest = card(page, "Day by day").locator("td.date time").first
        await expect(newest).to_have_attribute("datetime", tomorrow.isoformat())


async def test_a_failure_keeps_the_filter_and_is_tried_again(browser: Browser, site: Site) -> None:
    account = await metered(site, "failing", [(WEEK[0], 1, "1", "llm")])
    failing = True

    async def answer(route: Route) -> None:
        if failing and body_of(route.request)["variables"].get("interval"):
            await route.abort()
        else:
            await route.continue_()

    async with tab(browser, site) as page:
        await page.route("**/graphql", answer)
        await page.goto(f"/?account={account}&tab=usage&range=30d")
        chart = card(page, "Spend over time")
        await expect(chart.get_by_role("alert")).to_contain_text("This could not be loaded")
        await expect(page.get_by_role("button", name="Date range")).to_contain_text("Last 30 days")
        failing = False
        await chart.get_by_role("button", name="Try again").click()
        await expect(page.get_by_role("application", name="Spend over time")).to_be_visible()


async def test_days_without_usage_say_so(browser: Browser, site: Site) -> None:
    account = await metered(site, "idle", [(WEEK[0], 1, "1", "llm")])
    async with tab(browser, site) as page:
        await open_tab(page, account, **{"from": WEEK[2], "to": WEEK[3]})
        for title in ("Spend over time", "Where it went"):
            await expect(card(page, title)).to_contain_text("No usage in this period")
        await expect_cells(card(page, "Day by day"), "amount", ["$0.00", "$0.00"])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1440])
async def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(
    browser: Browser, site: Site, theme: Any, width: int
) -> None:
    size = {"width": width, "height": 900}
    async with tab(browser, site, color_scheme=theme, viewport=size) as page:
        complaints: list[str] = []

        def note(message: ConsoleMessage) -> None:
            if message.type == "error":
                complaints.append(message.text)

        page.on("console", note)
        await page.goto("/?tab=usage")
        points = page.get_by_role("application", name="Spend over time")
        await points.press("ArrowLeft")
        await expect(page.locator(".tooltip")).to_be_visible()
        await expect(card(page, "Where it went").locator("td.name").first).to_be_visible()
        await expect(card(page, "Day by day").locator("td.amount").first).to_be_visible()
        assert await violations(page) == []
        chart = card(page, "Spend over time")
        await chart.get_by_text("Table", exact=True).click()
        await expect(chart.locator("td.period").first).to_be_visible()
        assert await violations(page) == []
        assert await fits(page)
        await page.screenshot(path=ARTEFACTS / f"usage-{width}-{theme}.png", full_page=True)
        assert complaints == []
