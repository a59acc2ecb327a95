"""`gateway jobs`: failed jobs with their reasons, tried again or dropped."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.jobs import jobs
from gateway.errors import BadUserInput, Conflict, GatewayError, NotFound
from gateway.settings import Settings
from gateway.store import Database, connect
from gateway.work.jobs import Unrecoverable
from tests.support.books import Books
from tests.support.jobs import NOTE, Notes, defer, eventually, stored, worker

Run = Callable[..., Result]
Prepare = Callable[[Callable[[Database], Coroutine[Any, Any, None]]], None]


@pytest.fixture
def run(sqlite_database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("GATEWAY_DATABASE_URL", sqlite_database_url)
    return lambda *arguments: CliRunner().invoke(jobs, arguments)


@pytest.fixture
def prepare(run: Run) -> Prepare:
    """Has something done with the database of the commands."""

    async def prepare(steps: Callable[[Database], Coroutine[Any, Any, None]]) -> None:
        database = await connect(Settings())
        await steps(database)
        await database.close()

    return lambda steps: asyncio.run(prepare(steps))


async def bury(database: Database) -> None:
    """Leave a dead job of an account, and one that failed once and waits."""
    account_id = await Books(database).account("acme")
    notes = Notes(
        failing={"dead": Unrecoverable("No such address."), "fails": GatewayError("Not now.")}
    )
    await defer(database, "dead", account_id=account_id)
    await defer(database, "fails", "secret")
    running = worker(database, notes.tasks())
    async with running.running():
        await eventually(lambda: sum(running.finished.values()) == 3)


def test_jobs_are_listed_with_why_they_failed(run: Run, prepare: Prepare) -> None:
    prepare(bury)
    lines = [line.split("\t") for line in run("list").output.splitlines()]
    dead, waits = sorted(lines, key=lambda line: line[3])
    assert dead[1:] == ["test.note", "acme", "dead", "1 attempt", "never due", "No such address."]
    assert waits[1:5] == ["test.note", "no account", "waiting", "1 attempt"]
    assert waits[6] == "Not now."
    assert run("list", "--state", "dead").output.splitlines() == ["\t".join(dead)]
    assert "text" not in run("list").output


def test_a_dead_job_is_tried_again(run: Run, prepare: Prepare) -> None:
    prepare(bury)
    (dead,) = (line.split("\t")[0] for line in run("list", "--state", "dead").output.splitlines())
    assert run("retry", dead).output == f"{dead}\tdue now\n"
    assert run("list", "--state", "dead").output == ""
    notes = Notes()

    async def work(database: Database) -> None:
        async with worker(database, notes.tasks()).running():
            await eventually(lambda: notes.texts == ["dead"])

    prepare(work)
    assert [job.attempt for job in notes.ran] == [1]


@pytest.mark.parametrize("command", ["retry", "drop"])
def test_every_dead_job_is_changed_with_all(run: Run, prepare: Prepare, command: str) -> None:
    prepare(bury)
    assert run(command, "--all").exit_code == 0
    assert run("list", "--state", "dead").output == ""
    assert len(run("list").output.splitlines()) == {"retry": 2, "drop": 1}[command]
    assert run(command, "--all").output == ""


def test_a_running_job_is_left_alone(run: Run, prepare: Prepare) -> None:
    async def refused(database: Database) -> None:
        notes = Notes(until={"long": asyncio.Event()})
        await defer(database, "long")
        async with worker(database, notes.tasks(), grace_seconds=0).running():
            await notes.begun("long")
            (row,) = await stored(database)
            for command in ("retry", "drop"):
                done = await asyncio.to_thread(run, command, str(row["id"]))
                assert isinstance(done.exception, Conflict)
                assert "is running" in done.exception.message
            listed = await asyncio.to_thread(run, "list")
            assert f"by {row['worker']}" in listed.output

    prepare(refused)


def test_a_job_with_a_successor_is_not_tried_again(run: Run, prepare: Prepare) -> None:
    async def succeed(database: Database) -> None:
        notes = Notes(failing={"1": Unrecoverable("No.")})
        await defer(database, "1", queueing_lock="acme")
        running = worker(database, notes.tasks())
        async with running.running():
            await eventually(lambda: running.finished.get((NOTE.name, "dead")) == 1)
        await defer(database, "2", queueing_lock="acme")

    prepare(succeed)
    dead = run("list", "--state", "dead").output.split("\t")[0]
    assert isinstance(error := run("retry", dead).exception, Conflict)
    assert "Drop it" in error.message
    assert run("drop", dead).exit_code == 0


def test_missing_and_unnamed_jobs_are_errors(run: Run) -> None:
    assert isinstance(run("retry", "7").exception, NotFound)
    assert isinstance(run("drop", "7").exception, NotFound)
    assert isinstance(run("drop").exception, BadUserInput)
    assert isinstance(run("retry", "7", "--all").exception, BadUserInput)
    assert run("list").output == ""
