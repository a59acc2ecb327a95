"""Every table of the page at every width: whole, readable, and its documents named."""

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.conftest import ARTEFACTS, Site
from tests.browser.support import fits, purchase_rows, settled, tab
from tests.browser.test_live import payment
from tests.browser.test_usage import event
from tests.support.days import lasting_day
from tests.support.stripe import charge, intent, refund

WIDTHS = (1440, 768, 360)
LONG = "Credited after a region was away for a day; see its notice of October"
# What is wrong with a table, each fault with the text it is found at.
FAULTS = r"""
(table) => {
  const found = [];
  const add = (fault, element) => found.push(`${fault}: ${element.innerText.slice(0, 60)}`);
  const quiet = (element) => element.closest(".hidden, .share-track, .skeleton");
  const linesOf = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    const tops = [...range.getClientRects()].filter((each) => each.width > 0);
    return new Set(tops.map((each) => Math.round(each.top))).size;
  };
  const frame = table.closest(".table-frame");
  for (const each of [frame, table, frame.parentElement]) {
    if (each.scrollWidth > each.clientWidth) add("wider than its place", each);
  }
  const room = frame.getBoundingClientRect();
  for (const each of table.querySelectorAll("td, td *")) {
    if (quiet(each) || !each.checkVisibility()) continue;
    const box = each.getBoundingClientRect();
    if (box.left < room.left - 1 || box.right > room.right + 1) add("beyond the frame", each);
    if (getComputedStyle(each).overflow === "visible" && each.tagName !== "TD") continue;
    if (each.scrollWidth > each.clientWidth + 1) add("cut at its end", each);
    if (each.scrollHeight > each.clientHeight + 2) add("cut below", each);
  }
  for (const each of table.querySelectorAll("time, td.period, td.date")) {
    for (const walk = document.createTreeWalker(each, NodeFilter.SHOW_TEXT); walk.nextNode(); ) {
      if (linesOf(walk.currentNode) > 1) add("a date of two lines", each);
    }
  }
  const heads = [...table.querySelectorAll("th")];
  for (const row of table.querySelectorAll("tbody tr")) {
    const cells = [...row.children];
    if (cells.length !== heads.length) add("a column is missing", row);
    cells.forEach((cell) => {
      if (!cell.checkVisibility() && cell.innerText && !cell.querySelector(".none")) {
        add("a cell is missing", row);
      }
    });
    const boxes = cells
      .filter((cell) => cell.checkVisibility())
      .map((cell) => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        return range.getBoundingClientRect();
      });
    boxes.forEach((one, at) => boxes.slice(at + 1).forEach((other) => {
      const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      if (across > 1 && down > 1) add("one over another", row);
    }));
  }
  for (const each of table.querySelectorAll("td.number")) {
    const style = getComputedStyle(each);
    if (!style.fontVariantNumeric.includes("tabular-nums")) add("digits of any width", each);
    const isTable = style.display === "table-cell";
    if (isTable && style.textAlign !== "end") add("a number at the start", each);
  }
  return [...new Set(found)];
}
"""

# Where a character of a text stands, from the left.
PLACE = """
(element, at) => {
  const range = document.createRange();
  range.setStart(element.firstChild, at);
  range.setEnd(element.firstChild, at + 1);
  const { left, width } = range.getBoundingClientRect();
  return left + width / 2;
}
"""


async def busy(site: Site, name: str) -> str:
    """Make an account of Ada's with large amounts, refunds, long words and usage of three days."""
    account = await site.operator.put_account(name)
    paid = {"amount": 123_456_789}
    received, captured = {"amount_received": 123_456_789}, {"amount_captured": 123_456_789}
    for each in payment(
        name,
        [
            ("payment_intent.succeeded", intent(status="succeeded", **paid, **received)),
            ("charge.succeeded", charge(id=f"ch_{name}", **paid, **captured)),
            ("refund.created", refund(id=f"re_{name}", charge=f"ch_{name}", status="succeeded")),
        ],
    ):
        await site.operator.deliver(each)
    failed = refund(id=f"re_{name}_2", charge=f"ch_{name}", status="succeeded", amount=1_000)
    for at, status in enumerate(("succeeded", "failed")):
        kind = "refund.created" if status == "succeeded" else "refund.failed"
        [first] = payment(name, [(kind, failed | {"status": status})])
        later = {"id": f"evt_{name}_{status}", "created": first["created"] + 86_400 * (at + 1)}
        await site.operator.deliver(first | later)
    await site.operator.grant(name, "1234567.89", f"{name}-long", description=LONG)
    await site.operator.grant(name, "5", f"{name}-rtl", description="ائتمان " * 12)
    why = {"kind": "ADJUSTMENT", "description": LONG}
    await site.operator.grant(name, "-234567.89", f"{name}-adjusted", **why)
    today = await lasting_day()
    events = [
        event(
            name,
            number,
            today - timedelta(days=1 + number % 3),
            1,
            "123456.789",
            f"{LONG} {number}",
        )
        for number in range(6)
    ]
    answer = await site.operator.meter(*events)
    assert answer["rejected"] == [], answer
    return account


async def faults(page: Page, name: str) -> list[str]:
    """Return what is wrong with the tables shown, at each width."""
    found: list[str] = []
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 900})
        await settled(page)
        assert await fits(page)
        for table in await page.get_by_role("table").all():
            label = await table.get_attribute("aria-label")
            found += [f"{width}, {label}: {each}" for each in await table.evaluate(FAULTS)]
        await page.screenshot(path=ARTEFACTS / f"tables-{name}-{width}.png", full_page=True)
    return found


async def as_tables(page: Page, count: int) -> None:
    """Show so many charts as tables."""
    charts = page.locator(".card:has(.chart)")
    await expect(charts).to_have_count(count)
    for _ in range(count):
        await charts.first.locator(".segment").last.click()
    await expect(page.locator(".chart-table tbody tr:not(.waiting)").first).to_be_visible()


@pytest.mark.parametrize("locale", ["en-US", "de-DE"])
async def test_every_table_is_whole_at_every_width(
    browser: Browser, site: Site, locale: str
) -> None:
    account = await busy(site, f"busy-{locale}")
    async with tab(browser, site, locale=locale) as page:
        for name, view in (("demo", ""), ("busy", f"account={account}")):
            await page.goto(f"/?{view}")
            await expect(page.locator(".activity tbody tr:not(.waiting)").first).to_be_visible()
            await as_tables(page, 2)
            assert await faults(page, f"billing-{name}-{locale}") == []
            await page.set_viewport_size({"width": 1440, "height": 900})
            await page.goto(f"/?tab=usage&{view}")
            await as_tables(page, 1)
            await expect(page.get_by_role("table")).to_have_count(3)
            assert await faults(page, f"usage-{name}-{locale}") == []
            await page.set_viewport_size({"width": 1440, "height": 900})


async def test_filtered_refunds_show_each_document(browser: Browser, site: Site) -> None:
    account = await busy(site, "refunding")
    async with tab(browser, site) as page:
        await page.goto(f"/?account={account}&status=partially_refunded")
        documents = purchase_rows(page).locator(".document")
        names = ["Receipt", "Credit note", "Credit note", "Cancellation"]
        await expect(documents).to_have_count(len(names))
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 900})
            boxes = [await box(each) for each in await documents.get_by_role("button").all()]
            assert all(each["height"] >= 24 <= each["width"] for each in boxes)
            assert not any(over(one, other) for one in boxes for other in boxes if one is not other)
        for name, document in zip(names, await documents.all(), strict=True):
            text = re.compile(rf"^{name}\n(\S+-\d{{4}}-\d{{6}})$")
            await expect(document).to_have_text(text, use_inner_text=True)
            number = (await document.inner_text()).split("\n")[1]
            spoken = f"Download {name.lower()} {number}"
            button = document.get_by_role("button", name=spoken, exact=True)
            await expect(button).to_be_visible()


async def test_a_breakdown_by_deployment_does_not_count_deployments(
    browser: Browser, site: Site
) -> None:
    account = await busy(site, "deployed")
    async with tab(browser, site) as page:
        await page.goto(f"/?account={account}&tab=usage")
        heads = page.get_by_role("table", name="Where it went").get_by_role("columnheader")
        await expect(heads).to_have_text(["Deployment", "Share", "Spend"])
        await page.get_by_label("Group by").select_option("Provider")
        await expect(heads).to_have_text(["Provider", "Share", "Spend", "Deployments"])


async def test_hours_are_not_padded(browser: Browser, site: Site) -> None:
    account = await site.operator.put_account("early")
    await site.operator.grant("early", "5", "early-1", occurredAt="2026-01-05T08:05:00+00:00")
    async with tab(browser, site) as page:
        await page.goto(f"/?account={account}")
        time = purchase_rows(page).locator("time .sub-line")
        await expect(time).to_have_text(re.compile(r"^\s*8:05\sAM$"))


async def box(of: Locator) -> dict[str, float]:
    found: Any = await of.bounding_box()
    assert found
    return dict(found)


def over(one: dict[str, float], other: dict[str, float]) -> bool:
    """Return whether two boxes have room in common."""
    return all(
        one[at] < other[at] + other[size] and other[at] < one[at] + one[size]
        for at, size in (("x", "width"), ("y", "height"))
    )


async def test_each_list_says_which_of_its_rows_are_shown(browser: Browser, site: Site) -> None:
    account = await site.operator.put_account("placed")
    for number in range(31):
        await site.operator.grant("placed", "1", f"placed-{number}")
    lists = ("Credit purchases", "Activity")
    async with tab(browser, site) as page, tab(browser, site) as other:
        await page.goto(f"/?account={account}")
        for name in lists:
            pages = page.get_by_role("navigation", name=f"Pages: {name}")
            await expect(pages).to_contain_text("1–10 of 31")
            for places in ("11–20 of 31", "21–30 of 31", "31 of 31"):
                await pages.get_by_role("button", name="Next page").click()
                await expect(pages).to_contain_text(places)
            for places in ("21–30 of 31", "11–20 of 31"):
                await pages.get_by_role("button", name="Previous page").click()
                await expect(pages).to_contain_text(places)

        # The same rows, two of which are further from the beginning by now.
        for number in range(2):
            await site.operator.grant("placed", "1", f"placed-later-{number}")
        await other.goto(page.url)
        for name in lists:
            pages = other.get_by_role("navigation", name=f"Pages: {name}")
            await expect(pages).to_contain_text("13–22 of 33")
        await other.goto(re.sub(r"rest=\d+", "rest=x", page.url))
        for name in lists:
            pages = other.get_by_role("navigation", name=f"Pages: {name}")
            await expect(pages.locator("[aria-live]")).to_have_text("10 of 33")

        await page.goto(f"/?account={account}&tab=usage&range=90d")
        pages = page.get_by_role("navigation", name="Pages: Day by day")
        await expect(pages).to_contain_text(re.compile(r"1–10 of \d+"))
        await pages.get_by_role("button", name="Next page").click()
        await expect(pages).to_contain_text(re.compile(r"11–20 of \d+"))


@pytest.mark.parametrize("word", ["مؤسسة", "משפחה", "Works"])
async def test_a_name_that_is_cut_keeps_its_beginning(
    browser: Browser, site: Site, word: str
) -> None:
    name = " ".join([word] * 14)
    account = await site.operator.put_account(f"cut-{ord(word[0])}", name=name)
    async with tab(browser, site) as page:
        await page.goto(f"/?account={account}")
        shown = page.get_by_role("button", name="Account").locator("bdi")
        await expect(shown).to_have_text(name)
        await settled(page)
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 900})
            room = await box(shown)
            first, last = [await shown.evaluate(PLACE, at) for at in (0, len(name) - 1)]
            assert room["x"] - 1 <= first <= room["x"] + room["width"] + 1
            assert await fits(page)
            if width != 768:
                assert not room["x"] <= last <= room["x"] + room["width"], "it is not cut at all"
