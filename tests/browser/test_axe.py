"""What axe finds on every filter and in every state: nothing, the size of targets included."""

from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.browser.conftest import Site
from tests.browser.support import card, settled, tab, violations
from tests.browser.test_tables import busy

STATUSES = (
    "pending",
    "requires_action",
    "succeeded",
    "partially_refunded",
    "refunded",
    "disputed",
    "failed",
    "canceled",
)
KINDS = ("card", "coupon", "manual_credit", "trial_grant")
CAUSES = ("purchase", "bonus", "refund", "dispute", "usage", "adjustment")
INTERVALS = ("day", "week", "month", "year")
DIMENSIONS = ("deployment", "project", "gpu_model", "resource")
VIEWS = (
    *(
        f"status={each}&cause={cause}"
        for each, cause in zip(STATUSES, (*CAUSES, "usage", "refund"), strict=True)
    ),
    *(f"kind={each}" for each in KINDS),
    "status=failed&kind=trial_grant&cause=dispute&range=7d",
    *(f"tab=usage&interval={each}&by={by}" for each, by in zip(INTERVALS, DIMENSIONS, strict=True)),
    "tab=usage&range=this-year&by=provider&filter-project=&chart=cumulative&previous=1",
)
MENUS = ("Date range", "Time zone", "Status", "Kind", "Export", "Account", "Language")


async def go(page: Page, view: str) -> None:
    """Change the view as a link within the page would, without loading the page again."""
    await page.evaluate(
        """(search) => {
          history.pushState(null, "", search);
          dispatchEvent(new PopStateEvent("popstate"));
        }""",
        f"?{view}",
    )


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (360, "dark")])
async def test_axe_accepts_every_filter_and_menu(
    browser: Browser, site: Site, width: int, theme: Any
) -> None:
    account = await busy(site, f"axe-{width}")
    size: Any = {"width": width, "height": 900}
    found: dict[str, Any] = {}
    async with tab(browser, site, viewport=size, color_scheme=theme) as page:
        await page.goto("/")
        await settled(page)
        for view in VIEWS:
            for prefix in ("", f"account={account}&") if "refund" in view else ("",):
                await go(page, prefix + view)
                await settled(page)
                found[prefix + view] = await violations(page)
        await go(page, "")
        for name in MENUS:
            await page.get_by_role("button", name=name).first.click()
            opened = page.locator(".popover")
            await expect(opened).to_be_visible()
            found[name] = await violations(page)
            await page.keyboard.press("Escape")
            await expect(opened).to_have_count(0)
    assert {view: each for view, each in found.items() if each} == {}


async def test_axe_accepts_failures_and_a_lost_network(browser: Browser, site: Site) -> None:
    async def refuse(route: Route) -> None:
        await route.fulfill(status=503, body="")

    for width, theme in ((1440, "dark"), (360, "light")):
        size: Any = {"width": width, "height": 900}
        scheme: Any = theme
        async with tab(browser, site, viewport=size, color_scheme=scheme) as page:
            await page.goto("/")
            await expect(card(page, "Activity")).to_be_visible()
            await settled(page)
            await page.route("**/graphql", refuse)
            await go(page, "range=7d&status=failed")
            await expect(page.get_by_role("alert").first).to_be_visible()
            assert await violations(page) == []
            await go(page, "tab=usage&range=90d")
            await expect(card(page, "Day by day").get_by_role("alert")).to_be_visible()
            assert await violations(page) == []
            await page.unroute("**/graphql")
            await page.context.set_offline(True)
            await expect(page.locator(".balance .live")).to_have_text("Offline")
            assert await violations(page, loading=True) == []
            await page.context.set_offline(False)
