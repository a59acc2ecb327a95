"""`gateway row-security`: Postgres's own check of who sees and writes which rows."""

import asyncio
from enum import StrEnum
from typing import Annotated

import typer

from gateway.cli.messages import counted
from gateway.cli.resources import read_settings
from gateway.errors import BadUserInput
from gateway.migrations import switch_row_security
from gateway.settings import Settings
from gateway.store.engine.databases import database_url


class Switch(StrEnum):
    ON = "on"
    OFF = "off"


def row_security(
    switch: Annotated[
        Switch | None,
        typer.Argument(help="`on` or `off`. Default: change nothing, print each table's state."),
    ] = None,
) -> None:
    """Turn row-level security of Postgres on or off, as the owner of the tables.

    Turn it on when no process of an earlier version runs that has no such command: to it, every
    account looks empty. Turn it off before going back to such a version.
    """
    settings = read_settings()
    found = asyncio.run(switch_row_security(_owner_url(settings), on=_wanted(switch)))
    for each in found if switch is None else ():
        typer.echo(f"{each.table}\t{'on' if each.is_enforced else 'off'}")
    if switch is not None:
        typer.echo(f"Row-level security is {switch} for {counted(len(found), 'table')}.")


def _wanted(switch: Switch | None) -> bool | None:
    return None if switch is None else switch is Switch.ON


def _owner_url(settings: Settings) -> str:
    owner = settings.database.migration_url
    url = owner.get_secret_value() if owner else database_url(settings)
    if url.startswith("sqlite"):
        raise BadUserInput("SQLite has no row-level security.")
    return url
