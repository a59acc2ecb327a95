"""Progress of long work, on standard error."""

import sys
from collections.abc import Callable
from typing import TypeAlias

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.cli.messages import errors

Report: TypeAlias = Callable[[int, int | None], None]
"""Called by long work with the steps that are done and, where known, the number of all steps."""


def show_progress() -> Progress:
    """Return a progress bar that disappears when done; without a terminal, print nothing: cron
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
    """Add a line to the progress and return a function that updates the line."""
    task = progress.add_task(name, total=None)
    return lambda done, total: progress.update(task, completed=done, total=total)
