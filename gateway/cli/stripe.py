"""`gateway stripe`: past payments, and those that wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Annotated

import httpx
import typer

from gateway.cli.progress import reporter, show_progress
from gateway.cli.resources import open_database, operator, read_settings
from gateway.cli.start_checks import missing_seller
from gateway.clock import SystemClock
from gateway.errors import BadUserInput, ConfigurationError, NotFound
from gateway.providers.stripe.backfill import Api, backfill
from gateway.providers.stripe.inbox import Inbox
from gateway.providers.stripe.parked import ParkedPayment, parked_payments
from gateway.receipts.seller import keep_seller, read_seller
from gateway.settings import Settings
from gateway.store import Database, Snapshot, sellers

stripe = typer.Typer(help="Manage Stripe payments that are parked.", no_args_is_help=True)

Payments = Annotated[list[str], typer.Argument(help="Payments, from `parked`.")]


@stripe.command("backfill")
def stripe_backfill() -> None:
    """Import past payments from Stripe. Repeating the import, also beside webhooks, books nothing
    twice.
    """
    settings = read_settings()
    if settings.stripe.api_key is None:
        raise ConfigurationError("GATEWAY_STRIPE_API_KEY: is required to read payments.")
    outcomes = asyncio.run(_backfill(settings, settings.stripe.api_key.get_secret_value()))
    counted = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(outcomes.items()))
    typer.echo(counted or "Stripe has no payments.")


async def _backfill(settings: Settings, key: str) -> dict[str, int]:
    livemode, test_mode = "_live_" in key, _test_mode(settings)
    if not livemode and not test_mode:
        raise ConfigurationError(
            "GATEWAY_STRIPE_API_KEY: is a test mode key; set "
            "GATEWAY_STRIPE_TEST_MODE=1 to book test mode."
        )
    async with (
        _inbox(settings, test_mode=test_mode) as inbox,
        httpx.AsyncClient(base_url=settings.stripe.api_base, timeout=30) as client,
    ):
        with show_progress() as progress:
            report = reporter(progress, "Payments")
            outcomes = await backfill(inbox, Api(client, key), livemode=livemode, report=report)
        await inbox.record_backfill(outcomes, actor=operator())
        return outcomes


def _test_mode(settings: Settings) -> bool:
    dev = settings.environment == "dev"
    return dev if settings.stripe.test_mode is None else settings.stripe.test_mode


@asynccontextmanager
async def _inbox(settings: Settings, *, test_mode: bool) -> AsyncIterator[Inbox]:
    async with open_database(settings) as database:
        await require_seller(settings, database)
        yield Inbox(
            database,
            SystemClock(),
            test_mode=test_mode,
            usage_delay_seconds=settings.usage_delay_seconds,
        )


@stripe.command()
def parked() -> None:
    """Print each parked payment: id, events, amount, account, time and reason."""
    asyncio.run(_print_parked(read_settings()))


async def _print_parked(settings: Settings) -> None:
    async with open_database(settings) as database, Snapshot(database, operator()) as snapshot:
        async for each in parked_payments(snapshot):
            typer.echo(_line(each))


def _line(each: ParkedPayment) -> str:
    return "\t".join(
        [
            each.payment,
            ", ".join(each.types),
            each.amount or "no amount",
            each.owner or "no account",
            f"since {each.since.astimezone(UTC):%Y-%m-%d %H:%M}",
            each.reason,
        ]
    )


@stripe.command()
def retry(
    payments: Payments = [],  # noqa: B006  # Typer reads it and changes nothing
    every: Annotated[bool, typer.Option("--all", help="Every parked payment.")] = False,
) -> None:
    """Retry parked payments, and named ignored ones; exits with 1 if one is still parked."""
    if bool(payments) == every:
        raise BadUserInput("Name at least one payment, or use --all.")
    if asyncio.run(_retry(read_settings(), payments)):
        raise typer.Exit(1)


async def _retry(settings: Settings, payments: list[str]) -> int:
    """Return the number of payments still parked; without names, of all parked payments."""
    waiting, named = 0, bool(payments)
    async with _inbox(settings, test_mode=_test_mode(settings)) as inbox:
        for payment in payments or await inbox.waiting():
            try:
                reason = await inbox.retry(payment, actor=operator())
            except NotFound:
                if named:
                    raise
                reason = None  # a server applied it meanwhile
            waiting += reason is not None
            typer.echo(f"{payment}\t{'applied' if reason is None else f'still parked: {reason}'}")
    return waiting


@stripe.command()
def ignore(payments: Payments) -> None:
    """Ignore payments: they are no longer retried; `retry` undoes this."""
    asyncio.run(_ignore(read_settings(), payments))


async def _ignore(settings: Settings, payments: list[str]) -> None:
    async with _inbox(settings, test_mode=_test_mode(settings)) as inbox:
        for payment in payments:
            await inbox.ignore(payment, actor=operator())
            typer.echo(f"{payment}\tignored")


async def require_seller(settings: Settings, database: Database) -> None:
    """Make sure that a seller is stored before a command issues receipts: the stored one, or else
    the settings'. Raises ConfigurationError where there is neither.
    """
    async with Snapshot(database, operator()) as snapshot:
        if await sellers.newest_id(snapshot) is not None:
            return
    if problems := list(missing_seller(settings)):
        raise ConfigurationError("\n".join(problems))
    await keep_seller(database, read_seller(settings), SystemClock(), actor=operator())
