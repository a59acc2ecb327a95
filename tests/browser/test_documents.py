"""The documents on the Billing tab: statements, receipts and credit notes, and a year's file."""

import re
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.async_api import Browser, expect
from pypdf import PdfReader

from tests.browser.conftest import ARTEFACTS, Site
from tests.browser.support import ask, card, change_settings, settled, tab, violations

DOCUMENTS = """{ viewer { accounts(first: 1) { nodes {
  statements(first: 10) { totalCount nodes { number month } }
  receipts(first: 10) { totalCount nodes { number } }
} } } }"""


async def test_documents_are_listed_and_downloaded(
    browser: Browser, each_site: Site, tmp_path: Path
) -> None:
    (account,) = (await ask(each_site, DOCUMENTS))["viewer"]["accounts"]["nodes"]
    statements, receipts = account["statements"], account["receipts"]
    assert statements["totalCount"] >= 3
    async with tab(browser, each_site) as page:
        await page.goto("/")
        listed = page.get_by_role("table", name="Monthly statements").locator("tbody tr")
        await expect(listed).to_have_count(len(statements["nodes"]))
        await expect(listed.first).to_contain_text(statements["nodes"][0]["number"])
        await expect(listed.first.locator("td.date")).to_have_text(re.compile(r"^\w+ \d{4}$"))
        rows = page.get_by_role("table", name="Receipts and credit notes").locator("tbody tr")
        await expect(rows).to_have_count(len(receipts["nodes"]))
        async with page.expect_download() as download:
            await listed.first.get_by_role("button", name=re.compile("Download statement")).click()
        file = tmp_path / "statement.pdf"
        await (await download.value).save_as(file)
        assert statements["nodes"][0]["number"] in PdfReader(file).pages[0].extract_text()
        numbers = [receipt["number"] for receipt in receipts["nodes"]]
        await card(page, "Receipts and credit notes").get_by_role("button", name="Next").click()
        await expect(page).to_have_url(re.compile("receipts-after="))
        await expect(rows.first).not_to_contain_text(numbers[0])

        year = statements["nodes"][0]["month"][:4]
        await page.get_by_role("button", name="All documents of a year").click()
        async with page.expect_download() as download:
            await page.get_by_role("menuitem", name=year).click()
        assert (await download.value).suggested_filename.endswith(f"-documents-{year}.zip")
        archive = tmp_path / "year.zip"
        await (await download.value).save_as(archive)
    with ZipFile(archive) as opened:
        assert f"statements/statement-{statements['nodes'][0]['number']}.pdf" in opened.namelist()


async def test_documents_that_are_not_issued_have_no_list(browser: Browser, site: Site) -> None:
    account = await site.operator.put_account("no-documents")
    titles = ("Monthly statements", "Receipts and credit notes")
    async with tab(browser, site) as page:
        years = page.get_by_role("button", name="All documents of a year")
        for statements, receipts in ((False, True), (True, False), (False, False)):
            changes = {"issuesStatements": statements, "issuesReceipts": receipts}
            await change_settings(page, site, changes)
            await page.goto(f"/?account={account}")
            await expect(card(page, "Activity")).to_be_visible()
            await settled(page)
            for title, shown in zip(titles, (statements, receipts), strict=True):
                await expect(page.get_by_role("region", name=title)).to_have_count(int(shown))
            # There is no document yet, so there is no year with any.
            await expect(years).to_have_count(0)
        # Those of before are still listed.
        await page.goto("/")
        for title in titles:
            await expect(page.get_by_role("region", name=title)).to_be_visible()
        await expect(years).to_have_count(1)


@pytest.mark.parametrize(("locale", "scheme"), [("en-US", "dark"), ("de-DE", "light")])
async def test_documents_fit_and_axe_finds_nothing(
    browser: Browser, site: Site, locale: str, scheme: str
) -> None:
    async with tab(browser, site, locale=locale, color_scheme=scheme) as page:
        for width in (360, 768, 1440):
            await page.set_viewport_size({"width": width, "height": 900})
            await page.goto("/")
            await expect(page.locator(".document-list tbody tr:not(.waiting)").last).to_be_visible()
            await settled(page)
            for name in (".card:has(.document-list)", ".document-list .button"):
                for box in [await each.bounding_box() for each in await page.locator(name).all()]:
                    assert box is not None
                    assert box["x"] >= 0
                    assert box["x"] + box["width"] <= width
            await page.screenshot(
                path=ARTEFACTS / f"documents-{locale}-{width}.png", full_page=True
            )
        assert await violations(page) == []
