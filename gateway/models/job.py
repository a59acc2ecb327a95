"""Work that outlives a request and a process."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, text
from sqlmodel import Field

from gateway.models.base import Instant, Model, one_of

PERIODIC: Final = text("is_periodic")
WAITING: Final = text("state = 'WAITING'")
RUNNING: Final = text("state = 'RUNNING'")
NOT_DEAD: Final = text("state <> 'DEAD'")


class JobState(StrEnum):
    WAITING = "WAITING"
    RUNNING = "RUNNING"
    DEAD = "DEAD"


class Job(Model, table=True):
    """One call of a task, kept until it is done; a job that is done has no row.

    `due_at` is when a worker may take the job: for a running one, when its lease ends. `lease` is
    the token of the worker that runs it. `attempts` counts how often it was taken, `reason` says
    why the last attempt failed. `account_id` names the account that the job is about. It refers to
    no account: a foreign key would lock the account's row in the transaction that defers the job.
    """

    __tablename__ = "job"
    __table_args__ = (
        one_of("state", JobState),
        CheckConstraint("(state = 'RUNNING') = (lease IS NOT NULL)", name="lease_while_running"),
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        # The jobs that a worker takes next.
        Index(
            "ix_job_queue_due_at",
            "queue",
            "due_at",
            postgresql_where=NOT_DEAD,
            sqlite_where=NOT_DEAD,
        ),
        # One job waits for each queueing lock, one runs for each lock.
        Index(
            "uq_job_queueing_lock",
            "queueing_lock",
            unique=True,
            postgresql_where=WAITING,
            sqlite_where=WAITING,
        ),
        Index("uq_job_lock", "lock", unique=True, postgresql_where=RUNNING, sqlite_where=RUNNING),
        # The jobs of a lock, in the order in which they were deferred.
        Index("ix_job_lock_id", "lock", "id", postgresql_where=NOT_DEAD, sqlite_where=NOT_DEAD),
        # One row a periodic task.
        Index("uq_job_task", "task", unique=True, postgresql_where=PERIODIC, sqlite_where=PERIODIC),
    )

    id: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    account_id: int | None = Field(sa_type=BigInteger, default=None)
    queue: str = Field(max_length=50)
    task: str = Field(max_length=100)
    payload: str = Field(sa_type=Text)
    lock: str | None = Field(max_length=200, default=None)
    queueing_lock: str | None = Field(max_length=200, default=None)
    is_periodic: bool = False
    state: str = Field(max_length=8)
    due_at: datetime = Field(sa_type=Instant)
    attempts: int = 0
    lease: int | None = Field(sa_type=BigInteger, default=None)
    worker: str | None = Field(max_length=100, default=None)
    reason: str | None = Field(max_length=500, default=None)
    created_at: datetime = Field(sa_type=Instant)
    taken_at: datetime | None = Field(sa_type=Instant, default=None)
