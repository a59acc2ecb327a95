"""What the browser tests have in common: how the page is read, and what the API says."""

import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from io import BytesIO
from typing import Any

import httpx
from playwright.async_api import Browser, Locator, Page, Request, Route, expect
from pypdf import PdfReader

from tests.browser.conftest import ARTEFACTS, ROOT, Site, browsing

Json = dict[str, Any]

_ELEMENT = '<script id="gateway-settings" type="application/json">'
_SETTINGS = re.compile(f"{_ELEMENT}(.*?)</script>", re.DOTALL)

LATER_MS = 9_000
"""From then on a page asks again for what it shows, in case that has changed unheard."""

# Its rules and those that are off by default: the size of targets (WCAG 2.2, AA).
FIND = """
axe.run({ rules: { "target-size": { enabled: true } } }).then((result) => result.violations)
"""
AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"


@asynccontextmanager
async def tab(browser: Browser, site: Site, **options: Any) -> AsyncIterator[Page]:
    """Lend a tab, of an English reader unless `options` say otherwise; at the end the page has
    thrown nothing.
    """
    async with browsing(browser, site.url, **({"locale": "en-US"} | options)) as context:
        page = await context.new_page()
        thrown: list[str] = []
        page.on("pageerror", lambda error: thrown.append(str(error)))
        yield page
        assert thrown == []


async def ask(site: Site, query: str, **variables: Any) -> Json:
    """Return what the API gives to Ada, whom the page is signed in as."""
    async with httpx.AsyncClient(base_url=site.url) as client:
        page = (await client.get("/", headers={"accept": "text/html"})).text
        found = _SETTINGS.search(page)
        assert found
        token = json.loads(found[1])["people"][0]["token"]
        answer = await client.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={"authorization": f"Bearer {token}"},
        )
    content = answer.json()
    assert "errors" not in content, content
    data: Json = content["data"]
    return data


def body_of(request: Request) -> Json:
    """Return the JSON that the page sends: a document's id, and its variables."""
    body: Json | None = request.post_data_json
    assert body is not None
    return body


async def change_settings(page: Page, site: Site, changes: Mapping[str, Any]) -> None:
    """Change the settings that the gateway writes into the page."""

    async def answer(route: Route) -> None:
        found = await route.fetch()
        before, settings, after = _SETTINGS.split(await found.text(), maxsplit=1)
        content = json.dumps({**json.loads(settings), **changes}).replace("<", "\\u003c")
        await route.fulfill(response=found, body=f"{before}{_ELEMENT}{content}</script>{after}")

    await page.route(f"{site.url}/?*", answer)


async def settled(page: Page) -> None:
    """Wait until everything that the page requested has loaded, and nothing changes any more."""
    await expect(page.locator("main")).to_be_visible()
    await expect(page.locator("[aria-busy='true'], .outdated, .skeleton")).to_have_count(0)


def at_first(requests: Iterable[Request], began: float) -> list[Request]:
    """Return those that are not the page's second look; `began` is in milliseconds since 1970."""
    return [each for each in requests if each.timing["startTime"] < began + LATER_MS]


async def violations(page: Page, *, loading: bool = False) -> list[tuple[str, list[str]]]:
    """Return what axe finds when the page has settled, or while it is loading: the rule, and the
    elements that break it.
    """
    if not loading:
        await settled(page)
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text())
    found = await page.evaluate(FIND)
    if found and not loading:
        # What has begun to load meanwhile, as at midnight, was faded.
        await settled(page)
        found = await page.evaluate(FIND)
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A text on paper: how far from the left, and from the top of the first sheet, in points."""

    text: str
    left: float
    top: float


async def printed(page: Page, name: str) -> list[Printed]:
    """Print the page on A4, and keep it by that name; return what can be read, from the top."""
    file = await page.pdf(path=ARTEFACTS / f"{name}.pdf", format="A4")
    found: list[Printed] = []
    for number, sheet in enumerate(PdfReader(BytesIO(file)).pages):
        bottom = (number + 1) * float(sheet.mediabox.height)

        def note(text: str, user: Any, line: Any, *_font: Any, bottom: float = bottom) -> None:
            left = line[4] * user[0] + line[5] * user[2] + user[4]
            up = line[4] * user[1] + line[5] * user[3] + user[5]
            if text.strip():
                found.append(Printed(text=text.strip(), left=left, top=bottom - up))

        sheet.extract_text(visitor_text=note)
    return sorted(found, key=lambda each: each.top)


def card(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title, exact=True).first


def figure(page: Page, name: str) -> Locator:
    return page.locator(".figure").filter(has=page.get_by_text(name, exact=True))


def purchase_rows(page: Page) -> Locator:
    """Return the list's rows without those that keep the place of others."""
    return page.get_by_role("table", name="Credit purchases").locator("tbody tr:not(.waiting)")


async def expect_cells(table: Locator, column: str, values: Sequence[str]) -> None:
    """Wait until this is what is read in a column, hints below a value left out."""
    lines = [re.compile(rf"^{re.escape(value)}(\n|$)") for value in values]
    cells = table.locator(f"tbody td.{column}")
    await expect(cells).to_have_text(lines, use_inner_text=True)


async def fits(page: Page) -> bool:
    """Return whether nothing is wider than the page."""
    found: bool = await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return found


def exact(amount: str) -> str:
    """Return dollars with every digit that there is."""
    return _dollars(Decimal(amount), len(amount.partition(".")[2]))


def read(amount: str) -> str:
    """Return dollars as a person reads them: with cents, and below one with two significant digits
    where cents would show fewer.
    """
    value = Decimal(amount)
    decimals = 2 if value == 0 or abs(value) >= 1 else max(2, 1 - value.adjusted())
    rounded = value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    kept = -int(rounded.normalize().as_tuple().exponent)
    return _dollars(rounded, max(2, kept))


def _dollars(value: Decimal, decimals: int) -> str:
    return f"{'-' if value < 0 else ''}${abs(value):,.{decimals}f}"
