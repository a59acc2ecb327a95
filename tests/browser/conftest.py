"""A real browser on a real gateway: Chromium, the demo's people and accounts, both databases.

The gateway of a database is one process for all tests; what a test changes is an account of its
own. All of these tests and the browser live in one event loop.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from pydantic import SecretStr

from gateway.auth.key_store import issue_key
from gateway.clock import SystemClock
from gateway.dev.demo.fill import fill
from gateway.principal import Permission
from gateway.settings import load_settings
from gateway.store import connect
from tests.conftest import TEMPLATE, as_runtime
from tests.support.books import ACTOR
from tests.support.chromium import ARGUMENTS
from tests.support.lent_databases import with_database
from tests.support.operator import Operator
from tests.support.processes import GatewayProcess, gateway_process
from tests.support.stripe import SECRET

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ARTEFACTS = ROOT / "build" / "screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DEMO_DAYS = 120
DEPLOYMENT_URL = "https://cloud.example/deployments/{externalId}"
SCOPES = frozenset(
    {
        Permission.ACCOUNTS_WRITE,
        Permission.MEMBERS_WRITE,
        Permission.USAGE_WRITE,
        Permission.CREDITS_WRITE,
    }
)
VIEWPORT = {"width": 1440, "height": 900}
# How long a test waits for what it expects: a busy machine takes its time.
PATIENCE_MS = 15_000
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoDatabase:
    """A database with the demo in it, and a key to write to it."""

    url: str
    data_dir: Path
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A gateway that serves the demo, and what a platform does with it."""

    demo: DemoDatabase
    gateway: GatewayProcess
    operator: Operator

    @property
    def url(self) -> str:
        return self.gateway.url


def _fill(url: str, data_dir: Path) -> DemoDatabase:
    return asyncio.run(_filled(url, data_dir))


async def _filled(url: str, data_dir: Path) -> DemoDatabase:
    settings = load_settings(environment="dev", database_url=SecretStr(url), data_dir=data_dir)
    database = await connect(settings)
    try:
        clock = SystemClock()
        await fill(database, clock=clock, days=DEMO_DAYS)
        async with database.writing(ACTOR) as transaction:
            key = await issue_key(
                transaction, environment="dev", name="ops", scopes=SCOPES, actor=ACTOR, clock=clock
            )
    finally:
        await database.close()
    return DemoDatabase(url=url, data_dir=data_dir, key=key.text)


@pytest.fixture(scope="session")
def sqlite_demo(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> DemoDatabase:
    folder = tmp_path_factory.mktemp("sqlite-demo")
    shutil.copyfile(sqlite_template, folder / "gateway.sqlite3")
    return _fill(f"sqlite:///{folder / 'gateway.sqlite3'}", folder)


@pytest.fixture(scope="session")
def postgresql_demo(
    postgres_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DemoDatabase]:
    asyncio.run(_execute(postgres_template, f"CREATE DATABASE browser TEMPLATE {TEMPLATE}"))
    url = as_runtime(with_database(postgres_template, "browser"))
    yield _fill(url, tmp_path_factory.mktemp("postgresql-demo"))
    asyncio.run(_execute(postgres_template, "DROP DATABASE browser WITH (FORCE)"))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


@asynccontextmanager
async def serving(demo: DemoDatabase) -> AsyncIterator[Site]:
    """Serve a demo in a process of its own."""
    # Yesterday is complete at midnight, so that a test reads the same at any hour.
    async with gateway_process(
        demo.url,
        demo.data_dir,
        stripe_webhook_secrets=SECRET,
        live_sockets="100",
        usage_delay_seconds="0",
        deployment_url=DEPLOYMENT_URL,
    ) as gateway:
        yield Site(demo=demo, gateway=gateway, operator=Operator(url=gateway.url, key=demo.key))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sqlite_site(sqlite_demo: DemoDatabase) -> AsyncIterator[Site]:
    async with serving(sqlite_demo) as site:
        yield site


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgresql_site(postgresql_demo: DemoDatabase) -> AsyncIterator[Site]:
    async with serving(postgresql_demo) as site:
        yield site


@pytest.fixture
def site(sqlite_site: Site) -> Site:
    """The demo on the embedded database, for what is the page's own."""
    return sqlite_site


@pytest.fixture(params=["sqlite", "postgresql"])
def each_site(request: pytest.FixtureRequest) -> Site:
    """The demo, on each database in turn."""
    found: Site = request.getfixturevalue(f"{request.param}_site")
    return found


def find_browser() -> str | None:
    """Return the machine's Chromium, or None where Playwright has one of its own.

    Without either the tests are skipped, and say so; where nobody would read that, they fail.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    own = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache/ms-playwright"))
    if found is None and not any(own.glob("chromium*")):
        reason = "there is no Chromium here: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """Lend a browser of its own."""
    executable = find_browser()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


@asynccontextmanager
async def browsing(browser: Browser, url: str, **options: Any) -> AsyncIterator[BrowserContext]:
    """Lend a person's browser: no cookies, nothing stored, `url` the base of what they open."""
    defaults = {"base_url": url, "viewport": VIEWPORT, "reduced_motion": "reduce"}
    context = await browser.new_context(**(defaults | options))
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield context
    finally:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, site: Site) -> AsyncIterator[Page]:
    """A tab of somebody who has come to the gateway on the embedded database."""
    async with browsing(browser, site.url) as context:
        yield await context.new_page()


@pytest_asyncio.fixture(loop_scope="session")
async def each_page(browser: Browser, each_site: Site) -> AsyncIterator[Page]:
    """The same, on each database in turn."""
    async with browsing(browser, each_site.url) as context:
        yield await context.new_page()
