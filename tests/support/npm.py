"""Packages from npm, installed beside a lock file, and programs that run with them."""

import asyncio
import hashlib
import subprocess
import tempfile
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any, Final

import orjson

import hatch_build
from tests.support.alone import alone
from tests.support.patience import PATIENCE_SECONDS

NODE: Final = hatch_build.NODE / "bin" / "node"
CLIENTS: Final = Path(__file__).parent / "node_clients"


def installed(folder: Path) -> Path:
    """Return a folder with the packages of its lock file, which are installed once.

    Raises SystemExit where npm fails.
    """
    files = (folder / "package.json", folder / "package-lock.json")
    lock = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    stamp = folder / "node_modules" / ".installed-from"
    with alone(folder / "package.json"):
        if not stamp.exists() or stamp.read_text("utf-8") != lock:
            _install(folder)
            stamp.write_text(lock, "utf-8")
    return folder


def _install(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as home:
        ended = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder,
            env=hatch_build.environment(Path(home)),
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
    if ended.returncode:
        raise SystemExit(f"npm could not install {folder.name}:\n{ended.stdout}{ended.stderr}")


def version_of(folder: Path, package: str) -> str:
    """Return the installed version of a package."""
    found = orjson.loads((folder / "node_modules" / package / "package.json").read_bytes())
    return str(found["version"])


async def printed_by(script: str, *arguments: str) -> Any:
    """Run a script of `node_clients` and return the JSON that it prints."""
    folder = await asyncio.to_thread(installed, CLIENTS)
    process = await asyncio.create_subprocess_exec(
        NODE, folder / script, *arguments, stdout=PIPE, stderr=PIPE
    )
    try:
        output, complaint = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, complaint.decode()
    return orjson.loads(output)


def output_of(script: Path, *arguments: str, folder: Path) -> str:
    """Run a program of an installed package in a folder and return what it prints."""
    ended = subprocess.run(
        [NODE, script, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
