"""`gateway jobs`: work that waits, runs or is dead."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import Annotated, Final, TypeAlias

import typer

from gateway.audit.deeds import Act, Deed, record
from gateway.cli.messages import counted
from gateway.cli.resources import open_database, operator, read_settings
from gateway.clock import SystemClock
from gateway.errors import BadUserInput, Conflict, NotFound
from gateway.models import JobState
from gateway.settings import Settings
from gateway.store import Database, Snapshot, Transaction, job_control
from gateway.store.job_control import ListedJob

jobs = typer.Typer(help="Manage durable jobs: list, retry, drop.", no_args_is_help=True)

Ids = Annotated[list[int], typer.Argument(help="Ids of jobs, from `list`.")]
Every = Annotated[bool, typer.Option("--all", help="Every dead job.")]
Change: TypeAlias = Callable[[Transaction, int], Awaitable[bool]]

RUNS: Final = "Job {id} is running: wait for its end, or for the end of its lease."
REPLACED: Final = "Job {id} is not needed: another one waits for the same queueing lock. Drop it."


@jobs.command("list")
def print_jobs(
    state: Annotated[
        JobState | None,
        typer.Option(case_sensitive=False, help="Only jobs in this state. Default: all."),
    ] = None,
) -> None:
    """Print each job: id, task, account, state, attempts, due time and reason of failure."""
    asyncio.run(_print(read_settings(), [state] if state else list(JobState)))


async def _print(settings: Settings, states: Collection[JobState]) -> None:
    async with open_database(settings) as database:
        async for each in _every(database, states):
            typer.echo(_line(each))


async def _every(database: Database, states: Collection[JobState]) -> AsyncIterator[ListedJob]:
    after = 0
    async with Snapshot(database, operator()) as snapshot:
        while page := await job_control.listed(snapshot, states=states, after=after):
            for each in page:
                yield each
            after = page[-1].id


def _line(each: ListedJob) -> str:
    due = f"{each.due_at:%Y-%m-%d %H:%M:%S}"
    when = {
        JobState.WAITING: f"due {due}",
        JobState.RUNNING: f"held until {due} by {each.worker}",
        JobState.DEAD: "never due",
    }
    return "\t".join(
        [
            str(each.id),
            each.task,
            each.account or "no account",
            each.state.value.lower(),
            counted(each.attempts, "attempt"),
            when[each.state],
            each.reason or "no failure",
        ]
    )


@jobs.command()
def retry(
    ids: Ids = [],  # noqa: B006  # Typer reads it and changes nothing
    every: Every = False,
) -> None:
    """Make jobs due now, with all attempts left."""
    _change(ids, job_control.retry, Deed.JOB_RETRIED, every=every, done="due now")


@jobs.command()
def drop(
    ids: Ids = [],  # noqa: B006  # Typer reads it and changes nothing
    every: Every = False,
) -> None:
    """Delete jobs without running them."""
    _change(ids, job_control.drop, Deed.JOB_DROPPED, every=every, done="dropped")


def _change(ids: list[int], change: Change, deed: Deed, *, every: bool, done: str) -> None:
    if bool(ids) == every:
        raise BadUserInput("Name at least one job, or use --all.")
    asyncio.run(_change_each(read_settings(), ids, change, deed, done))


async def _change_each(
    settings: Settings, ids: list[int], change: Change, deed: Deed, done: str
) -> None:
    async with open_database(settings) as database:
        dead = [each.id async for each in _every(database, [JobState.DEAD])] if not ids else []
        for job_id in ids or dead:
            async with database.writing(operator()) as transaction:
                if not await change(transaction, job_id):
                    await _explain(transaction, job_id)
                act = Act(deed, target=str(job_id))
                await record(transaction, operator(), [act], clock=SystemClock())
            typer.echo(f"{job_id}\t{done}")


async def _explain(transaction: Transaction, job_id: int) -> None:
    """Raise the reason why a job could not be changed."""
    match await job_control.state(transaction, job_id):
        case None:
            raise NotFound(f"There is no job {job_id}.")
        case JobState.RUNNING:
            raise Conflict(RUNS.format(id=job_id))
        case _:
            raise Conflict(REPLACED.format(id=job_id))
