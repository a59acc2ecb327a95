"""The output of a command: standard output, a file that is written whole or not at all, or a
device.
"""

import asyncio
import os
import secrets
import signal
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Final

import typer

from gateway.errors import BadUserInput, GatewayError

STANDARD_OUTPUT: Final = 1


@contextmanager
def open_output(output: Path | None, name: str) -> Iterator[IO[bytes]]:
    """Yield the output file of the running task; in a directory, a file called `name`.

    A file gets its name when it is whole, and only then; a link to it stays one. What is no file,
    such as a pipe or a device, is written to as it stands. Raises BadUserInput where nothing can be
    opened there, GatewayError where it cannot be written to the end.
    """
    with _errors_of(output, GatewayError), ExitStack() as stack:
        with _errors_of(output, BadUserInput):
            file = stack.enter_context(_open(output, name))
        yield file


@contextmanager
def _errors_of(output: Path | None, kind: type[GatewayError]) -> Iterator[None]:
    """Raise the system's error of the output as one sentence."""
    try:
        yield
    except BrokenPipeError:
        raise  # the reader has enough, as `head` has: Typer ends without a word
    except OSError as error:
        target = output or "Standard output"
        raise kind(f"{target} cannot be written: {error.strerror or error}.") from error


@contextmanager
def _open(output: Path | None, name: str) -> Iterator[IO[bytes]]:
    path = output / name if output and output.is_dir() else output
    found = None if path is None else _stat(path)
    if path is None or (found and _is_standard_output(found)):
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif found and not stat.S_ISREG(found.st_mode):
        with path.open("wb") as file:
            yield file
    else:
        with _replacing(path.resolve(), found) as file:
            yield file


def _stat(path: Path) -> os.stat_result | None:
    """Return the status of the file at a path, with links followed; None where no file exists."""
    with suppress(FileNotFoundError):
        return path.stat()
    return None


def _is_standard_output(found: os.stat_result) -> bool:
    """Tell by the file: /dev/stdout leads to whatever the shell opened, and may be a file that
    others write to as well.
    """
    with suppress(OSError):  # it may be closed
        return os.path.samestat(found, os.fstat(STANDARD_OUTPUT))
    return False


@contextmanager
def _replacing(path: Path, found: os.stat_result | None) -> Iterator[IO[bytes]]:
    """Yield a draft that replaces the path at the end, with the mode of the existing file."""
    # The draft has a name of its own, because the file's may have the maximum length. It is opened
    # like any file, so that the umask and the folder determine its mode.
    draft = path.with_name(f".export-{secrets.token_hex(8)}.part")
    with _cancelled_by_sigterm(), draft.open("xb") as file:
        try:
            if found:
                os.fchmod(file.fileno(), stat.S_IMODE(found.st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


@contextmanager
def _cancelled_by_sigterm() -> Iterator[None]:
    """Let SIGTERM cancel the running task like Ctrl-C, so that the task cleans up; the exit code is
    that of a killed process. Outside, SIGTERM ends the process at once: a write to a pipe may
    block.
    """
    # Only the main thread receives signals.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    came = False

    def cancel() -> None:
        nonlocal came
        came = True
        if task:
            task.cancel()

    loop.add_signal_handler(signal.SIGTERM, cancel)
    try:
        yield
    except asyncio.CancelledError:
        if came:
            raise typer.Exit(128 + signal.SIGTERM) from None
        raise
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
