"""The code of the version before this one, from the repository's history."""

import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.documents import ROOT

MIGRATIONS: Final = "gateway/migrations/versions/"
PARTS: Final = ("gateway", "resolvers", "loaders", "tests/contract")


def previous_version(folder: Path) -> Path:
    """Write the code of the last release into a folder, or where none is tagged, the last code
    without the newest migration. Skips the test in a copy without history.
    """
    commit = next(_candidates(), None)
    if commit is None:
        pytest.skip("the history of this copy of the repository has no earlier version")
    packed = io.BytesIO(_git("archive", "--format=zip", commit, *PARTS))
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder)
    return folder


def program_of(folder: Path) -> tuple[str, ...]:
    """Return the command that runs the `gateway` of a folder with the packages of this process."""
    start = f"import sys; sys.path.insert(0, {str(folder)!r}); from gateway.cli.main import main; "
    return (sys.executable, "-P", "-c", start + "sys.exit(main())")


def _candidates() -> Iterator[str]:
    yield from _lines("describe", "--tags", "--abbrev=0", "--match=v[0-9]*", "HEAD^")
    newest = max(_numbers("HEAD"), default="")
    for commit in _lines("rev-list", "HEAD", "--", MIGRATIONS):
        before = _numbers(f"{commit}^")
        # Two that were written at the same time had one number for a while.
        if before and max(before) < newest and len(before) == len(set(before)):
            yield f"{commit}^"


def _numbers(commit: str) -> list[str]:
    names = _lines("ls-tree", "--name-only", commit, MIGRATIONS)
    return [found[1] for name in names if (found := re.search(r"/(\d{4})_\w+\.py$", name))]


def _lines(*arguments: str) -> list[str]:
    return _git(*arguments).decode().splitlines()


def _git(*arguments: str) -> bytes:
    """Return what git prints; nothing where it fails or is missing."""
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    except FileNotFoundError:
        return b""
    return done.stdout if done.returncode == 0 else b""
