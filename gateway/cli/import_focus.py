"""`gateway import-focus`: imports a FOCUS cost file."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.messages import complain
from gateway.cli.migrate import migrate_database
from gateway.cli.progress import reporter, show_progress
from gateway.cli.resources import open_database, operator, read_settings
from gateway.exports.focus.imports.importer import import_focus
from gateway.exports.focus.imports.rows import FocusAccount, FocusCost
from gateway.settings import Settings


def import_focus_file(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV file, optionally gzipped.")
    ],
    cost: Annotated[
        FocusCost | None,
        typer.Option(help="The column to charge. Default: BilledCost."),
    ] = None,
    account_by: Annotated[
        FocusAccount, typer.Option(help="The column that identifies an account.")
    ] = FocusAccount.BILLING,
    project_tag: Annotated[
        str | None,
        typer.Option(help="Key of the tag that names a project. Default: the sub-account."),
    ] = None,
    owner: Annotated[str | None, typer.Option(help="Subject of the accounts' owner.")] = None,
    restate: Annotated[
        bool,
        typer.Option(
            "--restate",
            help="Correct charges of earlier files that this file lacks for the same accounts "
            "and period, and book new charges, in one transaction.",
        ),
    ] = False,
) -> None:
    """Import a FOCUS cost file, 1.0-preview to 1.2: checked whole, then booked in parts.

    The same file again changes nothing, and completes an import that broke off. A file that has
    more rows than the one before adds them; one that lacks some is refused without --restate.
    """
    asyncio.run(
        _import(
            read_settings(),
            file,
            cost=cost,
            account_by=account_by,
            project_tag=project_tag,
            owner=owner,
            restate=restate,
        )
    )


async def _import(settings: Settings, file: Path, **choices: Any) -> None:
    await migrate_database(settings)
    async with open_database(settings) as database:
        with show_progress() as progress:
            show = reporter(progress, file.name)
            try:
                report = await import_focus(
                    database,
                    file,
                    actor=operator(),
                    progress=lambda done: show(done, None),
                    **choices,
                )
            except BaseException as error:
                for note in getattr(error, "__notes__", ()):
                    complain(note)
                raise
    for line in report.lines():
        typer.echo(line)
