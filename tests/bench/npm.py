"""Peers on Node: their packages are installed into a temporary folder, by their lock file."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def installed(source: Path) -> Iterator[Path | None]:
    """Lend a copy of a peer's folder with its packages; None where npm is missing."""
    if shutil.which("npm") is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "peer"
        shutil.copytree(source, folder)
        command = ["npm", "ci", "--ignore-scripts", "--silent"]
        subprocess.run(command, cwd=folder, check=True)
        yield folder
