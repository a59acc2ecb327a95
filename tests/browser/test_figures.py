"""Figures as people read them: no digit too many, none cut off, and only nothing reads as zero."""

from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.conftest import ARTEFACTS, Site
from tests.browser.support import card, expect_cells, fits, settled, tab
from tests.browser.test_usage import WEEK, event, metered, open_tab

WINDOW = {"from": WEEK[0], "to": WEEK[6]}
RIGHT_OF_POINTS = """(cells) => cells.map((cell) => {
  const [text] = [...cell.childNodes].filter((node) => node instanceof Text)
  const range = document.createRange()
  range.setStart(text, text.data.indexOf('.'))
  range.setEnd(text, text.data.indexOf('.') + 1)
  return Math.round(range.getBoundingClientRect().right)
})"""
COPY = """([first, last]) => {
  const range = document.createRange()
  range.setStart(first.firstChild, 0)
  range.setEnd(last.lastChild, last.lastChild.length ?? 0)
  getSelection().removeAllRanges()
  getSelection().addRange(range)
  let copied = null
  const note = (event) => { copied = event.clipboardData.getData('text/plain') }
  addEventListener('copy', note)
  document.execCommand('copy')
  removeEventListener('copy', note)
  return copied
}"""


async def test_amounts_have_minor_digits_and_aligned_points(browser: Browser, site: Site) -> None:
    amounts = ["1234.123456789", "7.5", "0.5", "0.0286", "0.00000084", "-3.999"]
    expected = ["$1,234.12", "$7.50", "$0.50", "$0.029", "$0.00000084", "-$4.00", "$0.00"]
    charges = [(day, 12, amount, "llm") for day, amount in zip(WEEK, amounts, strict=False)]
    account = await site.operator.put_account("mixed")
    corrected = [event("mixed", at, *each) for at, each in enumerate(charges)]
    corrected[-1]["correction"] = True
    answer = await site.operator.meter(*corrected)
    assert answer["rejected"] == [], answer
    async with tab(browser, site) as page:
        await open_tab(page, account, **WINDOW)
        days = card(page, "Day by day")
        await expect_cells(days, "amount", expected[::-1])
        chart = card(page, "Spend over time")
        await chart.get_by_text("Table", exact=True).click()
        await expect_cells(chart, "spend", expected)
        for cells in (chart.locator("td.spend data"), days.locator("td.amount data")):
            assert len(set(await cells.evaluate_all(RIGHT_OF_POINTS))) == 1
            await expect(cells.filter(has_text="1,234")).to_have_attribute(
                "title", "$1,234.123456789"
            )


async def test_copies_have_every_digit(browser: Browser, site: Site) -> None:
    account = await metered(site, "copied", [(day, 12, "1.123456789", "llm") for day in WEEK[:2]])
    async with tab(browser, site) as page:
        await open_tab(page, account, **WINDOW)
        chart = card(page, "Spend over time")
        await chart.get_by_text("Table", exact=True).click()
        cells = chart.locator("tbody data")
        # Of each day its spend, the sum up to it, and that of the deployment.
        await expect(cells).to_have_count(3 * len(WEEK))
        await settled(page)
        assert await copied(page, cells.nth(0), cells.nth(0)) == "1.123456789 USD"
        day = f"{WEEK[1]:%a, %b} {WEEK[1].day}, {WEEK[1].year}"
        assert (await copied(page, cells.nth(0), cells.nth(5))).split("\n") == [
            "$1.123456789\t$1.123456789\t$1.123456789",
            f"{day}\t$1.123456789\t$2.246913578\t$1.123456789",
        ]


async def copied(page: Page, first: Locator, last: Locator) -> str:
    ends = [await each.element_handle() for each in (first, last)]
    text: str = await page.evaluate(COPY, ends)
    return text


async def test_shares_are_aligned_and_none_reads_as_nothing(browser: Browser, site: Site) -> None:
    amounts = {"a": "120", "b": "3", "c": "1.4", "d": "0.00000001", "e": "-0.01", "f": "-24.39"}
    account = await site.operator.put_account("shares")
    events = [
        event("shares", at, WEEK[0], 1, amounts[name], name) for at, name in enumerate("abcdef")
    ]
    for each in events[-2:]:
        each["correction"] = True
    answer = await site.operator.meter(*events)
    assert answer["rejected"] == [], answer
    async with tab(browser, site) as page:
        await open_tab(page, account, **WINDOW)
        rows = card(page, "Where it went")
        shares = ["120.0%", "3.0%", "1.4%", "< 0.1%", "> -0.1%", "-24.4%"]
        await expect_cells(rows, "share", shares)
        await settled(page)
        for row in await rows.locator(".share-track").all():
            track, bar = await row.bounding_box(), await row.locator(".share-bar").bounding_box()
            assert track
            assert bar
            assert bar["x"] + bar["width"] <= track["x"] + track["width"]


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize(
    ("locale", "amount"),
    [
        ("en-US", "0.000000003"),
        ("ar-EG", "0.000000003"),
        ("ar-EG", "654321.5"),
        ("de-DE", "4000000"),
    ],
)
async def test_no_label_of_an_axis_is_cut(
    browser: Browser, site: Site, locale: str, amount: str, width: int
) -> None:
    account = await metered(site, f"axis-{amount}", [(WEEK[0], 12, amount, "llm")])
    size: Any = {"width": width, "height": 800}
    async with tab(browser, site, locale=locale, viewport=size) as page:
        await page.goto(f"/?account={account}&tab=usage&from={WEEK[0]}&to={WEEK[6]}")
        plot = page.locator(".chart-plot")
        labels = plot.locator("text")
        await expect(labels.first).to_be_visible()
        await settled(page)
        room = await plot.bounding_box()
        assert room
        boxes = [await each.bounding_box() for each in await labels.all()]
        assert len(boxes) > 6
        for box in boxes:
            assert box
            assert box["x"] >= room["x"]
            assert box["x"] + box["width"] <= room["x"] + room["width"]
            assert box["y"] + 1 >= room["y"]
        assert await fits(page)
        await plot.screenshot(path=ARTEFACTS / f"axis-{locale}-{amount}-{width}.png")


async def test_a_small_dip_below_zero_adds_no_tick(browser: Browser, site: Site) -> None:
    account = await site.operator.put_account("dipping")
    events = [
        event("dipping", at, WEEK[at], 1, amount, "llm") for at, amount in enumerate(("100", "-2"))
    ]
    events[1]["correction"] = True
    answer = await site.operator.meter(*events)
    assert answer["rejected"] == [], answer
    async with tab(browser, site) as page:
        await open_tab(page, account, **WINDOW)
        plot = card(page, "Spend over time").locator(".chart-plot")
        await expect(plot.locator(".chart-scale text")).to_have_text(
            ["$0", "$20", "$40", "$60", "$80", "$100"]
        )
        bars = await plot.locator(".chart-bars").first.bounding_box()
        zero = await plot.locator(".chart-zero").bounding_box()
        room = await plot.bounding_box()
        assert bars
        assert zero
        assert room
        assert bars["y"] + bars["height"] > zero["y"] + 1
        assert bars["y"] + bars["height"] <= room["y"] + room["height"]
