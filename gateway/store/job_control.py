"""Operators' view of jobs: count, list, retry and drop."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypedDict

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    bindparam,
    case,
    delete,
    func,
    not_,
    select,
    update,
)
from sqlalchemy.sql import ClauseElement

from gateway.models import Account, JobState, table_of
from gateway.models.base import Instant
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.now import NOW
from gateway.store.engine.parameters import any_of
from gateway.store.engine.sql import DialectName
from gateway.store.engine.statement import Statement, microseconds
from gateway.store.jobs import HAS_TWIN, IS_DUE, JOB, in_state

PAGE: Final = 500
_ACCOUNT: Final = table_of(Account)
_ID: Final = JOB.c.id == bindparam("job_id", type_=BigInteger())


class ListedJob(NamedTuple):
    """A job as an operator sees it; `account` is its account's external id."""

    id: int
    account: str | None
    task: str
    state: JobState
    attempts: int
    due_at: datetime
    worker: str | None
    reason: str | None


class JobFigures(NamedTuple):
    """Numbers of jobs, and for how long the oldest due one has been due."""

    due: int
    running: int
    dead: int
    oldest_due_seconds: int


class _Listed(TypedDict):
    id: int
    account: str | None
    task: str
    state: str
    attempts: int
    due_at: datetime
    worker: str | None
    reason: str | None


class _Counts(TypedDict):
    due: int
    running: int
    dead: int
    age: int | None


class _State(TypedDict):
    state: str


class _JobId(TypedDict):
    id: int


def _figures(dialect: DialectName) -> ClauseElement:
    def count(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count(case((condition, 1)))

    oldest = func.min(case((IS_DUE, JOB.c.due_at)), type_=Instant())
    return select(
        count(IS_DUE).label("due"),
        count(in_state(JobState.RUNNING)).label("running"),
        count(in_state(JobState.DEAD)).label("dead"),
        (microseconds(NOW, dialect) - microseconds(oldest, dialect)).label("age"),
    )


_FIGURES: Final = Statement[_Counts](_figures)
_LIST: Final = Statement[_Listed](
    select(
        JOB.c.id,
        _ACCOUNT.c.external_id.label("account"),
        JOB.c.task,
        JOB.c.state,
        JOB.c.attempts,
        JOB.c.due_at,
        JOB.c.worker,
        JOB.c.reason,
    )
    .join_from(JOB, _ACCOUNT, _ACCOUNT.c.account_id == JOB.c.account_id, isouter=True)
    .where(JOB.c.id > bindparam("after", type_=BigInteger()), any_of(JOB.c.state, "states"))
    .order_by(JOB.c.id)
    .limit(bindparam("most", type_=Integer()))
)
_STATE: Final = Statement[_State](select(JOB.c.state).where(_ID))
_RETRY: Final = Statement[_JobId](
    update(JOB)
    .where(_ID, not_(in_state(JobState.RUNNING)), not_(HAS_TWIN))
    .values(state=JobState.WAITING.value, attempts=0, due_at=NOW)
    .returning(JOB.c.id)
)
_DROP: Final = Statement[_JobId](
    delete(JOB).where(_ID, not_(in_state(JobState.RUNNING))).returning(JOB.c.id)
)


async def figures(reader: Reader) -> JobFigures:
    """Count the jobs."""
    (row,) = await reader.fetch(_FIGURES)
    return JobFigures(row["due"], row["running"], row["dead"], max(0, row["age"] or 0) // 1_000_000)


async def listed(
    reader: Reader, *, states: Collection[JobState], after: int = 0
) -> Sequence[ListedJob]:
    """Return at most `PAGE` jobs in these states with an id above `after`, by id."""
    rows = await reader.fetch(
        _LIST, states=sorted(state.value for state in states), after=after, most=PAGE
    )
    return [
        ListedJob(
            id=row["id"],
            account=row["account"],
            task=row["task"],
            state=JobState(row["state"]),
            attempts=row["attempts"],
            due_at=row["due_at"],
            worker=row["worker"],
            reason=row["reason"],
        )
        for row in rows
    ]


async def state(reader: Reader, job_id: int) -> JobState | None:
    """Return a job's state, None where there is no such job."""
    rows = await reader.fetch(_STATE, job_id=job_id)
    return JobState(rows[0]["state"]) if rows else None


async def retry(transaction: Transaction, job_id: int) -> bool:
    """Make a job that does not run due now, with all of its attempts; False where the job runs or
    does not exist, or another job waits for the same queueing lock.
    """
    return bool(await transaction.fetch(_RETRY, job_id=job_id))


async def drop(transaction: Transaction, job_id: int) -> bool:
    """Delete a job that does not run; False where the job runs or does not exist."""
    return bool(await transaction.fetch(_DROP, job_id=job_id))
