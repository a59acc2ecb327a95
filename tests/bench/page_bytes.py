"""`python -m tests.bench.page_bytes`: what the open page loads, byte by byte.

Serves the demo from an embedded database and opens the page in Chromium: its first view, an hour in
which nothing happens, and an hour of the demo's meter, each by request. A request counts as its
response with its headers, a message of the WebSocket as its frame in both directions. The idle hour
is the page's clock moved on; of the meter's hour, `--minutes` are measured and scaled.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from gateway.clock import SystemClock
from gateway.dev.demo.fill import DAYS, fill
from gateway.migrations import migrate
from gateway.settings import load_settings
from gateway.store import connect
from gateway.store.engine.databases import database_url
from tests.browser.conftest import browsing, launched
from tests.support.processes import GATEWAY, answering, free_port, running
from tests.support.wire import PUSHES, Count, Wire, count_bytes, pass_time

PLACEHOLDERS = "[aria-busy='true'], .outdated, .skeleton"
TABS = {"Billing": "/", "Usage": "/?tab=usage"}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.page_bytes", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="of the demo's meter")
    parser.add_argument("--idle-minutes", type=float, default=60, help="by the page's clock")
    parser.add_argument("--days", type=int, default=DAYS, help="of the demo's data")
    return parser.parse_args()


@asynccontextmanager
async def serving(folder: str, *, demo: bool) -> AsyncIterator[str]:
    """Lend the URL of a gateway with the demo's data, with its meter or without."""
    port = free_port()
    others = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    own = {"GATEWAY_DATA_DIR": folder, "GATEWAY_PORT": str(port), "GATEWAY_LOG_LEVEL": "error"}
    mode = ("--dev",) if demo else ("--dev", "--no-demo")
    url = f"http://127.0.0.1:{port}"
    async with running(GATEWAY, "serve", *mode, environment=others | own) as process:
        await answering(f"{url}/readyz", process)
        yield url


async def settle(page: Page) -> None:
    await expect(page.locator(".live")).to_have_text("Live")
    await expect(page.locator("main")).to_be_visible()
    await page.wait_for_timeout(2_000)
    await expect(page.locator(PLACEHOLDERS)).to_have_count(0)


@asynccontextmanager
async def opened(browser: Browser, url: str, *, fake_clock: bool = False) -> AsyncIterator[Page]:
    async with browsing(browser, url, locale="en-US") as context:
        page = await context.new_page()
        if fake_clock:
            await page.clock.install()
        yield page


async def first_view(browser: Browser, url: str) -> Mapping[str, Count]:
    async with opened(browser, url) as page:
        wire = await count_bytes(page)
        await page.goto(url)
        await settle(page)
        return wire.read()


async def idle(browser: Browser, url: str, minutes: float) -> Mapping[str, Count]:
    """Return what the page loads while its clock goes on and nothing happens."""
    async with opened(browser, url, fake_clock=True) as page:
        wire = await count_bytes(page)
        await page.goto(url)
        await expect(page.locator(".live")).to_have_text("Live")
        await page.clock.run_for(1_000)
        await asyncio.sleep(1)
        wire.read()
        await pass_time(page, wire, minutes * 60)
        return wire.read()


async def metered(browser: Browser, url: str, minutes: float) -> Mapping[str, Count]:
    async with opened(browser, url) as page:
        wire: Wire = await count_bytes(page)
        await page.goto(url)
        await settle(page)
        wire.read()
        await asyncio.sleep(minutes * 60)
        return wire.read()


def table(title: str, counts: Mapping[str, Count], scale: float = 1) -> Iterator[str]:
    yield f"{title:<44}{'times':>7}{'kB':>10}{'bytes each':>12}"
    for name, count in sorted(counts.items(), key=lambda item: -item[1].size):
        times, size = count.times * scale, count.size * scale
        yield f"  {name:<42}{times:>7.0f}{size / 1000:>10.1f}{count.size / count.times:>12.0f}"
    size = sum(each.size for each in counts.values()) * scale
    yield f"  {'in all':<49}{size / 1000:>10.1f}"


def per_update(counts: Mapping[str, Count]) -> str:
    updates = counts[PUSHES].times if PUSHES in counts else 0
    size = sum(each.size for each in counts.values())
    return f"  {'for each balance update':<61}{size / max(updates, 1):>10.0f}"


async def fill_folder(folder: str, days: int) -> None:
    """Write the demo's data to the database of a folder."""
    settings = load_settings(environment="dev", data_dir=Path(folder))
    await migrate(database_url(settings))
    database = await connect(settings)
    await fill(database, clock=SystemClock(), days=days)
    await database.close()


async def measure(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        await fill_folder(folder, options.days)
        async with launched() as browser:
            async with serving(folder, demo=True) as url:
                hours = await asyncio.gather(
                    *(metered(browser, url + path, options.minutes) for path in TABS.values())
                )
            async with serving(folder, demo=False) as url:
                for name, path in TABS.items():
                    counts = await first_view(browser, url + path)
                    print("\n".join(table(f"{name}: first view", counts)))
                for name, path in TABS.items():
                    counts = await idle(browser, url + path, options.idle_minutes)
                    scale = 60 / options.idle_minutes
                    print("\n".join(table(f"{name}: an hour of nothing", counts, scale)))
        for name, counts in zip(TABS, hours, strict=True):
            title = f"{name}: an hour of the demo's meter"
            print("\n".join(table(title, counts, 60 / options.minutes)))
            print(per_update(counts))


def main() -> None:
    asyncio.run(measure(parse_arguments()))


if __name__ == "__main__":
    main()
