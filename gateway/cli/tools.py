"""What the commands share: settings, a database, progress on standard error."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.errors import ConfigurationError
from gateway.migrations import head, is_at
from gateway.settings import SETTINGS, Settings, load_settings
from gateway.settings.environment import unknown_variables
from gateway.store import Database, Snapshot, connect

# What people named is printed as it is, also where it has colons: no emoji.
errors: Final = Console(stderr=True, highlight=False, emoji=False)

Report: TypeAlias = Callable[[int, int | None], None]
"""What long work calls with the steps that are done and all there are, where that is known."""


def read_settings(*, dev: bool = False) -> Settings:
    """Return the environment's settings; `dev` stands for `--dev`. Warns of unknown variables."""
    for warning in unknown_variables(SETTINGS):
        complain(f"Warning: {warning}")
    return load_settings(environment="dev") if dev else load_settings()


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """Lend the settings' database, closed at the end; raises ConfigurationError where it is not
    migrated.
    """
    database = await connect(settings)
    try:
        async with Snapshot(database) as snapshot:
            if not await is_at(snapshot, head()):
                raise ConfigurationError(
                    "The database has not been migrated to this version: run `gateway migrate`."
                )
        yield database
    finally:
        await database.close()


def counted(number: int, thing: str) -> str:
    """Return a number of things in words: `1 account`, `2,000 accounts`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def complain(message: str) -> None:
    """Print to standard error as it is, a sentence on one line: logs and scripts read it too."""
    errors.print(message, markup=False, soft_wrap=True)


def show_progress() -> Progress:
    """Return a bar for long work, gone when it is done; without a terminal, nothing at all: cron
    sends what is said as mail.
    """
    return Progress(
        # What people named may look like markup.
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def reporter(progress: Progress, name: str) -> Report:
    """Add a line to the progress and return what moves it."""
    task = progress.add_task(name, total=None)
    return lambda done, total: progress.update(task, completed=done, total=total)
