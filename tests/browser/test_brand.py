"""The page of a platform that has a name, a picture, a colour and links of its own."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.conftest import ARTEFACTS, DemoDatabase, browsing
from tests.browser.support import fits, settled, violations
from tests.support.processes import GatewayProcess, gateway_process

NAME = "Nimbus Cloud"
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 24" width="40" height="24">'
    '<path fill="#ff6600" d="M10 22a8 8 0 0 1 0-16 10 10 0 0 1 19-2 9 9 0 0 1 1 18z"/></svg>'
)
URLS = {
    "home_url": "https://nimbus.example/",
    "help_url": "https://help.nimbus.example/",
    "customer_portal_url": "https://billing.stripe.example/p/login/x",
    "top_up_url": "https://nimbus.example/top-up",
}
# Orange is too light for text on white; green and yellow are in the charts already.
ACCENT = "#ff6600"
BACKGROUND = "(element) => getComputedStyle(element).backgroundColor"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def nimbus(
    sqlite_demo: DemoDatabase, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[GatewayProcess]:
    logo = tmp_path_factory.mktemp("brand") / "logo.svg"
    logo.write_text(LOGO)
    brand = {"platform_name": NAME, "platform_logo": str(logo), "platform_accent": ACCENT}
    async with gateway_process(sqlite_demo.url, sqlite_demo.data_dir, **brand, **URLS) as gateway:
        yield gateway


@pytest.mark.parametrize(
    ("theme", "width", "filled"),
    [
        ("light", 1440, "rgb(186, 74, 6)"),
        ("dark", 1440, "rgb(255, 102, 0)"),
        ("light", 360, "rgb(186, 74, 6)"),
    ],
)
async def test_the_page_wears_the_platforms_brand(
    browser: Browser, nimbus: GatewayProcess, theme: str, width: int, filled: str
) -> None:
    options = {"color_scheme": theme, "viewport": {"width": width, "height": 900}}
    async with browsing(browser, nimbus.url, locale="en-US", **options) as context:
        page = await context.new_page()
        refused: list[str] = []
        page.on("console", lambda message: refused.append(message.text))
        await page.goto("/")
        await settled(page)
        header = page.get_by_role("banner")
        await expect(header.get_by_text(NAME)).to_be_visible()
        logo = header.locator("img")
        assert await logo.evaluate("(image) => image.complete && image.naturalWidth > 0")
        await expect(page).to_have_title(
            re.compile(rf"Aurora.* · Billing · Billing & Usage · {NAME}$")
        )
        for name, url in (
            ("Home", "home_url"),
            ("Help", "help_url"),
            ("Manage billing", "customer_portal_url"),
            ("Add credit", "top_up_url"),
        ):
            link = page.get_by_role("link", name=name, exact=True)
            await expect(link).to_have_attribute("href", URLS[url])
        add = page.get_by_role("link", name="Add credit")
        assert await add.evaluate(BACKGROUND) == filled
        await expect(page.locator(".chart-1").first).to_be_attached()
        assert await fits(page)
        assert await violations(page) == []
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=ARTEFACTS / f"brand-{theme}-{width}.png")
        assert refused == []

        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_role("main").get_by_text(NAME)).to_be_visible()
        assert await violations(page) == []
        await page.screenshot(path=ARTEFACTS / f"brand-sign-in-{theme}-{width}.png")


async def test_graphiql_names_the_platform(browser: Browser, nimbus: GatewayProcess) -> None:
    async with browsing(browser, nimbus.url) as context:
        page = await context.new_page()
        await page.goto("/graphiql")
        await expect(page).to_have_title(f"GraphiQL — Billing & Usage · {NAME}")
