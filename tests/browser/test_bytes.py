"""What an open page loads: little at first, then what has changed while somebody sees it."""

import asyncio
import gzip
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS, ROOT, Site
from tests.browser.support import Json, ask, card, purchase_rows, settled, tab
from tests.browser.test_live import payment
from tests.support.days import before_the_hour, lasting_day
from tests.support.stripe import intent
from tests.support.wire import PUSHES, Wire, count_bytes, pass_time

FIRST_VIEW_BYTES = 250_000
CHART_BYTES = 15_000
IDLE_BYTES = 50_000
UPDATE_BYTES = 1_100
"""For each balance update: its message and, in a steady stream of them, all that the page loads."""
IDLE_MINUTES = 6
PERIOD_SECONDS = 4
UPDATES = 30
UNSEEN_SECONDS = 60
SEE = """(state) => {
  Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state })
  document.dispatchEvent(new Event("visibilitychange"))
}"""
FIGURES = """
query ($account: ID!, $from: Date!, $to: Date!) {
  account(id: $account) {
    balanceHistory(interval: DAY, from: $from, to: $to) { spent { amount } closing { amount } }
    usage(interval: DAY, from: $from, to: $to) {
      buckets { spend { amount } cumulativeSpend { amount } }
    }
    ledger(first: 1) { nodes { amount { amount } balance { amount } } }
  }
}
"""


def charge(account: str, number: int, amount: str, *, days_ago: int = 0) -> Json:
    """Return usage of a moment that has just passed, or of so many days before."""
    end = datetime.now(UTC) - timedelta(days=days_ago)
    return {
        "account": account,
        "source": "tests",
        "id": f"charge-{number}",
        "deployment": {"externalId": f"worker-{number % 3}", "provider": "north"},
        "resource": "GPU",
        "quantity": "0.5",
        "unit": "gpu-hour",
        "amount": amount,
        "currency": "USD",
        "start": (end - timedelta(seconds=1)).isoformat(),
        "end": end.isoformat(),
    }


async def metered(site: Site, *charges: Json) -> None:
    answer = await site.operator.meter(*charges)
    assert answer["rejected"] == [], answer


async def spending(site: Site, name: str) -> str:
    """Make an account that has credit, and usage on each of the last 40 days."""
    account = await site.operator.put_account(name)
    given = (datetime.now(UTC) - timedelta(days=41)).isoformat()
    await site.operator.grant(name, "100", f"{name}-credit", occurredAt=given)
    past = [charge(name, 1_000 + day, "0.123456789", days_ago=day) for day in range(1, 35)]
    await metered(site, *past)
    return account


@asynccontextmanager
async def counted(browser: Browser, site: Site, path: str) -> AsyncIterator[tuple[Page, Wire]]:
    """Open a page with a clock that can be moved on, and count what it loads from then on."""
    async with tab(browser, site) as page:
        await page.clock.install(time=before_the_hour())
        wire = await count_bytes(page)
        await page.goto(path)
        await expect(page.locator(".live")).to_have_text("Live")
        await settled(page)
        wire.read()
        yield page, wire


@pytest.mark.parametrize("path", ["/", "/?tab=usage"])
async def test_a_first_view_loads_at_most_so_much(browser: Browser, site: Site, path: str) -> None:
    async with tab(browser, site) as page:
        wire = await count_bytes(page)
        await page.goto(path)
        await expect(page.get_by_role("application").first).to_be_visible()
        await expect(page.locator(".live")).to_have_text("Live")
        await settled(page)
        print(f"{path}: {wire.size:,} bytes, {wire.requests} requests")
        assert wire.of(PUSHES).times == 1
        assert wire.size < FIRST_VIEW_BYTES, wire.counts
        [chart] = (ROOT / "gateway" / "static" / "assets").glob("plot-*.js")
        assert len(gzip.compress(chart.read_bytes())) < CHART_BYTES


@pytest.mark.parametrize("path", ["/", "/?tab=usage"])
async def test_a_page_loads_little_while_nothing_happens(
    browser: Browser, site: Site, path: str
) -> None:
    async with counted(browser, site, path) as (page, wire):
        await pass_time(page, wire, IDLE_MINUTES * 60)
        assert wire.size < IDLE_BYTES * IDLE_MINUTES / 60, wire.counts


@pytest.mark.parametrize("tab_name", ["billing", "usage"])
async def test_charges_load_only_what_they_change(
    browser: Browser, each_site: Site, tab_name: str
) -> None:
    await lasting_day()
    name = f"streaming-{tab_name}"
    account = await spending(each_site, name)
    path = f"/?account={account}&tab={tab_name}&range=30d"
    async with counted(browser, each_site, path) as (page, wire):
        for number in range(UPDATES):
            await metered(each_site, charge(name, number, "0.000000123"))
            await pass_time(page, wire, PERIOD_SECONDS)
        assert wire.of(PUSHES).times > UPDATES / 2
        assert wire.of(PUSHES).size < UPDATE_BYTES * wire.of(PUSHES).times
        assert wire.size < UPDATE_BYTES * wire.of(PUSHES).times, wire.counts
        assert {"Usage", "DailyUsage"}.isdisjoint(wire.counts), wire.counts
        # Once, for what began before the page could hear of it.
        assert wire.of("CreditPurchases").times <= 1
        await pass_time(page, wire, 30)
        await expect_as_read(page, each_site, account, tab_name)

        # One that comes late changes what was not read again.
        await metered(each_site, charge(name, UPDATES, "1.5", days_ago=5))
        await pass_time(page, wire, 32)
        await expect_as_read(page, each_site, account, tab_name)


async def expect_as_read(page: Page, site: Site, account: str, tab_name: str) -> None:
    """Wait until the charts, and the newest activity, show what the API gives."""
    today = datetime.now(UTC).date()
    days = {"from": f"{today - timedelta(days=29)}", "to": f"{today}"}
    found = (await ask(site, FIGURES, account=account, **days))["account"]
    titles = {"billing": "Balance over time", "usage": "Spend over time"}
    chart = card(page, titles[tab_name])
    await chart.get_by_text("Table", exact=True).click()
    if tab_name == "usage":
        buckets = found["usage"]["buckets"]
        await expect_values(chart, "spend", [each["spend"]["amount"] for each in buckets])
        cumulative = [each["cumulativeSpend"]["amount"] for each in buckets]
        await expect_values(chart, "cumulative", cumulative)
        newest = card(page, "Day by day").locator("td.amount data").first
        await expect(newest).to_have_attribute("value", buckets[-1]["spend"]["amount"])
        return
    closing = [each["closing"]["amount"] for each in found["balanceHistory"]]
    await expect_values(chart, "closing", closing)
    [row] = found["ledger"]["nodes"]
    for column, value in (("amount", row["amount"]), ("after", row["balance"])):
        cell = card(page, "Activity").locator(f"td.{column} data").first
        await expect(cell).to_have_attribute("value", value["amount"])


async def expect_values(chart: Locator, column: str, values: list[str]) -> None:
    """Wait until these are the exact amounts of a column."""
    shown: list[str] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_MS / 1_000):
            while list(map(Decimal, shown)) != list(map(Decimal, values)):
                await asyncio.sleep(0.05)
                cells = chart.locator(f"tbody td.{column} data")
                shown = await cells.evaluate_all("(cells) => cells.map((cell) => cell.value)")
    assert list(map(Decimal, shown)) == list(map(Decimal, values))


async def test_a_hidden_page_loads_nothing_and_then_catches_up(
    browser: Browser, site: Site
) -> None:
    name = "unseen"
    account = await spending(site, name)
    async with counted(browser, site, f"/?account={account}") as (page, wire):
        amount = page.get_by_role("region", name="Balance", exact=True).locator(".amount")
        await page.evaluate(SEE, "hidden")
        await site.operator.grant(name, "11", f"{name}-1")
        await expect(amount).to_contain_text("$106.")
        await pass_time(page, wire, UNSEEN_SECONDS + 10)
        assert wire.requests == 0, wire.counts
        wire.read()
        await site.operator.grant(name, "13", f"{name}-2")
        [begun] = payment(name, [("payment_intent.processing", intent(status="processing"))])
        await site.operator.deliver(begun)
        await pass_time(page, wire, 300)
        assert wire.size == 0, wire.counts
        await page.evaluate(SEE, "visible")
        await expect(page.locator(".live")).to_have_text("Live")
        await expect(amount).to_contain_text("$119.")
        await expect(purchase_rows(page).filter(has_text="$13.00")).to_be_visible()
        await expect(purchase_rows(page).filter(has_text="Pending")).to_be_visible()
        await page.clock.run_for(1_000)
        newest = card(page, "Activity").locator("td.amount").first
        await expect(newest).to_have_text("+$13.00")


async def test_midnight_adds_a_date_and_a_new_burn_rate(browser: Browser, site: Site) -> None:
    today = await lasting_day()
    name = "past-midnight"
    account = await site.operator.put_account(name)
    await site.operator.grant(name, "10", f"{name}-1")
    async with tab(browser, site) as page:
        await page.clock.install(time=datetime.combine(today, time(23, 58), UTC))
        wire = await count_bytes(page)
        await page.goto(f"/?account={account}")
        dated = page.get_by_role("region", name="Balance", exact=True).locator("time")
        await expect(dated).to_have_text(re.compile(r"^as of \d+:\d\d:\d\d [AP]M$"))
        await settled(page)
        wire.read()
        await page.clock.fast_forward(3 * 60_000)
        await expect(dated).to_have_text(
            re.compile(rf"^as of {today:%b} {today.day}, {today.year}, ")
        )
        await settled(page)
        assert wire.of("Overview").times == 1
