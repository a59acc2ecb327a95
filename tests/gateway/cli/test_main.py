"""What the command line says when something is wrong, as a script or cron hears it."""

import os
import re
import resource
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.progress import ProgressColumn
from rich.text import Text
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.cli.progress import show_progress
from gateway.errors import ConfigurationError
from tests.support.patience import PATIENCE_SECONDS
from tests.support.processes import GATEWAY

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(sqlite_database_url: str) -> Run:
    """Run a command on a database with one account; return its exit code and what it said on
    standard error.
    """
    made = CliRunner().invoke(
        app,
        ["account", "create", "acme", "--name", "Acme"],
        env={"GATEWAY_DATABASE_URL": sqlite_database_url},
    )
    assert made.exit_code == 0
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}

    def run(*arguments: str, **settings: str) -> tuple[int, str]:
        done = subprocess.run(
            [GATEWAY, *arguments],
            env=kept | {"GATEWAY_DATABASE_URL": sqlite_database_url} | settings,
            capture_output=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        return done.returncode, done.stderr.decode()

    return run


def test_a_sentence_is_one_line_as_it_is(run: Run) -> None:
    name = "[bold]:key: " + "customer " * 12 + "."
    said = f"No account has the external id {name}.\n"
    assert run("account", "show", name) == (1, said)


def test_long_work_is_silent_without_a_terminal(run: Run) -> None:
    assert run("doctor", FORCE_COLOR="1") == (0, "")


def test_progress_names_things_as_they_are_named() -> None:
    progress = show_progress()
    progress.add_task("[acme]")
    name = progress.columns[0]
    assert isinstance(name, ProgressColumn)
    assert name(progress.tasks[0]) == Text("[acme]", justify="left")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("--from", "yesterday"),
            "A date must be a day of the calendar, YYYY-MM-DD, such as 2026-11-01.\n",
        ),
        (
            ("--time-zone", "Mars"),
            "A time zone must be an IANA name such as Europe/Berlin or UTC.\n",
        ),
    ],
)
def test_a_wrong_argument_exits_with_2(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    assert run("export", "usage", "--account", "acme", *arguments) == (2, sentence)


def test_a_file_that_cannot_be_imported_exits_with_1(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "cost.csv"
    file.write_text("nothing\n")
    code, sentence = run("import-focus", str(file))
    assert (code, sentence.count("\n")) == (1, 1)


@pytest.mark.parametrize(
    "command",
    [
        "account create acme --name Acme",
        "account show acme",
        "account low-balance acme",
        "account put-member acme ada",
        "api-key create meter --scope usage:write",
        "api-key list",
        "api-key revoke bk",
        "doctor",
        "export usage --account acme",
        "export credit-purchases --account acme",
        "stripe-backfill",
        "stripe parked",
        "stripe retry --all",
        "stripe ignore pi_1",
    ],
)
def test_before_the_first_migration_a_sentence_asks_for_it(command: str, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "gateway.sqlite3"
    settings = {
        "GATEWAY_DATABASE_URL": f"sqlite:///{path}",
        "GATEWAY_STRIPE_API_KEY": "sk_live_1",
    }
    done = CliRunner().invoke(app, command.split(), env=settings)
    assert isinstance(done.exception, ConfigurationError)
    assert done.exception.message == f"There is no database at {path}: run `gateway migrate`."
    assert not path.parent.exists()


@pytest.mark.parametrize("command", [["migrate"], ["doctor"]])
def test_what_is_no_database_is_a_setting_that_is_wrong(
    run: Run, tmp_path: Path, command: list[str]
) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Not a database. " * 100)
    for wrong in (path, tmp_path):
        code, said = run(*command, GATEWAY_DATABASE_URL=f"sqlite:///{wrong}")
        assert (code, said.count("\n")) == (2, 1)
    assert path.read_text().startswith("Not a database.")


def test_a_postgres_that_is_away_is_told_without_its_password(run: Run) -> None:
    for url in (
        "postgresql://owner:secret@127.0.0.1:1/gateway",
        "postgres://owner@127.0.0.1:1/gateway?password=secret",
    ):
        code, said = run("migrate", GATEWAY_DATABASE_URL=url)
        assert (code, said.count("\n")) == (1, 1)
        assert said.startswith("The database gateway at 127.0.0.1:1 cannot be reached: ")


def test_a_file_that_is_not_migrated_is_a_setting_that_is_wrong(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "empty.sqlite3"
    path.touch()
    assert run("account", "show", "acme", GATEWAY_DATABASE_URL=f"sqlite:///{path}") == (
        2,
        "The database has not been migrated to this version: run `gateway migrate`.\n",
    )


def test_a_name_that_keys_have_already_is_a_warning(run: Run) -> None:
    create = ("api-key", "create", "meters", "--scope", "usage:write")
    assert run(*create) == (0, "")
    code, said = run(*create)
    assert code == 0
    assert re.fullmatch(r"Warning: There is already a key named meters: \w{12}\. .*\n", said)


def test_an_address_that_is_taken_exits_with_2(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = run("serve", "--dev", "--no-demo", GATEWAY_PORT=str(port))
    assert code == 2
    assert said == (
        f"The gateway cannot listen at 127.0.0.1, port {port} (GATEWAY_HOST, GATEWAY_PORT): "
        "Address already in use.\n"
    )


def test_an_incomplete_production_exits_with_2_at_once(run: Run) -> None:
    before = cpu_of_children()
    code, said = run("serve", GATEWAY_ALLOWED_HOSTS="*")
    assert code == 2
    assert {line.split(":")[0] for line in said.splitlines()} >= {
        "GATEWAY_JWT_ISSUER",
        "GATEWAY_ALLOWED_HOSTS",
    }
    assert cpu_of_children() - before < 5


def cpu_of_children() -> float:
    """Return the processor time of the processes that have ended, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_an_owner_who_names_nobody_that_serves_is_warned(run: Run, empty_postgres_url: str) -> None:
    owner = {"GATEWAY_MIGRATION_DATABASE_URL": empty_postgres_url}
    code, said = run("migrate", **owner, GATEWAY_DATABASE_URL="")
    assert (code, said.count("\n")) == (0, 1)
    assert said.startswith("Warning: GATEWAY_DATABASE_URL: is not set, so no runtime role was")
    assert run("migrate", **owner, GATEWAY_DATABASE_URL=empty_postgres_url) == (0, "")
