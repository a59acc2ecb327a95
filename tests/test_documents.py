"""Each command of the documents runs, in its order, and prints the answer that is shown.

A command stands in a block of `sh`, after a `$` above its print-out, or in a line of text. The
blocks are run here; ELSEWHERE says which test runs each other command, or why none does.
"""

import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from pydantic import SecretStr

from gateway.clock import SystemClock
from gateway.dev.demo.fill import fill
from gateway.principal import Permission
from gateway.settings import load_settings
from gateway.store import connect
from tests.support.document_exceptions import BY_THEMSELVES, ELSEWHERE, elsewhere, runnable_blocks
from tests.support.document_shell import VENV, Session, checkout, search_path, session
from tests.support.documents import (
    DOCUMENTS,
    ROOT,
    Block,
    blocks_of,
    matches,
    name_of,
    spans_of,
    transcripts_of,
)
from tests.support.postgres import OwnPostgres, own_postgres
from tests.support.processes import GatewayProcess, gateway_process

DEMO_DAYS: Final = 60

INTEGRATING: Final = ROOT / "docs/integrating.md"
INTEGRATOR: Final = runnable_blocks(INTEGRATING)
READER: Final = [
    block
    for path in DOCUMENTS
    if path != INTEGRATING and path.name not in BY_THEMSELVES
    for block in runnable_blocks(path)
]
"""The blocks of every other document, for a reader who has the demo."""


@pytest.fixture(scope="module")
def postgres() -> Iterator[OwnPostgres]:
    with own_postgres() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return checkout(tmp_path)


@pytest_asyncio.fixture
async def demo(sqlite_template: Path, folder: Path) -> AsyncIterator[GatewayProcess]:
    """The gateway of `make run`, with a shorter demo and without its meter."""
    data = folder / ".gateway"
    data.mkdir(mode=0o700)
    shutil.copyfile(sqlite_template, data / "gateway.sqlite3")
    url = f"sqlite:///{data / 'gateway.sqlite3'}"
    database = await connect(
        load_settings(environment="dev", database_url=SecretStr(url), data_dir=data)
    )
    await fill(database, clock=SystemClock(), days=DEMO_DAYS)
    await database.close()
    async with gateway_process(url, data) as gateway:
        yield gateway


async def test_the_documents_work_as_they_are_written(
    demo: GatewayProcess, folder: Path, postgres: OwnPostgres
) -> None:
    await demo.command("account", "create", "acme", "--name", "Acme")
    key = await demo.command("api-key", "create", "all", "--scope", Permission.BILLING_READ)
    (aurora,) = {
        line.split("\t")[0]
        for line in (await demo.command("account", "list")).splitlines()
        if "\tdemo-aurora\t" in line
    }
    owner = postgres.url.replace("@/postgres", "@/backup", 1)
    prelude = Block(
        document="prelude",
        line=0,
        text=f"""
            createdb --maintenance-db='{postgres.url}' backup
            export GATEWAY_MIGRATION_DATABASE_URL='{owner}'
            export GATEWAY_DATABASE_URL='{owner.replace("//postgres:", "//reader:")}'
            gateway migrate
            export URL={demo.url} KEY={key}
        """,
        answer="The database is up to date.",
    )
    blocks = [prelude, *(_here(each, demo, aurora) for each in READER)]
    path = search_path(VENV / "bin")
    async with session(blocks, folder, {}, path) as done:
        _check_shapes(blocks, done)


def _here(block: Block, demo: GatewayProcess, account: str) -> Block:
    """Return a block with the address and an account of the demo's gateway."""
    text = block.text.replace("http://127.0.0.1:8000", demo.url).replace("acct_…", account)
    return Block(document=block.document, line=block.line, text=text, answer=block.answer)


def _check_shapes(blocks: list[Block], done: Session) -> None:
    """Compare answers of the demo by their shape: its figures end today."""
    for block in blocks:
        if block.answer is not None and block.answer.startswith("{"):
            printed = json.loads(done.printed[block.name])
            assert shape(printed) == shape(json.loads(block.answer)), block.name
        elif block.answer is not None:
            assert matches(block.answer, done.printed[block.name]), block.name


def shape(value: Any) -> Any:
    """Return a value of JSON with kinds of texts and numbers in their places."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    if isinstance(value, str) and re.fullmatch(r"-?[\d.]+", value):
        return "decimal"
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d.*", value):
        return "date"
    return value if isinstance(value, str) else type(value).__name__


def test_settings_that_are_there_are_not_replaced(folder: Path) -> None:
    (block,) = (each.text for each in INTEGRATOR if ">gateway.env" in each.text)
    settings = folder / "gateway.env"
    command = ["bash", "-uc", block]
    values = dict.fromkeys(re.findall(r"\$\{?([A-Z_]+)", block), "any")
    environment = {"PATH": search_path(), **values}
    for wrong in (environment | {"JWKS_URL": ""}, environment):
        subprocess.run(command, cwd=folder, env=wrong, capture_output=True, check=False)
        assert settings.exists() == (wrong is environment)
    before = settings.read_text("utf-8")
    again = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    assert b"cannot overwrite" in again.stderr
    assert settings.read_text("utf-8") == before
    assert settings.stat().st_mode & 0o077 == 0


def test_files_of_secrets_are_in_no_commit_or_image() -> None:
    text = INTEGRATING.read_text("utf-8")
    written = {*re.findall(r">((?:docker/)?\w+\.env)\b", text), "docker/gateway.env"}
    assert written > {"gateway.env", "owner.env", "docker/production.env"}
    kept_out = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert {each for each in written if not {each, f"/{each}"} & {*kept_out}} == set()
    assert "**/*.env" in (ROOT / ".dockerignore").read_text("utf-8").splitlines()


@pytest.mark.parametrize(
    "target",
    [
        "run",
        "test",
        "check",
        "audit",
        "bench",
        "histories",
        "usage-queries",
        "soak",
        "lock",
        "clean",
    ],
)
def test_targets_can_be_made(target: str) -> None:
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def commands() -> list[tuple[str, str]]:
    """Return every command of the documents, with its document."""
    return [
        (name_of(path), command)
        for path in DOCUMENTS
        if path.name not in BY_THEMSELVES
        for command in [
            *(each for block in blocks_of(path) for each in block.commands),
            *transcripts_of(path),
            *spans_of(path),
        ]
    ]


def test_every_command_is_run_by_a_test() -> None:
    ran = [each for block in (*READER, *INTEGRATOR) for each in block.commands]
    # CI runs `make check`.
    makefile = (ROOT / "Makefile").read_text("utf-8")
    ran += re.findall(r"^\t(.*--check)$", makefile, re.MULTILINE)
    missing = [
        (document, command)
        for document, command in commands()
        if elsewhere(command) is None and not any(_is_of(command, each) for each in ran)
    ]
    assert missing == []


def _is_of(command: str, ran: str) -> bool:
    """Whether a command was run, or is named, by the words before what the reader fills in."""
    words = re.split(r" (?:[A-Z]{2,}|…|--|ID)", command)[0]
    return words in ran


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_a_document_of_examples_has_a_test_of_its_own(path: Path) -> None:
    assert path.name not in BY_THEMSELVES or (ROOT / BY_THEMSELVES[path.name]).exists()


def test_every_exception_is_still_there() -> None:
    printed = [command for _, command in commands()]
    stale = [each for each in ELSEWHERE if not any(one.startswith(each) for one in printed)]
    assert stale == []


@pytest.mark.parametrize(
    "reason", sorted({each for each in ELSEWHERE.values() if "tests/" in each})
)
def test_the_test_that_runs_a_command_is_there(reason: str) -> None:
    found = re.search(r"(tests/[\w/]+\.py)(?:::(\w+))?", reason)
    assert found
    text = (ROOT / found[1]).read_text("utf-8")
    assert f"def {found[2]}(" in text if found[2] else "def test_" in text
