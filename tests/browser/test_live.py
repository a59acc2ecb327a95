"""The page moves by itself: money comes, the gateway goes and comes back, and nobody reloads."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Locator, Page, WebSocketRoute, expect

from tests.browser.conftest import DemoDatabase, Site, serving
from tests.browser.support import Json, figure, purchase_rows, settled, tab
from tests.support.stripe import charge, event, intent

# A page waits at most ten seconds before it tries again, and a gateway starts within a few.
RECOVERY_MS = 30_000
# After at most so long the page looks once more for what nobody could tell it.
LOOK_MS = 20_000


@asynccontextmanager
async def staying(browser: Browser, site: Site, account: str) -> AsyncIterator[Page]:
    """Open the Billing tab of an account; at the end the page is still the one that was opened."""
    async with tab(browser, site) as page:
        await page.goto(f"/?account={account}")
        await page.evaluate("window.opened = true")
        await expect(live(page)).to_have_text("Live")
        yield page
        assert await page.evaluate("window.opened")


def live(page: Page) -> Locator:
    return balance(page).locator(".live")


def balance(page: Page) -> Locator:
    return page.get_by_role("region", name="Balance", exact=True)


def payment(account: str, history: list[tuple[str, Json]]) -> list[Json]:
    """Return events of one payment to an account, with ids of its own."""
    events = []
    for at, (kind, subject) in enumerate(history):
        own = subject | {"metadata": subject["metadata"] | {"account": account}}
        name = "id" if own["object"] == "payment_intent" else "payment_intent"
        own[name] = f"pi_{account}"
        events.append(event(kind, own, at=at, event_id=f"evt_{account}_{at}"))
    return events


async def test_a_payment_appears_settles_and_gets_its_receipt(
    browser: Browser, each_site: Site
) -> None:
    name = "paying-live"
    account = await each_site.operator.put_account(name)
    begun, paid, charged = payment(
        name,
        [
            ("payment_intent.processing", intent(status="processing")),
            ("payment_intent.succeeded", intent(status="succeeded", amount_received=11_900)),
            ("charge.succeeded", charge()),
        ],
    )
    async with staying(browser, each_site, account) as page:
        await expect(balance(page)).to_contain_text("No credit yet")
        purchases = page.get_by_role("table", name="Credit purchases")
        await expect(page.get_by_text("No credit purchases yet")).to_be_visible()
        await settled(page)

        await each_site.operator.deliver(begun)
        row = purchases.get_by_role("row").filter(has_text="$119.00")
        await expect(row).to_contain_text("Pending")
        await expect(row).to_contain_text("not charged yet")
        await expect(row.get_by_role("button")).to_have_count(0)
        await expect(balance(page).locator(".amount")).to_have_text("$0.00")

        await each_site.operator.deliver(paid)
        await each_site.operator.deliver(charged)
        await expect(balance(page).locator(".amount")).to_have_text("$110.00")
        await expect(row).to_contain_text("Succeeded")
        await expect(row).to_contain_text("Visa •••• 4242")
        await expect(row).to_contain_text("+$10.00 bonus")
        await expect(figure(page, "Charged to cards")).to_contain_text("$119.00")

        receipt = row.get_by_role("button", name=re.compile("Download receipt"))
        async with page.expect_download() as download:
            await receipt.click()
        file = await (await download.value).path()
        assert file.read_bytes().startswith(b"%PDF-")


async def test_a_purchase_before_the_subscription_started_appears(
    browser: Browser, site: Site
) -> None:
    async def join(socket: WebSocketRoute) -> None:
        await begun.wait()
        socket.connect_to_server()

    name, begun = "unheard", asyncio.Event()
    account = await site.operator.put_account(name)
    [event] = payment(name, [("payment_intent.processing", intent(status="processing"))])
    async with tab(browser, site) as page:
        await page.clock.install()
        await page.route_web_socket("**/graphql", join)
        await page.goto(f"/?account={account}")
        await expect(page.get_by_text("No credit purchases yet")).to_be_visible()
        await site.operator.deliver(event)
        begun.set()
        await expect(live(page)).to_have_text("Live")
        await page.clock.fast_forward(LOOK_MS)
        purchases = page.get_by_role("table", name="Credit purchases")
        row = purchases.get_by_role("row").filter(has_text="$119.00")
        await expect(row).to_contain_text("Pending")


async def test_a_killed_gateway_is_missed_and_found_again(
    browser: Browser, each_site: Site
) -> None:
    operator = each_site.operator
    account = await operator.put_account("outliving")
    await operator.grant("outliving", "10", "outliving-1")
    async with serving(each_site.demo) as mine, staying(browser, mine, account) as page:
        await expect(balance(page).locator(".amount")).to_have_text("$10.00")
        await mine.gateway.kill()
        await expect(live(page)).to_have_text("Reconnecting…")
        await expect(balance(page).locator(".amount")).to_have_text("$10.00")
        await operator.grant("outliving", "32", "outliving-2")
        await asyncio.wait_for(mine.gateway.start(), 60)
        await expect(live(page)).to_have_text("Live", timeout=RECOVERY_MS)
        await expect(balance(page).locator(".amount")).to_have_text("$42.00")
        purchases = page.get_by_role("table", name="Credit purchases")
        await expect(purchases.get_by_role("row").filter(has_text="$32.00")).to_be_visible()
        await expect(page.get_by_role("alert")).to_have_text([])


@pytest.mark.parametrize("code", [1008, 1011, 4400])
async def test_a_socket_closed_by_a_proxy_is_reopened(
    browser: Browser, site: Site, code: int
) -> None:
    account = await site.operator.put_account(f"closed-{code}")
    sockets: list[WebSocketRoute] = []
    missed = asyncio.Event()

    async def join(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        if len(sockets) > 1:
            await missed.wait()
        socket.connect_to_server()

    async with tab(browser, site) as page:
        await page.route_web_socket("**/graphql", join)
        await page.goto(f"/?account={account}")
        await expect(live(page)).to_have_text("Live")
        await settled(page)
        await sockets[0].close(code=code)
        await expect(live(page)).to_have_text("Reconnecting…")
        await site.operator.grant(f"closed-{code}", "10", "missed")
        missed.set()
        await expect(live(page)).to_have_text("Live", timeout=RECOVERY_MS)
        await expect(balance(page).locator(".amount")).to_have_text("$10.00")
        purchases = page.get_by_role("table", name="Credit purchases")
        await expect(purchases.get_by_role("row").filter(has_text="$10.00")).to_be_visible()
        assert len(sockets) == 2


@pytest.mark.parametrize("end", ["error", "complete"])
async def test_an_ended_subscription_is_not_live(browser: Browser, site: Site, end: str) -> None:
    account = await site.operator.put_account(f"ended-{end}")
    sockets: list[WebSocketRoute] = []
    waiting: list[tuple[WebSocketRoute, str | bytes]] = []
    ids: list[str] = []
    is_back = asyncio.Event()

    async def join(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        sockets.append(socket)

        def forward(message: str | bytes) -> None:
            sent = json.loads(message)
            if sent["type"] == "subscribe":
                ids.append(sent["id"])
            held = sent["type"] == "subscribe" and len(ids) > subscribed and not is_back.is_set()
            if held:
                waiting.append((server, message))
            else:
                server.send(message)

        socket.on_message(forward)

    async with tab(browser, site) as page:
        subscribed = 1_000
        await page.route_web_socket("**/graphql", join)
        await page.goto(f"/?account={account}")
        await expect(live(page)).to_have_text("Live")
        await settled(page)
        subscribed = len(ids)
        for name in tuple(ids):
            ending = {"id": name, "type": end}
            payload = {"payload": [{"message": "Account not found."}]} if end == "error" else {}
            sockets[0].send(json.dumps(ending | payload))
        await expect(live(page)).to_have_text("Reconnecting…")
        await site.operator.grant(f"ended-{end}", "10", "missed")
        is_back.set()
        while len(ids) < 2 * subscribed:  # noqa: ASYNC110 - what the page sends has no event
            await asyncio.sleep(0.05)
        for server, message in waiting:
            server.send(message)
        await expect(live(page)).to_have_text("Live", timeout=RECOVERY_MS)
        await expect(balance(page).locator(".amount")).to_have_text("$10.00")
        assert len(sockets) == 1


async def test_another_account_is_live_without_a_new_connection(
    browser: Browser, site: Site
) -> None:
    async with tab(browser, site) as page:
        states: list[str] = []
        await page.expose_function("noted", lambda state: states.append(state))
        await page.goto("/")
        await expect(live(page)).to_have_text("Live")
        await settled(page)
        await page.evaluate(
            "new MutationObserver(() => noted(document.querySelector('.live')?.textContent))"
            ".observe(document.body, {subtree: true, childList: true, characterData: true})"
        )
        switcher = page.get_by_role("button", name="Account")
        await switcher.click()
        await page.get_by_role("option", name=re.compile("^株式会社ニンバス.*JPY$")).click()
        await expect(switcher).to_contain_text("株式会社ニンバス")
        await expect(balance(page).locator(".amount")).to_contain_text("¥")
        await expect(purchase_rows(page).first).to_contain_text("¥")
        await settled(page)
        await expect(live(page)).to_have_text("Live")
        assert set(states) <= {"Live", None}


async def test_code_loads_when_the_gateway_is_back(
    browser: Browser, sqlite_demo: DemoDatabase
) -> None:
    async with serving(sqlite_demo) as mine, tab(browser, mine) as page:
        await page.route("**/plot-*.js", lambda route: route.abort())
        await page.goto("/")
        chart = page.get_by_role("region", name="Balance over time")
        await expect(chart.get_by_role("alert")).to_be_visible()
        await expect(live(page)).to_have_text("Live")
        await settled(page)
        await mine.gateway.kill()
        await expect(live(page)).to_have_text("Reconnecting…")
        await page.unroute("**/plot-*.js")
        await asyncio.wait_for(mine.gateway.start(), 60)
        await expect(chart.get_by_role("application")).to_be_visible(timeout=RECOVERY_MS)
        await expect(page.get_by_role("alert")).to_have_text([])
