"""Signing in where the gateway is not a demo: at an OpenID provider, or with an API key."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import pytest_asyncio
from playwright.async_api import Browser, Page, Request, expect

from tests.browser.conftest import ARTEFACTS, DemoDatabase, browsing
from tests.browser.support import violations
from tests.support.openid import AUDIENCE, CLIENT, OpenIdProvider, openid_provider
from tests.support.openid_node import node_provider
from tests.support.processes import GatewayProcess, free_port, gateway_process

KEPT = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
# Renewed after 48 seconds: a fifth of its life before it ends.
SHORT = 60


@pytest_asyncio.fixture(loop_scope="session")
async def provider() -> AsyncIterator[OpenIdProvider]:
    async with openid_provider("ada@demo", "Ada Okonkwo") as served:
        yield served


@asynccontextmanager
async def production(
    demo: DemoDatabase, provider: OpenIdProvider, **changes: str
) -> AsyncIterator[GatewayProcess]:
    """Serve the demo's database as production would: to whom the provider names."""
    async with serving(
        demo, free_port(), provider.url, f"{provider.url}/keys", **changes
    ) as served:
        yield served


@asynccontextmanager
async def serving(
    demo: DemoDatabase, port: int, issuer: str, keys: str, **changes: str
) -> AsyncIterator[GatewayProcess]:
    settings = {
        "environment": "production",
        "port": str(port),
        "public_url": f"http://127.0.0.1:{port}",
        "jwt_issuer": issuer,
        "jwt_audience": AUDIENCE,
        "jwt_jwks_url": keys,
        "signing_keys": "k1:" + "tests-" * 8,
        "seller_name": "Northwind Compute",
        "seller_address": "1 Harbour Road",
        "oidc_issuer": issuer,
        "oidc_client_id": CLIENT,
    }
    async with gateway_process(demo.url, demo.data_dir, **settings | changes) as gateway:
        yield gateway


@asynccontextmanager
async def with_node_provider(
    browser: Browser, demo: DemoDatabase, *, logout: bool = True
) -> AsyncIterator[Page]:
    """Lend a tab of a gateway that signs people in at npm's `oidc-provider`."""
    port = free_port()
    async with (
        node_provider(f"http://127.0.0.1:{port}", logout=logout) as issuer,
        serving(demo, port, issuer, f"{issuer}/jwks") as gateway,
        visit(browser, gateway) as page,
    ):
        yield page


async def sign_in_at_provider(page: Page) -> None:
    await page.get_by_label("Login").fill("ada@demo")
    await page.get_by_label("Password").fill("any")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("Ada Okonkwo")).to_be_visible()


@asynccontextmanager
async def visit(browser: Browser, gateway: GatewayProcess) -> AsyncIterator[Page]:
    async with browsing(browser, gateway.url, locale="en-US") as context:
        yield await context.new_page()


def authorization(request: Request) -> str:
    return request.headers.get("authorization", "")


async def test_sign_in_returns_to_the_requested_view(
    browser: Browser, sqlite_demo: DemoDatabase, provider: OpenIdProvider
) -> None:
    async with (
        production(sqlite_demo, provider) as gateway,
        visit(browser, gateway) as page,
    ):
        async with page.expect_request(lambda request: "/authorize" in request.url) as leaving:
            await page.goto("/?tab=usage&interval=week")
        query = parse_qs(urlsplit((await leaving.value).url).query)
        assert query["audience"] == [AUDIENCE]
        assert query["scope"] == ["openid"]
        await expect(page.get_by_role("tab", name="Usage")).to_have_attribute(
            "aria-selected", "true"
        )
        await expect(page).to_have_url(re.compile(r"/\?.*tab=usage.*interval=week"))
        await expect(page.get_by_text("Ada Okonkwo")).to_be_visible()
        assert provider.grants == ["authorization_code"]
        # A token has three parts, which begin as JSON does in Base64.
        assert "eyJ" not in await page.evaluate(KEPT)

        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_role("heading", name="Billing & Usage")).to_be_visible()
        await expect(page.get_by_role("tab", name="Usage")).to_be_hidden()


async def test_a_token_is_renewed_before_it_ends(
    browser: Browser, sqlite_demo: DemoDatabase, provider: OpenIdProvider
) -> None:
    provider.lifetime = SHORT
    async with (
        production(sqlite_demo, provider) as gateway,
        visit(browser, gateway) as page,
    ):
        await page.clock.install()
        async with page.expect_request(lambda request: bool(authorization(request))) as first:
            await page.goto("/")
        old = authorization(await first.value)
        await expect(page.get_by_text("Ada Okonkwo")).to_be_visible()
        await page.clock.run_for(30_000)
        assert provider.grants == ["authorization_code"]
        async with page.expect_response(
            lambda answer: "refresh_token" in (answer.request.post_data or "")
        ):
            await page.clock.run_for(20_000)
        # A request before the page has the new token is sent with the old one.
        async with page.expect_response(
            lambda answer: answer.url.endswith("/graphql") and authorization(answer.request) != old
        ) as later:
            await page.get_by_role("tab", name="Usage").click()
        assert (await later.value).ok
        assert authorization((await later.value).request).startswith("Bearer ")
        assert provider.grants == ["authorization_code", "refresh_token"]


async def test_an_api_key_signs_in_and_is_kept_nowhere(
    browser: Browser, sqlite_demo: DemoDatabase, provider: OpenIdProvider
) -> None:
    top_up = "https://pay.example/credit"
    alone = {"oidc_issuer": "", "oidc_client_id": "", "top_up_url": top_up}
    async with (
        production(sqlite_demo, provider, **alone) as gateway,
        visit(browser, gateway) as page,
    ):
        key = await gateway.command(
            "api-key", "create", "reader", "--account", "demo-aurora", "--scope", "billing:read"
        )
        await page.goto("/")
        field = page.get_by_label("API key")
        await expect(field).to_be_visible()
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=ARTEFACTS / "sign-in.png")
        for pasted in ("ключ", "gw_prod_\u200bnobody"):
            await field.fill(pasted)
            await field.press("Enter")
            await expect(page.get_by_role("status")).to_contain_text("This is not an API key")
            await expect(field).to_have_value(pasted)
        assert await violations(page) == []
        await field.fill("gw_prod_nobody")
        await expect(page.get_by_role("status")).to_have_count(0)
        await field.press("Enter")
        await expect(page.get_by_role("status")).to_have_text("This credential is not accepted.")
        await expect(page.get_by_role("heading", name="Billing & Usage")).to_be_focused()
        await field.fill(key)
        await field.press("Enter")
        await expect(page.get_by_text("Aurora Inference GmbH")).to_be_visible()
        add = page.get_by_role("link", name="Add credit")
        await expect(add).to_have_attribute("href", top_up)
        assert key not in await page.evaluate(KEPT)
        await page.reload()
        await expect(field).to_be_visible()


async def test_sign_out_ends_the_session_of_the_provider(
    browser: Browser, sqlite_demo: DemoDatabase
) -> None:
    async with with_node_provider(browser, sqlite_demo) as page:
        await page.goto("/?tab=usage")
        await sign_in_at_provider(page)
        async with page.expect_request(re.compile("/session/end")) as leaving:
            await page.get_by_role("button", name="Sign out").click()
        query = parse_qs(urlsplit((await leaving.value).url).query)
        assert set(query) == {"client_id", "id_token_hint", "post_logout_redirect_uri", "state"}
        async with page.expect_request(re.compile("/signed-out")) as back:
            await page.get_by_role("button", name="Yes, sign me out").click()
        returned = urlsplit((await back.value).url)
        assert query["post_logout_redirect_uri"] == [returned._replace(query="").geturl()]
        assert parse_qs(returned.query) == {"state": query["state"]}

        await expect(page.get_by_role("status")).to_have_text("You are signed out.")
        await expect(page).to_have_url(re.compile(r"/\?tab=usage$"))
        await page.get_by_role("button", name="Sign in again").click()
        await sign_in_at_provider(page)
        await expect(page.get_by_role("tab", name="Usage")).to_have_attribute(
            "aria-selected", "true"
        )


async def test_a_link_signs_nobody_out(
    browser: Browser, sqlite_demo: DemoDatabase, provider: OpenIdProvider
) -> None:
    async with (
        production(sqlite_demo, provider) as gateway,
        visit(browser, gateway) as page,
    ):
        for link in ("/signed-out?state=forged", "/signed-out"):
            await page.goto(link)
            await expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_enabled()
            await expect(page).to_have_url(f"{gateway.url}/")
            await expect(page.get_by_role("status")).to_have_count(0)


async def test_sign_out_stays_here_where_the_provider_has_none(
    browser: Browser, sqlite_demo: DemoDatabase
) -> None:
    async with with_node_provider(browser, sqlite_demo, logout=False) as page:
        await page.goto("/")
        await sign_in_at_provider(page)
        left: list[str] = []
        page.on("framenavigated", lambda frame: left.append(frame.url))
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_role("status")).to_have_text("You are signed out.")
        await expect(page.get_by_role("button", name="Sign in again")).to_be_enabled()
        assert all(url.startswith(page.url) for url in left)
        # The provider's session has stayed.
        await page.get_by_role("button", name="Sign in again").click()
        await expect(page.get_by_text("Ada Okonkwo")).to_be_visible()


async def test_a_person_without_an_account_reads_their_id(
    browser: Browser, sqlite_demo: DemoDatabase
) -> None:
    async with (
        openid_provider("auth0|\u05d0-42", "Nobody") as provider,
        production(sqlite_demo, provider) as gateway,
        visit(browser, gateway) as page,
    ):
        await page.goto("/")
        hint = page.get_by_text("Ask your administrator to add you to an account.")
        await expect(hint).to_have_text(
            "Ask your administrator to add you to an account. Your ID is auth0|\u05d0-42."
        )
        await expect(hint.locator("bdi")).to_have_text("auth0|\u05d0-42")
