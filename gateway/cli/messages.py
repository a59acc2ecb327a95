"""The messages of commands on standard error."""

from typing import Final, NoReturn

import typer
from rich.console import Console

# Names that people chose are printed as they are, also with colons: no emoji.
errors: Final = Console(stderr=True, highlight=False, emoji=False)


def complain(message: str) -> None:
    """Print to standard error without wrapping, for logs and scripts."""
    errors.print(message, markup=False, soft_wrap=True)


def fail(message: str) -> NoReturn:
    """Print to standard error and end the command with exit code 1."""
    complain(message)
    raise typer.Exit(1)


def counted(number: int, thing: str) -> str:
    """Return a count with its noun: `1 account`, `2,000 accounts`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
