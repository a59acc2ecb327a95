"""The command line: `gateway --help`.

Exit codes: 0 done, 1 not done (the reason on standard error), 2 a setting or an argument is
wrong or the port is taken, 130 and 143 broken off by Ctrl-C or SIGTERM.
"""

import asyncio
import gc
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from gateway.app import create_app
from gateway.cli.accounts import account
from gateway.cli.api_keys import api_key
from gateway.cli.doctor import doctor
from gateway.cli.exports import export
from gateway.cli.jobs import jobs
from gateway.cli.openapi import openapi
from gateway.cli.preparation import (
    migrate_database,
    migration_warnings,
    name_demo_seller,
    name_seller,
    write_dev_tokens,
)
from gateway.cli.start_checks import check_start, start_warnings
from gateway.cli.stripe import stripe, stripe_backfill
from gateway.cli.tools import complain, open_database, read_settings, reporter, show_progress
from gateway.clock import SystemClock
from gateway.dev.demo.fill import SEED, fill
from gateway.dev.demo.people import find_people
from gateway.dev.demo.scale import fill_scale
from gateway.dev.keys import dev_key
from gateway.dev.tokens import mint
from gateway.errors import BadUserInput, ConfigurationError, GatewayError
from gateway.exports.focus.imports.importer import import_focus
from gateway.exports.focus.imports.reader import FocusRejected
from gateway.exports.focus.imports.rows import FocusAccount, FocusCost
from gateway.observability.logs import configure_logging
from gateway.server.process import check_address
from gateway.server.process import serve as run_server
from gateway.settings import Settings
from gateway.settings.table import settings_page
from resolvers.schema import build_schema, print_schema_file

SCHEMA_FILE: Final = Path("schema.graphql")
SETTINGS_FILE: Final = Path("docs/settings.md")
GC_THRESHOLD: Final = 200_000

app = typer.Typer(
    help="Billing & Usage: a GraphQL gateway for prepaid compute.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(account, name="account")
app.add_typer(api_key, name="api-key")
app.command()(doctor)
app.add_typer(export, name="export")
app.add_typer(jobs, name="jobs")
app.add_typer(stripe, name="stripe")
app.command("stripe-backfill")(stripe_backfill)
app.command()(openapi)


@app.command()
def serve(
    dev: Annotated[
        bool, typer.Option("--dev", help="Demo people and data, on loopback, without settings.")
    ] = False,
    demo: Annotated[
        bool, typer.Option(help="With --dev: top up the demo data to now, and go on.")
    ] = True,
) -> None:
    """Serve the gateway, after bringing the database up to date."""
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
    await name_seller(settings)
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


@app.command()
def migrate() -> None:
    """Bring the database to this version's schema, as its owner."""
    settings = read_settings()
    asyncio.run(migrate_database(settings))
    typer.echo("The database is up to date.")
    for warning in migration_warnings(settings):
        complain(f"Warning: {warning}")


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="Another seed gives other data.")] = SEED,
    end: Annotated[
        datetime | None, typer.Option(help="The last instant with data, UTC; default: now.")
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option(
            min=0.0001, help="Instead: 2,000 accounts, 200,000 purchases, 10 M events × this."
        ),
    ] = None,
) -> None:
    """Fill the database with demo data; again: top it up."""
    settings = read_settings()
    until = end.replace(tzinfo=UTC) if end else None
    asyncio.run(_demo(settings, seed=seed, end=until, scale=scale))


async def _demo(
    settings: Settings, *, seed: int, end: datetime | None, scale: float | None
) -> None:
    await migrate_database(settings)
    await name_demo_seller(settings)
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


@app.command("import-focus")
def import_focus_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, also gzipped.")],
    cost: Annotated[
        FocusCost | None,
        typer.Option(help="The column that is charged: BilledCost, if not given."),
    ] = None,
    account_by: Annotated[
        FocusAccount, typer.Option(help="What an account is.")
    ] = FocusAccount.BILLING,
    owner: Annotated[
        str | None, typer.Option(help="Subject that becomes an owner of the accounts.")
    ] = None,
    restate: Annotated[
        bool,
        typer.Option(
            "--restate",
            help="Correct what earlier files had of the same accounts and time and this one has "
            "not, and book what is new, in one transaction.",
        ),
    ] = False,
) -> None:
    """Import a FOCUS cost file, 1.0-preview to 1.2: checked whole, then booked in parts.

    The same file again changes nothing, and completes an import that broke off. A file that has
    more rows than the one before adds them; one that lacks some is refused without --restate.
    """
    asyncio.run(
        _import(
            read_settings(), file, cost=cost, account_by=account_by, owner=owner, restate=restate
        )
    )


async def _import(settings: Settings, file: Path, **choices: Any) -> None:
    await migrate_database(settings)
    async with open_database(settings) as database:
        with show_progress() as progress:
            show = reporter(progress, file.name)
            try:
                report = await import_focus(
                    database, file, progress=lambda done: show(done, None), **choices
                )
            except BaseException as error:
                for note in getattr(error, "__notes__", ()):
                    complain(note)
                raise
    for line in report.lines():
        typer.echo(line)


@app.command()
def token(
    subject: Annotated[str, typer.Argument(help="Who the token is for, as members name them.")],
) -> None:
    """Print a token of dev mode for somebody; production refuses it."""
    typer.echo(mint(dev_key(read_settings(dev=True).data_dir), subject, SystemClock()))


@app.command()
def schema(
    check: Annotated[
        bool, typer.Option("--check", help="Say whether schema.graphql is up to date.")
    ] = False,
    federation: Annotated[
        bool, typer.Option("--federation", help="As a subgraph of Apollo Federation.")
    ] = False,
) -> None:
    """Print the schema, as it stands in schema.graphql."""
    text = build_schema(federation=True).as_str() if federation else print_schema_file()
    if not check:
        typer.echo(text, nl=False)
    elif not SCHEMA_FILE.exists() or SCHEMA_FILE.read_text("utf-8") != text:
        _fail("schema.graphql is not what the code says: gateway schema > schema.graphql", 1)


@app.command()
def settings(
    check: Annotated[
        bool, typer.Option("--check", help="Say whether docs/settings.md is up to date.")
    ] = False,
) -> None:
    """Print every setting and every limit, as docs/settings.md."""
    page = settings_page()
    if not check:
        typer.echo(page, nl=False)
    elif not SETTINGS_FILE.exists() or SETTINGS_FILE.read_text("utf-8") != page:
        _fail(f"{SETTINGS_FILE} is not what the code says: gateway settings > {SETTINGS_FILE}", 1)


def _fail(message: str, code: int) -> None:
    complain(message)
    raise typer.Exit(code)


def main() -> None:
    """Run the command line; an error of ours is one sentence, not a traceback."""
    # Bulk work keeps much for a moment and makes few cycles; the server sets its own threshold.
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    try:
        app()
    except FocusRejected as error:
        _exit("\n".join([error.message, *map(str, error.errors)]), 1)
    except (ConfigurationError, BadUserInput) as error:
        _exit(error.message, 2)
    except GatewayError as error:
        _exit(error.message, 1)


def _exit(message: str, code: int) -> None:
    complain(message)
    raise SystemExit(code)
