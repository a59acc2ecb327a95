"""`gateway serve`: serves, after bringing the database up to date."""

import asyncio
import sys
from typing import Annotated, Final

import typer

from gateway.app import create_app
from gateway.cli.dev_tokens import write_dev_tokens
from gateway.cli.messages import complain
from gateway.cli.migrate import migrate_database
from gateway.cli.progress import reporter, show_progress
from gateway.cli.resources import open_database, operator, read_settings
from gateway.cli.start_checks import check_start, start_warnings
from gateway.clock import SystemClock
from gateway.dev.demo.fill import fill
from gateway.dev.demo.people import find_people
from gateway.dev.keys import dev_key
from gateway.dev.tokens import mint
from gateway.migrations import row_security_holds
from gateway.observability.logs import configure_logging
from gateway.receipts.seller import keep_seller, read_seller
from gateway.server.process import check_address
from gateway.server.process import serve as run_server
from gateway.settings import Settings
from gateway.store.engine.databases import connect

WITHOUT_ROW_SECURITY: Final = (
    "Row-level security has no effect for the role of GATEWAY_DATABASE_URL. Run `gateway "
    "row-security on` when every process runs this version, and serve as a role that is neither "
    "a superuser nor has BYPASSRLS."
)


def serve(
    dev: Annotated[
        bool,
        typer.Option("--dev", help="Run with demo people and data, on loopback, without settings."),
    ] = False,
    demo: Annotated[
        bool, typer.Option(help="With --dev: add demo data up to now, and keep adding.")
    ] = True,
) -> None:
    """Migrate the database and serve the gateway."""
    settings = read_settings(dev=dev)
    check_start(settings)
    for warning in start_warnings(settings):
        complain(f"Warning: {warning}")
    pretty = settings.environment == "dev" and sys.stderr.isatty()
    configure_logging(settings.log_level, pretty=pretty)
    check_address(settings.host, settings.port)
    asyncio.run(_prepare(settings, demo=demo))
    metering = demo and settings.environment == "dev" and settings.port > 0
    raise typer.Exit(run_server(create_app(settings, metering=metering), settings))


async def _prepare(settings: Settings, *, demo: bool) -> None:
    await migrate_database(settings)
    await store_seller(settings)
    async with open_database(settings) as database, database.probing() as reader:
        if not await row_security_holds(reader):
            complain(f"Warning: {WITHOUT_ROW_SECURITY}")
    if settings.environment != "dev":
        return
    clock = SystemClock()
    async with open_database(settings) as database:
        if demo:
            with show_progress() as progress:
                await fill(database, clock=clock, progress=reporter(progress, "Demo data"))
        people = await find_people(database)
    path = write_dev_tokens(settings, people, clock)
    typer.echo(f"Billing & Usage, dev mode, at {settings.base_url} (tokens in {path}, mode 0600)")
    key = dev_key(settings.data_dir)
    for person in people:
        names = ", ".join(account.name for account in person.accounts)
        typer.echo(f"  {person.name} ({names}):\n    {mint(key, person.subject, clock)}")


async def store_seller(settings: Settings) -> None:
    """Store the seller's details from the settings for future receipts."""
    seller = read_seller(settings)
    database = await connect(settings)
    try:
        await keep_seller(database, seller, SystemClock(), actor=operator())
    finally:
        await database.close()
