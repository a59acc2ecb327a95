"""`gateway doctor`: compares every stored figure with the facts."""

import asyncio
from contextlib import aclosing
from typing import Annotated, Final

import typer

from gateway.billing.reconciliation.accounts import reconcile_account
from gateway.cli.messages import counted
from gateway.cli.progress import reporter, show_progress
from gateway.cli.resources import open_database, operator, read_settings
from gateway.errors import NotFound
from gateway.settings import Settings
from gateway.store import reconciliation

MAX_PRINTED: Final = 1_000
"""Most differences printed one by one; of the rest, only the number is printed."""


def doctor(
    account: Annotated[
        str | None,
        typer.Option(help="External id of the account to check. Default: every account."),
    ] = None,
) -> None:
    """Recompute balances, receipts, statements, roll-ups and blocks of usage from the facts.

    It prints each difference, and exits with 1 if there is any.

    It reads one snapshot and writes nothing, also while the gateway serves. Amounts are nanos.
    """
    accounts, differences = asyncio.run(_doctor(read_settings(), account))
    place = counted(accounts, "account")
    if differences:
        typer.echo(f"{counted(differences, 'difference')} in {place}.")
        raise typer.Exit(1)
    typer.echo(f"No difference in {place}.")


async def _doctor(settings: Settings, external_id: str | None) -> tuple[int, int]:
    """Print the differences; return the number of accounts checked and of differences."""
    differences = 0
    async with (
        open_database(settings) as database,
        database.exporting(operator(), unlimited=True) as stream,
    ):
        accounts = await reconciliation.accounts.accounts(stream)
        if external_id is not None:
            accounts = [each for each in accounts if each["external_id"] == external_id]
            if not accounts:
                raise NotFound("Account not found.")
        with show_progress() as progress:
            report = reporter(progress, "Accounts")
            for done, account in enumerate(accounts):
                report(done, len(accounts))
                async with aclosing(reconcile_account(stream, account)) as found:
                    async for difference in found:
                        differences += 1
                        if differences <= MAX_PRINTED:
                            typer.echo(str(difference))
    return len(accounts), differences
