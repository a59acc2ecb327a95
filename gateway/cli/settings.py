"""`gateway settings`: prints every setting."""

from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.cli.messages import fail
from gateway.settings.table import settings_page

SETTINGS_FILE: Final = Path("docs/settings.md")


def settings(
    check: Annotated[
        bool, typer.Option("--check", help="Only check whether docs/settings.md is up to date.")
    ] = False,
) -> None:
    """Print every setting and limit as Markdown, for docs/settings.md."""
    page = settings_page()
    if not check:
        typer.echo(page, nl=False)
    elif not SETTINGS_FILE.exists() or SETTINGS_FILE.read_text("utf-8") != page:
        fail(f"{SETTINGS_FILE} is not what the code says: gateway settings > {SETTINGS_FILE}")
