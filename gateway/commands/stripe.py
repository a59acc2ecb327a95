"""`gateway stripe-backfill`."""

import asyncio

import httpx
import typer

from gateway.clock import SystemClock
from gateway.commands.tools import open_database, read_settings, reporter, show_progress
from gateway.errors import ConfigurationError
from gateway.providers.stripe.backfill import Api, backfill
from gateway.providers.stripe.inbox import Inbox
from gateway.settings import Settings
from gateway.start import require_seller


def stripe_backfill() -> None:
    """Read past payments from Stripe; again, or beside webhooks: nothing is booked twice."""
    settings = read_settings()
    if settings.stripe_api_key is None:
        raise ConfigurationError("GATEWAY_STRIPE_API_KEY: is needed to read payments.")
    outcomes = asyncio.run(_backfill(settings, settings.stripe_api_key.get_secret_value()))
    counted = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(outcomes.items()))
    typer.echo(counted or "Stripe has no payments.")


async def _backfill(settings: Settings, key: str) -> dict[str, int]:
    dev, livemode = settings.environment == "dev", "_live_" in key
    test_mode = dev if settings.stripe_test_mode is None else settings.stripe_test_mode
    if not livemode and not test_mode:
        raise ConfigurationError("GATEWAY_STRIPE_API_KEY: is of test mode, which is not booked.")
    async with (
        open_database(settings) as database,
        httpx.AsyncClient(base_url=settings.stripe_api_base, timeout=30) as client,
    ):
        await require_seller(settings, database)
        inbox = Inbox(
            lambda: database,
            SystemClock(),
            test_mode=test_mode,
            usage_delay_seconds=settings.usage_delay_seconds,
        )
        with show_progress() as progress:
            report = reporter(progress, "Payments")
            return await backfill(inbox, Api(client, key), livemode=livemode, report=report)
