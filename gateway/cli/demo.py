"""`gateway demo`: fills the database with demo data."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway.cli.migrate import migrate_database
from gateway.cli.progress import reporter, show_progress
from gateway.cli.resources import open_database, operator, read_settings
from gateway.clock import SystemClock
from gateway.dev.demo.fill import SEED, fill
from gateway.dev.demo.scale import fill_scale
from gateway.receipts.seller import DEMO_NAME, keep_seller, read_seller
from gateway.settings import Settings
from gateway.store.engine.databases import connect


def demo(
    seed: Annotated[int, typer.Option(help="Seed of the random data.")] = SEED,
    end: Annotated[
        datetime | None, typer.Option(help="End of the data, UTC. Default: now.")
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option(
            min=0.0001,
            help="Create a large data set instead: 2,000 accounts, 200,000 "
            "purchases and 10 million events, times this factor.",
        ),
    ] = None,
) -> None:
    """Fill the database with demo data; repeated, add data up to now."""
    settings = read_settings()
    until = end.replace(tzinfo=UTC) if end else None
    asyncio.run(_demo(settings, seed=seed, end=until, scale=scale))


async def _demo(
    settings: Settings, *, seed: int, end: datetime | None, scale: float | None
) -> None:
    await migrate_database(settings)
    await _store_demo_seller(settings)
    clock = SystemClock()
    async with open_database(settings) as database:
        with show_progress() as progress:
            report = reporter(progress, "Demo data")
            if scale is None:
                made = await fill(database, clock=clock, seed=seed, end=end, progress=report)
            else:
                made = await fill_scale(
                    database, clock=clock, seed=seed, end=end, scale=scale, progress=report
                )
    typer.echo(str(made))


async def _store_demo_seller(settings: Settings) -> None:
    """Store a seller for the demo's receipts where none is stored. The seller of a running server
    stays.
    """
    seller = read_seller(settings, default_name=DEMO_NAME)
    database = await connect(settings)
    try:
        await keep_seller(database, seller, SystemClock(), actor=operator(), replace=False)
    finally:
        await database.close()
