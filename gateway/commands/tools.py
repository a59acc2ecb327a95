"""What the commands share: settings, a database, progress on standard error."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.settings import Settings, load_settings
from gateway.store import Database, connect

errors: Final = Console(stderr=True, highlight=False)

Report: TypeAlias = Callable[[int, int | None], None]
"""What long work calls with the steps that are done and all there are, where that is known."""


def read_settings(*, dev: bool = False) -> Settings:
    """Return the environment's settings; `dev` stands for `--dev`."""
    return load_settings(environment="dev") if dev else load_settings()


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """Lend the settings' database, closed at the end."""
    database = await connect(settings)
    try:
        yield database
    finally:
        await database.close()


def show_progress() -> Progress:
    """Return a bar for long work, gone when it is done."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
    )


def reporter(progress: Progress, name: str) -> Report:
    """Add a line to the progress and return what moves it."""
    task = progress.add_task(name, total=None)
    return lambda done, total: progress.update(task, completed=done, total=total)
