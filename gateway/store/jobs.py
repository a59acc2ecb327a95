"""Jobs: deferred in a transaction, taken under a lease, finished, and listed.

All times are the database's own, so that replicas with different clocks agree on when a lease ends.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple, TypedDict

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    String,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ClauseElement

from gateway.models import Job, JobState, table_of
from gateway.models.job import PERIODIC, WAITING
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.now import NOW, now_and
from gateway.store.engine.parameters import any_of, batch, keys
from gateway.store.engine.sql import DialectName
from gateway.store.engine.statement import Statement, microseconds

JOB: Final = table_of(Job)
REASON_LENGTH: Final = 500
_OTHER: Final = JOB.alias("other")


class NewJob(NamedTuple):
    """A job as it is deferred. It is due `delay_milliseconds` after the insert."""

    id: int
    account_id: int | None
    queue: str
    task: str
    payload: str
    lock: str | None
    queueing_lock: str | None
    delay_milliseconds: int


class TakenJob(NamedTuple):
    """A job that this process runs while its lease lasts; `attempt` counts from 1."""

    id: int
    account_id: int | None
    task: str
    payload: str
    is_periodic: bool
    attempt: int
    lease: int


class Lease(NamedTuple):
    """A worker's lease of a job: the right to run the job and to record its end."""

    id: int
    lease: int


class _Taken(TypedDict):
    id: int
    account_id: int | None
    task: str
    payload: str
    is_periodic: bool
    attempt: int
    lease: int


class _Due(TypedDict):
    queue: str
    wait: int | None


class _Id(TypedDict):
    id: int


def in_state(state: JobState, job: FromClause = JOB) -> ColumnElement[bool]:
    """Return a condition that the partial indexes fit: their values are no parameters."""
    return job.c.state == literal_column(f"'{state.value}'")


def is_alive(job: FromClause = JOB) -> ColumnElement[bool]:
    return job.c.state != literal_column(f"'{JobState.DEAD.value}'")


IS_DUE: Final = and_(is_alive(), JOB.c.due_at <= NOW)
_HELD: Final = and_(
    JOB.c.id == bindparam("job_id", type_=BigInteger()),
    JOB.c.lease == bindparam("held", type_=BigInteger()),
)
# Another job that waits for the same queueing lock does the same work.
HAS_TWIN: Final = exists(
    select(_OTHER.c.id).where(
        _OTHER.c.queueing_lock == JOB.c.queueing_lock,
        in_state(JobState.WAITING, _OTHER),
        _OTHER.c.id != JOB.c.id,
    )
)
# Of a lock's jobs one runs at a time, in the order in which they were deferred.
_IS_LOCKED: Final = exists(
    select(_OTHER.c.id).where(
        _OTHER.c.lock == JOB.c.lock,
        _OTHER.c.id != JOB.c.id,
        is_alive(_OTHER),
        or_(in_state(JobState.RUNNING, _OTHER), _OTHER.c.id < JOB.c.id),
    )
)


def _insert(dialect: DialectName, *, is_periodic: bool) -> postgresql.Insert | sqlite.Insert:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    bound = ("id", "account_id", "queue", "task", "payload", "lock", "queueing_lock")
    parameters = {name: bindparam(name, type_=JOB.c[name].type) for name in bound}
    return insert(JOB).values(
        **parameters,
        state=JobState.WAITING.value,
        due_at=now_and("delay_milliseconds"),
        attempts=0,
        created_at=NOW,
        is_periodic=is_periodic,
    )


def _defer(dialect: DialectName) -> ClauseElement:
    """A job of the same queueing lock that waits is changed and not only found: its row stays
    locked until the transaction ends, so no worker takes it before it can see the changes.
    """
    insert = _insert(dialect, is_periodic=False)
    earlier = func.least if dialect == "postgresql" else func.min
    return insert.on_conflict_do_update(
        index_elements=["queueing_lock"],
        index_where=WAITING,
        set_={
            "payload": insert.excluded.payload,
            "due_at": earlier(JOB.c.due_at, insert.excluded.due_at),
        },
    )


def _ensure_periodic(dialect: DialectName) -> ClauseElement:
    insert = _insert(dialect, is_periodic=True)
    latest = now_and("pause_milliseconds")
    return insert.on_conflict_do_update(
        index_elements=["task"],
        index_where=PERIODIC,
        set_={
            "queue": insert.excluded.queue,
            "due_at": case((JOB.c.due_at > latest, latest), else_=JOB.c.due_at),
        },
        where=and_(
            in_state(JobState.WAITING),
            or_(JOB.c.due_at > latest, JOB.c.queue != insert.excluded.queue),
        ),
    )


def _next_due(dialect: DialectName) -> ClauseElement:
    queues = keys("queues", String())
    first = (
        select(JOB.c.due_at)
        .where(
            JOB.c.queue == queues.c.value,
            is_alive(),
            any_of(JOB.c.task, "tasks"),
        )
        .order_by(JOB.c.due_at)
        .limit(1)
        .correlate(queues)
        .scalar_subquery()
    )
    found = select(queues.c.value.label("queue"), first.label("due_at")).subquery("found")
    wait = microseconds(found.c.due_at, dialect) - microseconds(NOW, dialect)
    return select(found.c.queue, wait.label("wait"))


def _take(dialect: DialectName) -> ClauseElement:
    due = (
        select(JOB.c.id)
        .where(
            JOB.c.queue == bindparam("of_queue", type_=String()),
            any_of(JOB.c.task, "tasks"),
            IS_DUE,
            or_(JOB.c.lock.is_(None), not_(_IS_LOCKED)),
        )
        .order_by(JOB.c.due_at)
        .limit(bindparam("most", type_=Integer()))
    )
    if dialect == "postgresql":
        # Materialized, because Postgres may run a subquery with a limit more than once.
        locked = due.with_for_update(skip_locked=True).cte("due").prefix_with("MATERIALIZED")
        is_taken = JOB.c.id.in_(select(locked.c.id))
    else:
        is_taken = JOB.c.id.in_(due)
    return (
        update(JOB)
        .where(is_taken)
        .values(
            state=JobState.RUNNING.value,
            lease=bindparam("new_lease", type_=BigInteger()),
            worker=bindparam("of_worker", type_=String()),
            attempts=JOB.c.attempts + 1,
            due_at=now_and("lease_milliseconds"),
            taken_at=NOW,
        )
        .returning(
            JOB.c.id,
            JOB.c.account_id,
            JOB.c.task,
            JOB.c.payload,
            JOB.c.is_periodic,
            JOB.c.attempts.label("attempt"),
            JOB.c.lease,
        )
    )


def _renew(dialect: DialectName) -> ClauseElement:
    held = batch(dialect, job_id=BigInteger(), held=BigInteger())
    return (
        update(JOB)
        .where(JOB.c.id == held.c.job_id, JOB.c.lease == held.c.held)
        .values(due_at=now_and("lease_milliseconds"))
        .returning(JOB.c.id)
    )


_DEFER: Final = Statement[None](_defer)
_ENSURE_PERIODIC: Final = Statement[None](_ensure_periodic)
_NEXT_DUE: Final = Statement[_Due](_next_due)
_TAKE: Final = Statement[_Taken](_take)
_RENEW: Final = Statement[_Id](_renew)
_FINISH: Final = Statement[_Id](delete(JOB).where(_HELD).returning(JOB.c.id))
_WAIT: Final = Statement[_Id](
    update(JOB)
    .where(_HELD, not_(HAS_TWIN))
    .values(
        state=JobState.WAITING.value,
        lease=None,
        worker=None,
        attempts=bindparam("counted", type_=Integer()),
        due_at=now_and("delay_milliseconds"),
        reason=bindparam("why", type_=String()),
    )
    .returning(JOB.c.id)
)
_BURY: Final = Statement[_Id](
    update(JOB)
    .where(_HELD)
    .values(
        state=JobState.DEAD.value,
        lease=None,
        worker=None,
        reason=bindparam("why", type_=String()),
    )
    .returning(JOB.c.id)
)


async def defer(transaction: Transaction, job: NewJob) -> None:
    """Insert a job. Where one of the same queueing lock waits, that one gets the payload, and the
    earlier of both times.
    """
    await transaction.execute(_DEFER, **job._asdict())


async def ensure_periodic(
    transaction: Transaction, job: NewJob, *, pause_milliseconds: int
) -> None:
    """Insert the row of a periodic task. One that waits for longer than the pause is brought
    forward.
    """
    await transaction.execute(
        _ENSURE_PERIODIC, **job._asdict(), pause_milliseconds=pause_milliseconds
    )


async def next_due(
    reader: Reader, *, queues: Collection[str], tasks: Collection[str]
) -> Mapping[str, int]:
    """Return in how many microseconds the first job of each queue is due: 0 or less where one is
    due. Queues without a job are missing.
    """
    rows = await reader.fetch(_NEXT_DUE, queues=sorted(queues), tasks=sorted(tasks))
    return {row["queue"]: row["wait"] for row in rows if row["wait"] is not None}


async def take(
    transaction: Transaction,
    *,
    queue: str,
    tasks: Collection[str],
    most: int,
    lease: int,
    lease_milliseconds: int,
    worker: str,
) -> Sequence[TakenJob]:
    """Lease at most `most` due jobs of a queue, the longest due first; jobs that another process
    takes at this moment are passed over.
    """
    rows = await transaction.fetch(
        _TAKE,
        of_queue=queue,
        tasks=sorted(tasks),
        most=most,
        new_lease=lease,
        lease_milliseconds=lease_milliseconds,
        of_worker=worker,
    )
    return [TakenJob(**row) for row in rows]


async def renew(
    transaction: Transaction, leases: Sequence[Lease], *, lease_milliseconds: int
) -> Collection[int]:
    """Extend leases from now on; return the ids of the jobs that are still held."""
    rows = await transaction.fetch(
        _RENEW,
        job_id=[each.id for each in leases],
        held=[each.lease for each in leases],
        lease_milliseconds=lease_milliseconds,
    )
    return {row["id"] for row in rows}


async def finish(transaction: Transaction, lease: Lease) -> bool:
    """Delete a job that is done; False where the lease is no longer held."""
    return bool(await transaction.fetch(_FINISH, job_id=lease.id, held=lease.lease))


async def wait(
    transaction: Transaction,
    lease: Lease,
    *,
    delay_milliseconds: int,
    attempts: int,
    reason: str | None,
) -> bool:
    """Let a job wait for its next attempt; False where the lease is no longer held. Where another
    job waits for the same queueing lock, this one is deleted in favour of that one.
    """
    kept = await transaction.fetch(
        _WAIT,
        job_id=lease.id,
        held=lease.lease,
        delay_milliseconds=delay_milliseconds,
        counted=attempts,
        why=_cut(reason),
    )
    return bool(kept) or await finish(transaction, lease)


async def bury(transaction: Transaction, lease: Lease, *, reason: str) -> bool:
    """Keep a job as dead; False where the lease is no longer held."""
    return bool(await transaction.fetch(_BURY, job_id=lease.id, held=lease.lease, why=_cut(reason)))


def _cut(reason: str | None) -> str | None:
    return None if reason is None else reason[:REASON_LENGTH]
