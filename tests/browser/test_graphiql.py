"""GraphiQL from our own bundle: it runs operations, live ones too, and asks no other host."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, expect

from tests.browser.conftest import ARTEFACTS, Site, browsing

KEPT = "JSON.stringify([localStorage, sessionStorage])"


class Tab:
    """A tab of GraphiQL, the hosts of its requests, and its console errors; errors
    in `pardoned` do not count.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.hosts: set[str] = set()
        self.complaints: list[str] = []
        self.pardoned: str | None = None
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        page.on("websocket", lambda socket: self.hosts.add(urlsplit(socket.url).netloc))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, message: ConsoleMessage) -> None:
        is_pardoned = self.pardoned is not None and self.pardoned in message.text
        if message.type in {"error", "warning"} and not is_pardoned:
            self.complaints.append(message.text)

    @property
    def query(self) -> Locator:
        return self.page.locator(".graphiql-query-editor .view-lines")

    @property
    def tool(self) -> Locator:
        """The variables or the headers, of which one is shown."""
        return self.page.locator(".graphiql-editor-tool .view-lines:visible")

    @property
    def response(self) -> Locator:
        return self.page.locator(".result-window .view-lines")

    async def open(self, example: str, operation: str) -> None:
        """Open an example about an account; its operation has this name."""
        await self.page.get_by_role("button", name=example, exact=True).click()
        await expect(self.query).to_contain_text(f"{operation}($account")
        await expect(self.tool).to_contain_text('"account"')

    async def run(self) -> None:
        await self.page.get_by_role("button", name="Execute query").click()

    async def write(self, tool: str, content: object) -> None:
        """Put JSON into the variables or the headers."""
        await self.page.get_by_role("button", name=tool, exact=True).click()
        await self.tool.click()
        editor = self.page.locator(".graphiql-editor-tool .monaco-editor:visible")
        await expect(editor).to_have_class(re.compile(r"\bfocused\b"))
        await self.page.keyboard.press("ControlOrMeta+A")
        await self.page.keyboard.press("Delete")
        await self.page.keyboard.insert_text(json.dumps(content))
        # The editor closes by itself what the text opened, and the text closed it too.
        await self.page.keyboard.press("ControlOrMeta+Shift+End")
        await self.page.keyboard.press("Delete")
        await expect(self.tool).to_have_text(json.dumps(content))


@asynccontextmanager
async def graphiql(browser: Browser, site: Site, **options: Any) -> AsyncIterator[Tab]:
    """Open GraphiQL; at the end there was no request to another host, and no complaint."""
    async with browsing(browser, site.url, **options) as context:
        tab = Tab(await context.new_page())
        await tab.page.goto("/graphiql")
        await expect(tab.query).to_contain_text("query Viewer")
        await expect(tab.tool).to_be_visible()
        yield tab
        assert tab.hosts == {urlsplit(site.url).netloc}
        assert tab.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_an_example_answers(browser: Browser, site: Site, scheme: str) -> None:
    async with graphiql(browser, site, color_scheme=scheme) as tab:
        await tab.open("Balance, burn rate and run-out", "Balance")
        await tab.run()
        await expect(tab.response).to_contain_text('"burnRate"')
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        await tab.page.screenshot(path=ARTEFACTS / f"graphiql-{scheme}.png")


async def test_a_subscription_goes_on(browser: Browser, each_site: Site) -> None:
    account = await each_site.operator.put_account("graphiql-live")
    async with graphiql(browser, each_site) as tab:
        await tab.open("The balance, live", "BalanceUpdated")
        await tab.write("Variables", {"account": account})
        await tab.run()
        await expect(tab.response).to_contain_text('"SNAPSHOT"')
        await each_site.operator.grant("graphiql-live", "12.50", "graphiql-live-1")
        await expect(tab.response).to_contain_text('"12.50"')
        await tab.page.get_by_role("button", name="Stop query").click()


async def test_queries_are_of_the_chosen_person_and_account(browser: Browser, site: Site) -> None:
    async with graphiql(browser, site) as tab:
        await tab.open("Any object by its id", "Node")
        await tab.page.get_by_label("Person").select_option("Grace Lindqvist")
        account = tab.page.get_by_label("Account")
        await account.select_option("Рендер-ферма «Искра»")
        await expect(account.locator("option:checked")).to_have_text("Рендер-ферма «Искра»")
        await expect(tab.tool).to_contain_text(await account.input_value())
        await tab.run()
        await expect(tab.response).to_contain_text("Рендер-ферма «Искра»")


async def test_a_header_that_is_written_goes_first(browser: Browser, site: Site) -> None:
    async with graphiql(browser, site) as tab:
        # The browser says of each 401 that it was one.
        tab.pardoned = "401"
        await tab.write("Headers", {"authorization": "Bearer nobody"})
        await tab.run()
        await expect(tab.response).to_contain_text("UNAUTHENTICATED")
        await expect(tab.page.get_by_label("Person")).to_have_value("Ada Okonkwo")


async def test_the_schema_can_be_explored_and_read(browser: Browser, site: Site) -> None:
    async with graphiql(browser, site) as tab:
        await tab.page.get_by_role("button", name="Show GraphiQL Explorer").click()
        await expect(tab.page.locator(".docExplorerWrap")).to_contain_text("viewer")
        await tab.page.get_by_role("button", name="Show Documentation Explorer").click()
        await tab.page.get_by_role("link", name="Query", exact=True).click()
        await expect(tab.page.locator(".graphiql-doc-explorer")).to_contain_text("account")


async def test_no_token_is_kept_in_the_browser(browser: Browser, site: Site) -> None:
    async with graphiql(browser, site) as tab:
        await tab.run()
        await expect(tab.response).to_contain_text('"accounts"')
        await tab.page.wait_for_function(f"{KEPT}.includes('query Viewer')")
        assert "eyJ" not in await tab.page.evaluate(KEPT)
