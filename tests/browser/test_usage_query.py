"""The query of the Usage tab: filter, grouping, estimates, and the page of a deployment."""

import csv
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser, Locator, Page, ViewportSize, expect

from tests.browser.conftest import ARTEFACTS, Site
from tests.browser.support import ask, card, figure, fits, settled, tab, violations
from tests.browser.test_usage import WEEK, event, open_tab, summed
from tests.support.days import lasting_day

ODD = 3
"""So many days ago an account spends more than usual."""
DAYS = {"from": WEEK[0], "to": WEEK[6]}
TOTAL = "24.5"
OF_ALPHA = "14.0"
QUERY = """
query ($account: ID!, $from: Date!, $to: Date!, $filter: UsageFilter) {
  account(id: $account) {
    usage(interval: DAY, from: $from, to: $to, filter: $filter) {
      summary { totalSpend { amount } }
      forecast { status expected { amount } low { amount } high { amount } }
      buckets { spend { amount } unusual { low { amount } high { amount } } }
    }
  }
}
"""

SAVE = """
mutation ($account: ID!, $name: String!) {
  saveView(input: { accountId: $account, name: $name, query: {} }) { userErrors { code } }
}
"""
DEMO_ACCOUNTS = "{ viewer { accounts { nodes { id externalId } } } }"
DEMO = """
query ($account: ID!, $first: Date!, $last: Date!, $since: Date!, $until: Date!) {
  account(id: $account) {
    earlier: usage(interval: MONTH, from: $first, to: $last) { ...Shown }
    later: usage(interval: DAY, from: $since, to: $until) {
      ...Shown
      forecast { status }
      breakdown(by: PROJECT) { key }
      buckets { unusual { low { amount } } }
    }
  }
}
fragment Shown on Usage {
  deployments: breakdown(by: DEPLOYMENT, first: 1) { label spend { amount } }
}
"""


async def grouped(site: Site, account: str) -> str:
    """Make an account with usage of two projects, and of none, in two deployments."""
    global_id = await site.operator.put_account(account)
    events = [
        event(account, 10 * at + number, day, 1 + number, amount, name) | project
        for at, day in enumerate(WEEK)
        for number, (amount, name, project) in enumerate(
            (
                ("1.5", "llm", {"project": "alpha"}),
                ("0.5", "embeddings", {"project": "alpha"}),
                ("1", "llm", {"project": "beta & co"}),
                ("0.5", "embeddings", {}),
            )
        )
    ]
    answer = await site.operator.meter(*events)
    assert answer["rejected"] == [], answer
    return global_id


async def expect_total(page: Page, amount: str) -> None:
    """Wait until every view of the query adds up to this amount."""
    exactly = re.compile(rf"^{re.escape(amount)}0*$")
    await expect(figure(page, "Total spend").locator("data")).to_have_attribute("value", exactly)
    await settled(page)
    for title in ("Where it went", "Day by day"):
        found = card(page, title)
        cells = "td.amount data" if title == "Day by day" else "td.spend data"
        values = await found.locator(cells).evaluate_all("(all) => all.map((each) => each.value)")
        assert sum(map(Decimal, values)) == Decimal(amount), title


def legend(page: Page, name: str) -> Locator:
    return page.locator(".legend").get_by_role("button", name=name)


async def test_a_click_on_a_group_filters_every_view(
    browser: Browser, each_site: Site, tmp_path: Path
) -> None:
    account = await grouped(each_site, "grouped")
    async with tab(browser, each_site) as page:
        await open_tab(page, account, by="project", **DAYS)
        await expect_total(page, TOTAL)
        await expect(page.locator(".legend-button")).to_have_text(
            ["alpha", "beta & co", "No project"]
        )
        colour = legend(page, "beta").locator("svg")
        before = await colour.get_attribute("class")
        await expect(legend(page, "alpha")).to_have_attribute("title", "$14.00 of $24.50")

        await legend(page, "alpha").click()
        await expect(page).to_have_url(re.compile("filter-project=alpha"))
        await expect_total(page, OF_ALPHA)
        await expect(legend(page, "alpha")).to_have_attribute("aria-pressed", "true")
        await page.go_back()
        await expect_total(page, TOTAL)
        await page.go_forward()
        await expect_total(page, OF_ALPHA)
        await page.get_by_role("button", name="Export").click()
        rows = page.get_by_role("group", name="By project and period")
        async with page.expect_download() as download:
            await rows.get_by_role("menuitem", name="CSV").click()
        file = tmp_path / "series.csv"
        await (await download.value).save_as(file)
        with file.open(encoding="utf-8-sig", newline="") as lines:
            exported = [row["Spend"] for row in csv.DictReader(lines)]
        assert sum(map(Decimal, exported)) == Decimal(OF_ALPHA)

        # The chip, the row and the bar are buttons of the same filter.
        await page.get_by_role("button", name="Remove the filter Project: alpha").click()
        await expect_total(page, TOTAL)
        breakdown = card(page, "Where it went")
        row = breakdown.get_by_role("button", name="No project", exact=True)
        await row.click()
        await expect(page).to_have_url(re.compile("filter-project=(&|$)"))
        await expect_total(page, "3.5")
        await row.click()
        await expect_total(page, TOTAL)
        points = page.get_by_role("application", name="Spend over time")
        for key in ("Home", "ArrowUp", "ArrowUp"):
            await points.press(key)
        announced = page.locator(".chart [role=status]")
        await expect(announced).to_contain_text(re.compile(r": beta & co \$1.00, Spend \$3.50$"))
        await points.press("Enter")
        await expect_total(page, "7.0")
        await page.get_by_role("button", name="Remove the filter").click()
        await expect_total(page, TOTAL)
        plot = await points.bounding_box()
        assert plot
        bar = (plot["x"] + plot["width"] / len(WEEK) / 2, plot["y"] + plot["height"] - 10)
        await page.mouse.move(*bar)
        await expect(page.locator(".tooltip .highlighted")).to_contain_text("alpha$2.00")
        await page.mouse.click(*bar)
        await expect_total(page, OF_ALPHA)
        await page.mouse.click(*bar)
        await expect_total(page, TOTAL)

        # A value keeps its colour in a window without the others.
        await page.get_by_role("button", name=re.compile("^Filter")).click()
        await page.get_by_role("option", name="beta & co").click()
        await page.keyboard.press("Escape")
        await expect_total(page, "7.0")
        assert await colour.get_attribute("class") == before
        assert await violations(page) == []


async def test_a_row_opens_to_a_second_dimension(browser: Browser, each_site: Site) -> None:
    account = await grouped(each_site, "opened")
    async with tab(browser, each_site) as page:
        await open_tab(page, account, by="project", size="50", **DAYS)
        rows = card(page, "Where it went")
        await rows.get_by_label("Open by").select_option("Deployment")
        await rows.get_by_role("button", name=re.compile("^Parts of")).first.press("Enter")
        names = rows.locator(".share-name")
        await expect(names).to_have_text(["alpha", "llm", "embeddings", "beta & co", "No project"])
        assert await summed(rows) == Decimal(TOTAL) + Decimal(OF_ALPHA)
        await expect(rows.locator("td.share")).to_have_text(
            ["57.1%", "75.0%", "25.0%", "28.6%", "14.3%"]
        )
        assert await violations(page) == []

        await rows.get_by_role("link", name=re.compile("^Details: .llm")).press("Enter")
        await expect(page).to_have_url(re.compile("deployment="))
        await expect(page.locator("main")).to_be_focused()
        facts = card(page, "llm")
        await expect(figure(page, "Total spend").locator("data")).to_have_text("$17.50")
        await expect(facts).to_contain_text("beta & co")
        link = facts.get_by_role("link", name="Open deployment")
        await expect(link).to_have_attribute("href", "https://cloud.example/deployments/llm")
        await expect(card(page, "Where it went").locator(".share-name")).to_have_text(["GPU"])
        await expect(page.locator(".legend-label").first).to_have_text("GPU")
        await expect(card(page, "Day by day").locator("td.amount").last).to_have_text("$2.50")
        assert await violations(page) == []
        await page.get_by_role("button", name="All usage").click()
        await expect(card(page, "Where it went")).to_contain_text("alpha")


async def test_estimates_and_unusual_days_are_those_of_the_api(
    browser: Browser, each_site: Site
) -> None:
    today = await lasting_day()
    account = await each_site.operator.put_account("steady")
    events = [
        event("steady", at, today - timedelta(days=at), 1, "50" if at == ODD else "10", "llm")
        for at in range(1, 34)
    ]
    assert (await each_site.operator.meter(*events))["rejected"] == []
    window = {"from": f"{today - timedelta(days=10)}", "to": f"{today + timedelta(days=5)}"}
    usage: dict[str, Any] = (await ask(each_site, QUERY, account=account, **window))["account"][
        "usage"
    ]
    forecast = usage["forecast"]
    assert forecast["status"] == "ESTIMATED"
    async with tab(browser, each_site) as page:
        await open_tab(page, account, previous="1", **window)
        expected = figure(page, "Forecast")
        amounts = [forecast[each]["amount"] for each in ("expected", "low", "high")]
        for at, amount in enumerate(amounts):
            await expect(expected.locator("data").nth(at)).to_have_attribute("value", amount)
        chart = card(page, "Spend over time")
        await expect(chart.locator(".legend")).to_contain_text("Unusual")
        await expect(chart.locator(".chart-marks")).not_to_have_attribute("d", "")
        points = page.get_by_role("application", name="Spend over time")
        announced = chart.get_by_role("status")
        await points.press("End")
        await expect(announced).to_contain_text(
            re.compile(r": Forecast \$\S+ \(\$\S+ to \$\S+\), Previous")
        )
        await page.screenshot(path=ARTEFACTS / "usage-forecast.png")

        await chart.get_by_text("Table", exact=True).click()
        parts = chart.locator("td.forecast data")
        values = await parts.evaluate_all("(all) => all.map((each) => each.value)")
        booked = Decimal(usage["summary"]["totalSpend"]["amount"])
        assert sum(map(Decimal, values)) == Decimal(amounts[0]) - booked
        marked = chart.locator("tr").filter(has_text="Unusual: usually $7.50 to $12.50")
        await expect(marked).to_have_count(1)
        await expect(marked.locator("td.spend")).to_have_text("$50.00")
        before = chart.locator("td.previous data").first
        await expect(before).to_have_text("$10.00")


async def test_a_long_breakdown_is_searched(browser: Browser, site: Site) -> None:
    account = await site.operator.put_account("long")
    events = [event("long", at, WEEK[0], 1, f"{40 - at}", f"worker-{at:02}") for at in range(30)]
    assert (await site.operator.meter(*events))["rejected"] == []
    async with tab(browser, site) as page:
        await page.goto("/?" + urlencode({"account": account, "tab": "usage"} | DAYS))
        rows = card(page, "Where it went")
        search = rows.get_by_role("searchbox", name="Search rows")
        await search.fill("worker-29")
        await expect(rows.locator(".share-name")).to_have_text(["worker-29"])
        # Eight colours, and the rest together.
        await expect(page.locator(".legend-label")).to_have_count(9)
        await expect(page.locator(".legend-label").last).to_have_text("Other")
        note = page.get_by_text("Only the 100 largest values are searched.")
        await expect(note).to_have_count(0)

        many = [event("long", at, WEEK[0], 1, "0.5", f"worker-{at}") for at in range(100, 175)]
        assert (await site.operator.meter(*many))["rejected"] == []
        await page.reload()
        await search.fill("worker-174")
        await expect(rows).to_contain_text("No matches.")
        await expect(rows).to_contain_text("Only the 100 largest values are searched.")
        await search.fill("")
        await expect(note).to_have_count(0)
        await page.get_by_role("button", name=re.compile("^Filter")).click()
        await expect(page.get_by_role("dialog", name="Filter")).to_contain_text(
            "Only the 100 largest values are searched."
        )


async def test_a_view_is_saved_opened_and_deleted(browser: Browser, each_site: Site) -> None:
    account = await grouped(each_site, "saved")
    async with tab(browser, each_site) as page:
        query = {"by": "project", "then": "provider", "filter-resource": "GPU"}
        await open_tab(page, account, **query, **DAYS)
        await settled(page)
        views = page.get_by_role("button", name="Saved views")
        await views.press("Enter")
        name = page.get_by_label("Name for this view")
        await name.fill("GPUs by project")
        await name.press("Enter")
        opened = page.get_by_role("dialog", name="Saved views")
        saved = opened.get_by_role("button", name="GPUs by project", exact=True)
        await expect(saved).to_be_visible()
        assert await violations(page) == []
        await page.screenshot(path=ARTEFACTS / "usage-views.png")

        # From the other tab, and after a reload: the view is the person's.
        await page.goto(f"/?account={account}")
        await views.click()
        await saved.click()
        for name_in_url, value in (query | {"tab": "usage", "from": f"{WEEK[0]}"}).items():
            await expect(page).to_have_url(re.compile(f"{name_in_url}={value}"))
        await expect_total(page, TOTAL)
        await views.click()
        await name.fill("GPUs by project")
        await expect(opened.get_by_role("button", name="Replace")).to_be_enabled()
        await name.fill("Another")
        await expect(opened.get_by_role("button", name="Save")).to_be_enabled()

        # A view that was deleted by mistake comes back as it was.
        await opened.get_by_role("button", name=re.compile("^Delete")).click()
        await expect(opened).to_contain_text("No saved views yet")
        await expect(opened.get_by_role("status")).to_contain_text("Deleted: ")
        await opened.get_by_role("button", name="Undo").press("Enter")
        await expect(saved).to_be_visible()
        await expect(opened.get_by_role("button", name="Undo")).to_have_count(0)
        await page.goto(f"/?account={account}")
        await views.click()
        await saved.click()
        await expect_total(page, TOTAL)
        await expect(page).to_have_url(re.compile("filter-resource=GPU"))
        await views.click()
        await expect(saved).to_be_visible()

        # Another tab deletes the view first.
        other = await page.context.new_page()
        await other.goto(f"/?account={account}")
        await other.get_by_role("button", name="Saved views").click()
        await other.get_by_role("button", name=re.compile("^Delete")).click()
        await expect(other.get_by_role("dialog")).to_contain_text("No saved views yet")
        await opened.get_by_role("button", name=re.compile("^Delete")).click()
        await expect(opened).to_contain_text("This view has been deleted elsewhere.")
        await expect(opened).to_contain_text("No saved views yet")


@pytest.mark.parametrize("width", [360, 1440])
async def test_long_names_stay_in_their_places(browser: Browser, site: Site, width: int) -> None:
    name = "p" * 200
    account = await site.operator.put_account(f"long-{width}")
    used = event(f"long-{width}", 1, WEEK[0], 1, "1234.5", "llm") | {"project": name}
    assert (await site.operator.meter(used))["rejected"] == []
    await ask(site, SAVE, account=account, name="v" * 100)
    viewport: ViewportSize = {"width": width, "height": 900}
    async with tab(browser, site, viewport=viewport) as page:
        await open_tab(page, account, **{"by": "project", "filter-project": name}, **DAYS)
        await settled(page)
        assert await fits(page)
        await page.get_by_role("application", name="Spend over time").press("Home")
        line = page.locator(".tooltip dl > div").first
        _, end = await sides(line.locator("dt bdi"))
        begin, _ = await sides(line.locator("dd"))
        assert end <= begin
        await page.get_by_role("button", name="Saved views").click()
        dialog = page.get_by_role("dialog", name="Saved views")
        _, right = await sides(dialog)
        for control in ("Delete", "Save"):
            _, end = await sides(dialog.get_by_role("button", name=re.compile(f"^{control}")).last)
            assert end <= right


async def sides(found: Locator) -> tuple[float, float]:
    """Return where an element begins and ends, from the left."""
    await expect(found).to_be_visible()
    box = await found.bounding_box()
    assert box is not None
    return box["x"], box["x"] + box["width"]


async def test_the_demo_shows_projects_growth_and_unusual_days(site: Site) -> None:
    today = await lasting_day()
    days = [today - timedelta(days=ago) for ago in (90, 61, 30, 1)]
    (first, last, since, until) = map(str, days)
    viewer = (await ask(site, DEMO_ACCOUNTS))["viewer"]["accounts"]["nodes"]
    [account] = [each["id"] for each in viewer if each["externalId"] == "demo-aurora"]
    found = (
        await ask(
            site,
            DEMO,
            account=account,
            first=first,
            last=last,
            since=since,
            until=until,
        )
    )["account"]
    projects = {row["key"] for row in found["later"]["breakdown"]}
    assert {"assistant", "search", None} <= projects
    assert any(bucket["unusual"] for bucket in found["later"]["buckets"])
    assert found["later"]["forecast"]["status"] in ("ESTIMATED", "COMPLETE")
    growing = [found[each]["deployments"][0] for each in ("earlier", "later")]
    assert [each["label"] for each in growing] == ["chat-api"] * 2
    before, after = (Decimal(each["spend"]["amount"]) for each in growing)
    assert after > before * Decimal("1.1")
